using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Routing;
using Stoker.Tests.Shared;
using Xunit;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

public sealed class RoutePolicyTests
{
    [Fact]
    public void The_replica_with_the_fewest_requests_is_chosen()
    {
        var decision = Pick(Replicas(3, 1, 5));
        Assert.Equal(new Decision(RouteOutcome.Placed, 1, RouteReason.LeastLoad), decision);
    }

    [Fact]
    public void A_long_prompt_that_is_not_computed_yet_weighs_like_requests()
    {
        var replicas = Replicas(1, 2);
        replicas[0].Tokens = 100_000;
        Assert.Equal(1, Pick(replicas).Chosen);
    }

    [Fact]
    public void Equal_replicas_share_evenly_also_when_nothing_is_in_flight()
    {
        // sglang#32983: on a miss always replica 0.
        var shares = Shares(Replicas(0, 0, 0, 0), 4000);
        Assert.All(shares, share => Assert.InRange(share, 900, 1100));
    }

    [Fact]
    public void An_idle_fleet_is_shared_by_weight()
    {
        var replicas = Replicas(0, 0);
        replicas[0].Weight = 1.5;
        replicas[1].Weight = 0.5;
        Assert.InRange(Shares(replicas, 4000)[1], 900, 1100);
    }

    [Theory]
    [InlineData(ReplicaMode.Draining, Rejection.Draining)]
    [InlineData(ReplicaMode.Loading, Rejection.Loading)]
    [InlineData(ReplicaMode.Asleep, Rejection.Asleep)]
    internal void What_does_not_serve_gets_nothing(ReplicaMode mode, Rejection why)
    {
        var replicas = Replicas(0, 9);
        replicas[0].Mode = mode;
        Assert.Equal(new Decision(RouteOutcome.Placed, 1, RouteReason.Only), Pick(replicas, out var candidates));
        Assert.Equal(why, candidates[0].Rejected);
    }

    [Fact]
    public void When_every_replica_is_at_its_capacity_the_request_waits()
    {
        var replicas = Replicas(4, 4);
        for (var i = 0; i < 2; i++) (replicas[i].Limit, replicas[i].LimitIsDeclared) = (4, true);
        Assert.Equal(RouteOutcome.Full, Pick(replicas).Outcome);
    }

    [Fact]
    public void When_none_serves_the_first_that_will_tells_the_time()
    {
        var replicas = Replicas(0, 0, 0);
        (replicas[0].Mode, replicas[0].ReadyIn) = (ReplicaMode.Asleep, 40 * Second);
        (replicas[1].Mode, replicas[1].ReadyIn) = (ReplicaMode.Loading, 12 * Second);
        replicas[2].Mode = ReplicaMode.Draining;
        Assert.Equal(new Decision(RouteOutcome.Waking, -1, RouteReason.None, ReadyIn: 12 * Second), Pick(replicas));
        Assert.Equal(RouteOutcome.Unavailable, Pick([replicas[2]]).Outcome);
        Assert.Equal(RouteOutcome.Unavailable, Pick([]).Outcome);
    }

    [Fact]
    public void A_retry_goes_elsewhere_and_to_the_same_only_when_there_is_no_other()
    {
        var replicas = Replicas(0, 7);
        Assert.Equal(1, Pick(replicas, tried: 0).Chosen);
        replicas[1].Phase = HealthPhase.Ejected;
        Assert.Equal(0, Pick(replicas, tried: 0).Chosen);
    }

    [Fact]
    public void A_retry_waits_for_another_replica_that_is_merely_full()
    {
        var replicas = Replicas(0, 2);
        (replicas[1].Limit, replicas[1].LimitIsDeclared) = (2, true);
        Assert.Equal(RouteOutcome.Full, Pick(replicas, tried: 0).Outcome);
    }

    [Fact]
    public void When_all_are_ejected_ejection_is_ignored()
    {
        var replicas = Replicas(2, 0);
        replicas[0].Phase = replicas[1].Phase = HealthPhase.Ejected;
        var decision = Pick(replicas);
        Assert.True(decision is { Outcome: RouteOutcome.Placed, Chosen: 1, Panic: true });
    }

    [Fact]
    public void A_replica_on_trial_takes_one_request_at_a_time()
    {
        var replicas = Replicas(9, 0);
        (replicas[1].Phase, replicas[1].TrialTaken) = (HealthPhase.Trial, true);
        Assert.Equal(0, Pick(replicas).Chosen);
        replicas[1].TrialTaken = false;
        Assert.Equal(1, Pick(replicas).Chosen);
    }

    [Fact]
    public void A_dead_replicas_empty_counter_attracts_nothing_while_its_failures_are_recent()
    {
        var replicas = Replicas(3, 0);
        replicas[1].Failures = 1;
        Assert.Equal(0, Pick(replicas).Chosen);
    }

    [Fact]
    public void A_replica_that_asked_for_a_pause_is_left_alone_but_not_when_all_did()
    {
        var replicas = Replicas(5, 0);
        replicas[1].BusyFor = Second;
        Assert.Equal(0, Pick(replicas).Chosen);
        replicas[0].BusyFor = Second;
        Assert.Equal(1, Pick(replicas).Chosen);
    }

    // Trap 12.
    [Fact]
    public void Engine_metrics_that_are_stale_say_nothing()
    {
        var replicas = Replicas(1, 1);
        (replicas[0].Running, replicas[0].Waiting, replicas[0].SignalAge) = (200, 100, 6 * Second);
        Assert.Equal(RouteReason.TwoChoices, Pick(replicas).Why);
        (replicas[1].Running, replicas[1].Waiting, replicas[1].SignalAge) = (200, 100, 6 * Second);
        Assert.Equal(RouteOutcome.Placed, Pick(replicas).Outcome);
    }

    [Fact]
    public void Fresh_engine_metrics_count_what_did_not_come_through_us()
    {
        var replicas = Replicas(1, 3);
        (replicas[0].Running, replicas[0].Waiting, replicas[0].SignalAge) = (6, 2, Second);
        Assert.Equal(1, Pick(replicas, out var candidates).Chosen);
        // One of ours, seven of others, and two that wait once more.
        Assert.Equal(10, candidates[0].Load);
    }

    [Fact]
    public void A_full_cache_is_avoided()
    {
        var replicas = Replicas(1, 3);
        (replicas[0].Running, replicas[0].CacheUse, replicas[0].SignalAge) = (1, 0.95, Second);
        Assert.Equal(1, Pick(replicas).Chosen);
    }

    // Trap 12: after a mass abort vLLM's gauges stay as they were until its next step, which never comes if nobody sends anything (vllm#29928).
    [Fact]
    public void A_frozen_gauge_does_not_keep_an_idle_replica_from_work()
    {
        var replicas = Replicas(0, 8);
        (replicas[0].Running, replicas[0].Waiting, replicas[0].CacheUse, replicas[0].SignalAge) = (99, 99, 0.99, 0);
        Assert.Equal(0, Pick(replicas).Chosen);
    }

    [Fact]
    public void An_engine_that_has_requests_waiting_is_full_unless_the_owner_has_set_the_limit()
    {
        var replicas = Replicas(4);
        (replicas[0].Limit, replicas[0].Waiting, replicas[0].SignalAge) = (100, 8, Second);
        Assert.Equal(RouteOutcome.Full, Pick(replicas).Outcome);
        replicas[0].LimitIsDeclared = true;
        Assert.Equal(RouteOutcome.Placed, Pick(replicas).Outcome);
    }

    [Fact]
    public void The_replica_that_knows_the_prompts_beginning_is_preferred_until_it_is_much_busier()
    {
        var replicas = Replicas(4, 0, 0);
        replicas[0].Matched = 8;
        Assert.Equal((0, RouteReason.Prefix), (Pick(replicas, blocks: 10).Chosen, Pick(replicas, blocks: 10).Why));
        replicas[0].Requests = 5;
        var decision = Pick(replicas, blocks: 10);
        Assert.NotEqual(0, decision.Chosen);
        Assert.Equal(RouteReason.Prefix, decision.Escaped);
    }

    [Fact]
    public void Under_load_affinity_holds_up_to_half_of_the_mean()
    {
        var replicas = Replicas(29, 20, 20);
        replicas[0].Matched = 8;
        Assert.Equal(0, Pick(replicas, blocks: 8).Chosen);
        // 12 ahead of the least; half of the mean of 24 is not more.
        replicas[0].Requests = 34;
        Assert.NotEqual(0, Pick(replicas, blocks: 8).Chosen);
    }

    [Fact]
    public void A_short_common_beginning_attracts_nothing()
    {
        var replicas = Replicas(3, 0);
        replicas[0].Matched = 2;
        Assert.Equal(1, Pick(replicas, blocks: 10).Chosen);
    }

    [Fact]
    public void Of_those_that_know_as_much_the_least_busy_is_chosen()
    {
        var replicas = Replicas(3, 1, 0);
        replicas[0].Matched = replicas[1].Matched = 8;
        Assert.Equal((1, RouteReason.Prefix), (Pick(replicas, blocks: 8).Chosen, Pick(replicas, blocks: 8).Why));
    }

    [Fact]
    public void A_replica_in_trouble_keeps_no_affinity()
    {
        var replicas = Replicas(0, 0);
        (replicas[0].Matched, replicas[0].Failures) = (8, 1);
        Assert.Equal((1, RouteReason.Prefix), (Pick(replicas, blocks: 8).Chosen, Pick(replicas, blocks: 8).Escaped));
    }

    [Fact]
    public void A_session_stays_at_its_replica_and_only_its_own_move_when_one_leaves()
    {
        var all = Replicas(0, 0, 0, 0);
        var fewer = all[..3];
        var (moved, there) = (0, 0);
        for (ulong session = 1; session <= 2000; session++)
        {
            var home = Pick(all, session: Mixing.Mix(session), seed: session).Chosen;
            Assert.Equal(home, Pick(all, session: Mixing.Mix(session), seed: session + 99).Chosen);
            if (home == 3) there++;
            else if (Pick(fewer, session: Mixing.Mix(session)).Chosen != home) moved++;
        }

        Assert.Equal(0, moved);
        Assert.InRange(there, 400, 600);
    }

    [Fact]
    public void A_session_escapes_from_a_replica_that_is_much_busier()
    {
        var replicas = Replicas(0, 0);
        var home = Pick(replicas, session: 12).Chosen;
        replicas[home].Requests = 5;
        Assert.Equal((1 - home, RouteReason.Session), (Pick(replicas, session: 12).Chosen, Pick(replicas, session: 12).Escaped));
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.3)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void A_canary_gets_its_share_to_within_a_few_requests(double share)
    {
        var replicas = Replicas(0, 3, 1);
        replicas[1].Canary = share;
        const int Picks = 20_000;
        Assert.InRange(Shares(replicas, Picks)[1] - share * Picks, -3, 3);
    }

    [Fact]
    public void A_canary_gets_no_more_than_its_share_when_the_others_are_full()
    {
        var replicas = Replicas(2, 0);
        (replicas[0].Limit, replicas[0].LimitIsDeclared) = (2, true);
        replicas[1].Canary = 0.1;
        var placed = Enumerable.Range(0, 1000).Count(i => Pick(replicas, sequence: i).Outcome == RouteOutcome.Placed);
        Assert.InRange(placed, 97, 103);
    }

    [Fact]
    public void A_canary_that_does_not_serve_gives_its_requests_back_and_so_do_the_others()
    {
        var replicas = Replicas(0, 0);
        replicas[1].Canary = 0.5;
        replicas[1].Mode = ReplicaMode.Draining;
        Assert.All(Enumerable.Range(0, 50), i => Assert.Equal(0, Pick(replicas, sequence: i).Chosen));
        (replicas[0].Mode, replicas[1].Mode) = (ReplicaMode.Loading, ReplicaMode.Serving);
        Assert.All(Enumerable.Range(0, 50), i => Assert.Equal(1, Pick(replicas, sequence: i).Chosen));
    }

    [Fact]
    public void A_choice_allocates_nothing()
    {
        var replicas = Replicas([.. Enumerable.Range(0, 64).Select(i => i % 5)]);
        var candidates = new Candidate[64];
        Assert.Equal(0, Allocations.Least(() => RoutePolicy.Pick(new PickFacts { Seed = 5, Session = 9, Blocks = 4 }, replicas, candidates, RoutingOptions.Default)));
    }

    [Fact]
    public void Whatever_the_situation_the_choice_keeps_to_the_rules() => Prop.ForAll(Situations.Any, s =>
    {
        var candidates = new Candidate[s.Replicas.Length];
        var decision = RoutePolicy.Pick(s.Facts, s.Replicas, candidates, RoutingOptions.Default);
        Assert.Equal(decision, RoutePolicy.Pick(s.Facts, s.Replicas, new Candidate[s.Replicas.Length], RoutingOptions.Default));
        Assert.Equal(decision.Outcome == RouteOutcome.Placed, decision.Chosen >= 0);
        var serving = s.Replicas.Where(r => r.Mode == ReplicaMode.Serving).ToList();
        if (decision.Chosen < 0)
        {
            // Never without a reason: none serves, or one that does is full.
            if (decision.Outcome == RouteOutcome.Full) Assert.Contains(serving, r => r.IsFull(RoutingOptions.Default));
            else Assert.Empty(serving);
            return;
        }

        var chosen = s.Replicas[decision.Chosen];
        Assert.Equal(Rejection.None, candidates[decision.Chosen].Rejected);
        Assert.Equal(ReplicaMode.Serving, chosen.Mode);
        Assert.False(chosen.IsFull(RoutingOptions.Default));
        var better = serving.Where(r => r.Phase == HealthPhase.Well).ToList();
        if (chosen.Phase == HealthPhase.Ejected) Assert.Empty(better);
        if (s.Tried.Contains(chosen.Id)) Assert.DoesNotContain(better, r => !s.Tried.Contains(r.Id));
    }).QuickCheckThrowOnFailure();
}
