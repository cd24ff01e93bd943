using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Routing;
using Xunit;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

public sealed class ReplicaHealthTests
{
    private static readonly ReplicaHealthOptions Options = ReplicaHealthOptions.Default;

    [Theory]
    [InlineData(ReplicaFact.ConnectFailed)]
    [InlineData(ReplicaFact.ResetBeforeFirstByte)]
    [InlineData(ReplicaFact.ServerError)]
    [InlineData(ReplicaFact.Truncated)]
    [InlineData(ReplicaFact.TimedOutBeforeFirstByte)]
    [InlineData(ReplicaFact.Stalled)]
    internal void Three_failures_in_a_row_eject(ReplicaFact fact)
    {
        Assert.False(After((0, fact), (1, fact)).IsEjected);
        Assert.True(After((0, fact), (1, fact), (2, fact)).IsEjected);
        Assert.False(After((0, fact), (1, fact), (1.5, ReplicaFact.Answered), (2, fact)).IsEjected);
    }

    [Fact]
    public void Failed_probes_do_not_eject_what_answers_requests_meanwhile()
    {
        (double, ReplicaFact)[] silent = [(0, ReplicaFact.ProbeFailed), (1, ReplicaFact.ProbeFailed)];
        Assert.True(After([.. silent, (3, ReplicaFact.ProbeFailed)]).IsEjected);
        Assert.False(After([.. silent, (2, ReplicaFact.Answered), (3, ReplicaFact.ProbeFailed)]).IsEjected);
    }

    // Trap 6: 4xx counted as failures ejected healthy workers (sglang#9312); so did clients that left (yarp#2062).
    [Theory]
    [InlineData(ReplicaFact.ClientError)]
    [InlineData(ReplicaFact.ClientLeft)]
    [InlineData(ReplicaFact.NotSent)]
    internal void What_the_client_does_never_counts(ReplicaFact fact)
    {
        var facts = Enumerable.Range(0, 100).Select(i => (i * 0.1, fact)).ToArray();
        Assert.Equal(After(), After(facts) with { WindowBegan = After().WindowBegan });
    }

    [Fact]
    public void Busy_is_no_failure_but_a_pause_as_long_as_the_engine_says()
    {
        var health = ReplicaHealth.Fresh;
        for (var i = 0; i < 50; i++)
            health = ReplicaHealthPolicy.Decide(health, new HealthEvent(ReplicaFact.Busy, At(i), true, 1) { RetryAfter = TimeSpan.FromSeconds(7) }, Options);
        Assert.False(health.IsEjected);
        Assert.Equal(At(49 + 7), health.BusyUntil);
        Assert.Equal(At(60), ReplicaHealthPolicy.Decide(ReplicaHealth.Fresh, new HealthEvent(ReplicaFact.Busy, At(0), true, 1) { RetryAfter = TimeSpan.FromDays(1) }, Options).BusyUntil);
        Assert.Equal(At(2), ReplicaHealthPolicy.Decide(ReplicaHealth.Fresh, new HealthEvent(ReplicaFact.Busy, At(0), true, 1), Options).BusyUntil);
    }

    [Fact]
    public void Half_of_many_requests_failing_ejects_though_never_three_in_a_row()
    {
        var facts = Enumerable.Range(0, 20).Select(i => (i * 0.2, i % 2 == 0 ? ReplicaFact.Answered : ReplicaFact.ServerError)).ToArray();
        Assert.False(After(facts[..^1]).IsEjected);
        Assert.True(After(facts).IsEjected);
    }

    [Fact]
    public void The_same_share_of_few_requests_or_over_a_long_time_does_not()
    {
        var slow = Enumerable.Range(0, 100).Select(i => (i * 2.0, i % 2 == 0 ? ReplicaFact.Answered : ReplicaFact.ServerError)).ToArray();
        Assert.False(After(slow).IsEjected);
    }

    [Fact]
    public void The_last_usable_replica_is_never_ejected()
    {
        var health = ReplicaHealth.Fresh;
        for (var i = 0; i < 100; i++) health = ReplicaHealthPolicy.Decide(health, new HealthEvent(ReplicaFact.ConnectFailed, At(i), OthersUsable: false, 1), Options);
        Assert.False(health.IsEjected);
        Assert.Equal(100, health.Failures);
    }

    [Fact]
    public void Ejection_is_followed_by_a_trial_and_by_twice_the_time_when_that_fails()
    {
        var health = After((0, ReplicaFact.ConnectFailed), (0, ReplicaFact.ConnectFailed), (0, ReplicaFact.ConnectFailed));
        Assert.InRange(health.EjectedUntil, At(4), At(6));
        Assert.Equal(HealthPhase.Ejected, health.PhaseAt(At(3.9)));
        Assert.Equal(HealthPhase.Trial, health.PhaseAt(At(6)));
        var again = Trial(health, 6, ReplicaFact.ConnectFailed);
        Assert.InRange(again.EjectedUntil, At(6 + 8), At(6 + 12));
        for (var i = 0; i < 20; i++) again = Trial(again, 1000 * (i + 1), ReplicaFact.ConnectFailed);
        Assert.InRange(again.EjectedUntil, At(20_000 + 240), At(20_000 + 360));
    }

    [Fact]
    public void Replicas_that_fell_together_do_not_come_back_together()
    {
        var ends = Enumerable.Range(0, 100).Select(seed => ReplicaHealthPolicy.Decide(
            ReplicaHealth.Fresh with { Failures = 2, LastFailure = At(0), WindowBegan = At(0) },
            new HealthEvent(ReplicaFact.ConnectFailed, At(0), true, Mixing.Mix((ulong)seed)), Options).EjectedUntil).ToList();
        Assert.True(ends.Max() - ends.Min() > Second);
        Assert.All(ends, end => Assert.InRange(end, At(4), At(6)));
    }

    [Fact]
    public void An_answer_on_trial_makes_well_and_warms_up_slowly()
    {
        var ejected = After((0, ReplicaFact.Stalled), (0, ReplicaFact.Stalled), (0, ReplicaFact.Stalled));
        var well = Trial(ejected, 10, ReplicaFact.Answered);
        Assert.Equal(HealthPhase.Well, well.PhaseAt(At(10)));
        Assert.Equal(0.1, well.WarmthAt(At(10), RoutingOptions.Default), 3);
        Assert.Equal(0.55, well.WarmthAt(At(25), RoutingOptions.Default), 3);
        Assert.Equal(1, well.WarmthAt(At(40), RoutingOptions.Default), 3);
    }

    [Fact]
    public void A_replica_that_falls_again_soon_is_ejected_for_longer_and_after_a_good_time_as_at_first()
    {
        var ejected = After((0, ReplicaFact.Stalled), (0, ReplicaFact.Stalled), (0, ReplicaFact.Stalled));
        var well = Trial(ejected, 10, ReplicaFact.Answered);
        var soon = Enumerable.Range(0, 3).Aggregate(well, (h, _) => Happens(h, 60, ReplicaFact.Stalled));
        Assert.InRange(soon.EjectedUntil, At(60 + 8), At(60 + 12));
        var late = Enumerable.Range(0, 3).Aggregate(well, (h, _) => Happens(h, 400, ReplicaFact.Stalled));
        Assert.InRange(late.EjectedUntil, At(400 + 4), At(400 + 6));
    }

    [Fact]
    public void What_was_begun_before_the_ejection_neither_ends_nor_lengthens_it()
    {
        var ejected = After((0, ReplicaFact.Truncated), (0, ReplicaFact.Truncated), (0, ReplicaFact.Truncated));
        Assert.True(Happens(ejected, 1, ReplicaFact.Answered).IsEjected);
        Assert.Equal(ejected.EjectedUntil, Happens(ejected, 8, ReplicaFact.Truncated).EjectedUntil);
    }

    [Fact]
    public void Failed_probes_eject_and_good_ones_let_an_unreachable_replica_be_tried_at_once()
    {
        var ejected = After((0, ReplicaFact.ProbeFailed), (1, ReplicaFact.ProbeFailed), (2, ReplicaFact.ProbeFailed));
        Assert.Equal(HealthPhase.Ejected, ejected.PhaseAt(At(3)));
        var once = Happens(ejected, 3, ReplicaFact.ProbeSucceeded);
        Assert.Equal(HealthPhase.Ejected, once.PhaseAt(At(3)));
        Assert.Equal(HealthPhase.Trial, Happens(once, 3.5, ReplicaFact.ProbeSucceeded).PhaseAt(At(3.5)));
    }

    [Fact]
    public void A_good_probe_is_no_proof_where_answers_were_bad()
    {
        var ejected = After((0, ReplicaFact.ServerError), (0, ReplicaFact.ServerError), (0, ReplicaFact.ServerError));
        var probed = Happens(Happens(ejected, 1, ReplicaFact.ProbeSucceeded), 2, ReplicaFact.ProbeSucceeded);
        Assert.Equal(HealthPhase.Ejected, probed.PhaseAt(At(2)));
    }

    [Fact]
    public void Whatever_happens_a_replica_is_ejected_by_failures_only_and_comes_back_by_a_trial_only()
    {
        var steps = Gen.ListOf(
            from fact in Gen.Elements(Enum.GetValues<ReplicaFact>())
            from ms in Gen.Choose(0, 4000)
            from others in Gen.Frequency((4, Gen.Constant(true)), (1, Gen.Constant(false)))
            from trial in Gen.Elements(true, false)
            select (fact, ms, others, trial));
        Prop.ForAll(steps.ToArbitrary(), happened =>
        {
            var (health, now) = (ReplicaHealth.Fresh, Start);
            foreach (var (fact, ms, others, trial) in happened)
            {
                now += ms * TimeSpan.TicksPerMillisecond;
                var isTrial = trial && health.PhaseAt(now) == HealthPhase.Trial;
                var after = ReplicaHealthPolicy.Decide(health, new HealthEvent(fact, now, others, (ulong)ms) { IsTrial = isTrial }, Options);
                if (after.IsEjected && !health.IsEjected) Assert.True(fact.IsFailure() && others);
                if (!after.IsEjected && health.IsEjected) Assert.True(isTrial && !fact.IsFailure());
                if (after.IsEjected) Assert.InRange(after.EjectedUntil, Start, now + (long)(Options.EjectAtMost.Ticks * 1.2));
                health = after;
            }
        }).QuickCheckThrowOnFailure();
    }

    private static ReplicaHealth After(params (double At, ReplicaFact Fact)[] facts) =>
        facts.Aggregate(ReplicaHealth.Fresh with { WindowBegan = At(0) }, (health, fact) => Happens(health, fact.At, fact.Fact));

    private static ReplicaHealth Happens(ReplicaHealth health, double at, ReplicaFact fact) =>
        ReplicaHealthPolicy.Decide(health, new HealthEvent(fact, At(at), OthersUsable: true, Seed: 4), Options);

    private static ReplicaHealth Trial(ReplicaHealth health, double at, ReplicaFact fact) =>
        ReplicaHealthPolicy.Decide(health, new HealthEvent(fact, At(at), OthersUsable: true, Seed: 4) { IsTrial = true }, Options);
}
