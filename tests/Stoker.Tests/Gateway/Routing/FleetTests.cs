using Stoker.Gateway.Routing;
using Xunit;

namespace Stoker.Tests.Gateway.Routing;

/// <summary>The router at work over virtual time. The figures are the same in every run; docs/routing.md quotes them.</summary>
public sealed class FleetTests
{
    private readonly ITestOutputHelper _output;

    public FleetTests(ITestOutputHelper output) => _output = output;

    [Fact]
    public void Uneven_replicas_get_what_they_can_take()
    {
        Engine[] Engines() => [new(speed: 1), new(speed: 1), new(speed: 0.4)];
        var (ours, turns) = (Engines(), Engines());
        var routed = Run(ours, 3000, 10, n => n);
        var inTurns = Run(turns, 3000, 10, n => n, n => n % 3);
        _output.WriteLine($"mean {routed.Mean:0.00} s, in turns {inTurns.Mean:0.00} s; shares {string.Join(" ", ours.Select(e => $"{e.Share(3000):0.00}"))}");
        Assert.InRange(ours[2].Share(3000), 0.1, 0.28);
        Assert.True(routed.Mean < 0.7 * inTurns.Mean);
    }

    [Fact]
    public void One_slow_replica_does_not_hold_up_the_others()
    {
        Engine[] engines = [new(), new(), new(), new(speed: 0.1)];
        var fleet = Run(engines, 3000, 6, n => n);
        _output.WriteLine($"mean {fleet.Mean:0.00} s; shares {string.Join(" ", engines.Select(e => $"{e.Share(3000):0.00}"))}");
        Assert.InRange(engines[3].Share(3000), 0.01, 0.1);
        Assert.Equal(0, fleet.Unanswered);
    }

    /// <summary>120 conversations in turns; each engine can hold 40, so that only a fleet that shares them out hits.</summary>
    [Fact]
    public void Prefix_affinity_shares_conversations_out_where_load_alone_would_thrash()
    {
        Engine[] Engines() => [new(cached: 40), new(cached: 40), new(cached: 40), new(cached: 40)];
        int Conversation(int n) => (int)(Mixing.Fraction(5, n) * 120);
        var (with, without) = (Engines(), Engines());
        var routed = Run(with, 4000, 10, Conversation);
        var byLoad = Run(without, 4000, 10, Conversation, affinity: false);
        _output.WriteLine($"hits {routed.Hits / 4000.0:0.00} against {byLoad.Hits / 4000.0:0.00}; mean {routed.Mean:0.00} s against {byLoad.Mean:0.00} s; widest gap {routed.WidestGap}");
        Assert.True(routed.Hits > 0.85 * 4000);
        Assert.True(byLoad.Hits < 0.5 * 4000);
        Assert.True(routed.Mean < 0.8 * byLoad.Mean);
    }

    /// <summary>Half of all requests are of one conversation: pure stickiness would drown its engine while the others idle (prime-rl#3255).</summary>
    [Fact]
    public void A_hot_conversation_spreads_out_before_it_drowns_its_replica()
    {
        Engine[] Engines() => [new(batch: 4), new(batch: 4), new(batch: 4), new(batch: 4)];
        int Conversation(int n) => Mixing.Fraction(5, n) < 0.5 ? 0 : (int)(Mixing.Fraction(6, n) * 100) + 1;
        var (with, sticky) = (Engines(), Engines());
        var routed = Run(with, 4000, 10, Conversation);
        var stuck = Run(sticky, 4000, 10, Conversation, n => Conversation(n) % 4);
        _output.WriteLine($"hits {routed.Hits / 4000.0:0.00}; mean {routed.Mean:0.00} s against {stuck.Mean:0.00} s sticky; widest gap {routed.WidestGap} against {stuck.WidestGap}");
        Assert.InRange(routed.WidestGap, 0, 12);
        Assert.True(stuck.WidestGap > 3 * routed.WidestGap);
        Assert.True(routed.Mean < 0.5 * stuck.Mean);
        Assert.All(with, e => Assert.InRange(e.Share(4000), 0.15, 0.35));
    }

    [Fact]
    public void A_replica_killed_under_load_loses_no_request_that_had_not_begun_to_answer()
    {
        Engine[] engines = [new(), new(), new()];
        var fleet = new Fleet(Sample.Router(Sample.Route(3)), engines);
        fleet.Arrive(1200, 6, n => n);
        fleet.At(60, () => engines[0].IsDead = true);
        fleet.At(120, () => engines[0].IsDead = false);
        fleet.Run();
        _output.WriteLine($"{fleet.FailedAttempts} failed attempts in a minute of 360 requests");
        Assert.Equal(0, fleet.Unanswered);
        Assert.Equal(1200, fleet.Latencies.Count);
        // Three that eject it, and one for each trial.
        Assert.InRange(fleet.FailedAttempts, 3, 8);
    }

    [Fact]
    public void A_replica_that_recovers_grows_into_its_part_and_is_never_flooded()
    {
        Engine[] engines = [new(), new(), new()];
        var router = Sample.Router(Sample.Route(3));
        var fleet = new Fleet(router, engines);
        var (served, most) = (new List<int>(), 0);
        fleet.Arrive(1200, 6, n => n);
        router.Table.Routes[0].Replicas[0].SetMode(ReplicaMode.Loading, Sample.At(0));
        fleet.At(100, () => router.Table.Routes[0].Replicas[0].SetMode(ReplicaMode.Serving, Sample.At(100)));
        for (var t = 100; t <= 190; t += 10)
        {
            fleet.At(t + 0.001, () =>
            {
                served.Add(engines[0].Served);
                most = Math.Max(most, engines[0].Running - Math.Max(engines[1].Running, engines[2].Running));
            });
        }

        fleet.Run();
        var perTenSeconds = served.Zip(served.Skip(1), (a, b) => b - a).ToList();
        _output.WriteLine($"requests in ten seconds each since it serves: {string.Join(" ", perTenSeconds)}");
        Assert.True(perTenSeconds[0] < 0.6 * 20);
        Assert.True(perTenSeconds[0] < perTenSeconds[2]);
        Assert.InRange(perTenSeconds.Skip(4).Average(), 16, 24);
        Assert.True(most <= 2);
    }

    private static Fleet Run(Engine[] engines, int requests, double perSecond, Func<int, int> conversation, Func<int, int>? fixedChoice = null, bool affinity = true)
    {
        var fleet = new Fleet(Sample.Router(Sample.Route(engines.Length) with { PrefixAffinity = affinity, MaxConcurrency = 1000 }), engines, fixedChoice);
        fleet.Arrive(requests, perSecond, conversation);
        fleet.Run();
        return fleet;
    }
}
