using FsCheck;
using FsCheck.Fluent;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Probes;
using Xunit;

namespace Stoker.Tests.Probes;

public sealed class HealthPolicyTests
{
    private static readonly HealthcheckSpec Check = new(new ProbeSpec.Tcp("127.0.0.1", 1), new SourcePosition("stoker.yaml", 1, 1))
    {
        Interval = TimeSpan.FromSeconds(10),
        Retries = 3,
    };

    private static readonly ProbeOutcome Good = new ProbeOutcome.Healthy(TimeSpan.Zero, "fine");
    private static readonly ProbeOutcome Bad = new ProbeOutcome.Unhealthy(TimeSpan.Zero, "refused");

    [Fact]
    public void One_success_makes_healthy()
    {
        var state = After(Check, (0.001, Bad), (0.003, Bad), (0.007, Good));
        Assert.Equal(new HealthState(HealthVerdict.Healthy, 0, true, "fine"), state);
    }

    [Fact]
    public void Quick_questions_of_the_start_up_do_not_use_up_the_retries()
    {
        var quick = Enumerable.Range(0, 500).Select(i => (i * 0.018, Bad)).ToArray();
        Assert.Equal(HealthVerdict.Starting, After(Check, quick).Verdict);
        Assert.Equal(0, After(Check, quick).Failures);
    }

    [Fact]
    public void Without_start_period_a_service_has_as_long_as_Docker_gives_it()
    {
        Assert.Equal(HealthVerdict.Starting, After(Check, (10, Bad), (20, Bad), (28, Bad)).Verdict);
        var lost = After(Check, (10, Bad), (20, Bad), (30, Bad));
        Assert.Equal(HealthVerdict.Unhealthy, lost.Verdict);
        Assert.Equal("failed 3 times in a row: refused", lost.Reason);
    }

    [Fact]
    public void Failures_in_the_start_period_do_not_count_until_the_first_success()
    {
        var patient = Check with { StartPeriod = TimeSpan.FromSeconds(60) };
        Assert.Equal(0, After(patient, (10, Bad), (20, Bad), (30, Bad), (40, Bad), (59, Bad)).Failures);
        Assert.Equal(HealthVerdict.Unhealthy, After(patient, (10, Bad), (60, Bad), (70, Bad), (80, Bad)).Verdict);
        Assert.Equal(HealthVerdict.Unhealthy, After(patient, (1, Good), (10, Bad), (20, Bad), (30, Bad)).Verdict);
    }

    [Fact]
    public void Health_is_lost_after_the_retries_and_regained_at_once()
    {
        Assert.Equal(HealthVerdict.Healthy, After(Check, (1, Good), (11, Bad), (21, Bad)).Verdict);
        Assert.Equal("failure 2 of 3: refused", After(Check, (1, Good), (11, Bad), (21, Bad)).Reason);
        Assert.Equal(HealthVerdict.Unhealthy, After(Check, (1, Good), (11, Bad), (21, Bad), (31, Bad)).Verdict);
        Assert.Equal(HealthVerdict.Healthy, After(Check, (1, Good), (11, Bad), (21, Bad), (31, Bad), (41, Good)).Verdict);
        Assert.Equal(HealthVerdict.Healthy, After(Check, (1, Good), (11, Bad), (21, Bad), (31, Good), (41, Bad), (51, Bad)).Verdict);
    }

    [Fact]
    public void Asking_by_hand_cannot_make_a_service_unhealthy_sooner() =>
        Assert.Equal(1, After(Check, (1, Good), (11, Bad), (11.1, Bad), (11.2, Bad), (11.3, Bad)).Failures);

    [Fact]
    public void Whatever_is_answered_the_verdict_keeps_to_the_rules()
    {
        var steps = Gen.ListOf(from ms in Gen.Choose(0, 20_000) from odds in Gen.Choose(0, 3) select (ms, good: odds == 0));
        Prop.ForAll(steps.ToArbitrary(), asked =>
        {
            var (state, time, run) = (HealthState.Fresh, 0.0, 0);
            foreach (var (ms, good) in asked)
            {
                time += ms / 1000.0;
                state = HealthPolicy.Decide(state, Check, TimeSpan.FromSeconds(time), good ? Good : Bad);
                run = good ? 0 : run + 1;
                if (good && state.Verdict != HealthVerdict.Healthy) return false;
                if (state.Failures > run) return false;
                if (state.Verdict == HealthVerdict.Unhealthy && run < Check.Retries) return false;
                if (state.Verdict == HealthVerdict.Starting && state.EverHealthy) return false;
            }

            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Questions_begin_after_a_millisecond_and_slow_down_to_the_start_interval()
    {
        var delays = Enumerable.Range(0, 14).Select(i => ProbeSchedule.Next(Check, false, i, "vision.1").TotalMilliseconds).ToList();
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512], delays[..10]);
        Assert.All(delays[10..], d => Assert.InRange(d, 950, 1050));
        Assert.True(ProbeSchedule.Next(Check, false, int.MaxValue, "x") > TimeSpan.Zero);
        Assert.InRange(ProbeSchedule.Next(Check with { StartInterval = TimeSpan.FromSeconds(5) }, false, 30, "x").TotalSeconds, 4.75, 5.25);
        Assert.InRange(ProbeSchedule.Next(Check with { Interval = TimeSpan.FromMilliseconds(50) }, false, 30, "x").TotalMilliseconds, 47, 53);
    }

    [Fact]
    public void The_steady_pace_is_the_interval_spread_over_the_services()
    {
        var delays = Enumerable.Range(0, 1000).Select(i => ProbeSchedule.Next(Check, true, 5, $"agent_{i}.1").TotalSeconds).ToList();
        Assert.All(delays, d => Assert.InRange(d, 9.5, 10.5));
        var tenths = delays.GroupBy(d => (int)((d - 9.5) * 10)).ToList();
        Assert.Equal(10, tenths.Count(t => t.Count() is > 50 and < 170));
        Assert.Equal(delays[7], ProbeSchedule.Next(Check, true, 99, "agent_7.1").TotalSeconds);
    }

    [Fact]
    public void Steady_questions_of_many_services_are_gathered_to_few_moments()
    {
        var now = TimeSpan.FromSeconds(1234.567);
        var due = Enumerable.Range(0, 1000).Select(i => now + ProbeSchedule.Gather(now, ProbeSchedule.Next(Check, true, 5, $"agent_{i}.1"))).ToList();
        Assert.InRange(due.Distinct().Count(), 4, 6);
        Assert.All(due, d => Assert.InRange((d - now).TotalSeconds, 9.5, 10.75));
        Assert.Equal(TimeSpan.FromMilliseconds(8), ProbeSchedule.Gather(now, TimeSpan.FromMilliseconds(8)));
    }

    private static HealthState After(HealthcheckSpec check, params (double Seconds, ProbeOutcome Outcome)[] asked) =>
        asked.Aggregate(HealthState.Fresh, (state, step) => HealthPolicy.Decide(state, check, TimeSpan.FromSeconds(step.Seconds), step.Outcome));
}
