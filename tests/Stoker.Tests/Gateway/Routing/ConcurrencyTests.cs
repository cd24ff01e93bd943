using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Routing;
using Xunit;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

public sealed class ConcurrencyTests
{
    /// <summary>An engine with so many slots and no queue signal: the first byte takes 200 ms, and longer in proportion beyond its slots.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(100)]
    public void The_limit_settles_near_what_an_engine_without_metrics_takes(int slots)
    {
        var limits = new List<double>();
        var learned = LearnedLimit.Fresh;
        for (var i = 0; i < 20_000; i++)
        {
            // Traffic begins small, and then as many are in flight as are let in.
            var inFlight = Math.Min(learned.Whole, 1 + i / 20);
            var firstByte = (long)(0.2 * Math.Max(1, inFlight / (double)slots) * Second);
            learned = ConcurrencyPolicy.Decide(learned, new ConcurrencySample(At(i * 0.05), firstByte, 100, inFlight, -1), RoutingOptions.Default);
            if (i > 10_000) limits.Add(learned.Limit);
        }

        Assert.InRange(limits.Average(), slots, slots * 4);
    }

    [Fact]
    public void An_engine_that_says_busy_is_given_fewer_at_once()
    {
        var learned = ConcurrencyPolicy.Decide(LearnedLimit.Fresh, new ConcurrencySample(At(0), -1, 100, InFlight: 2, -1), RoutingOptions.Default);
        Assert.Equal(1, learned.Whole);
    }

    [Fact]
    public void The_engines_own_queue_is_believed_before_times_are()
    {
        var slow = LearnedLimit.Fresh with { Baseline = Second / 10.0, Smoothed = Second };
        Assert.True(Decide(slow, Second, 16, waiting: 0).Limit > slow.Limit);
        Assert.True(Decide(slow, Second, 16, waiting: 9).Limit < slow.Limit);
        Assert.True(Decide(slow, Second, 16, waiting: -1).Limit < slow.Limit);
    }

    [Fact]
    public void An_engine_that_became_slower_for_good_is_believed_in_time()
    {
        var learned = LearnedLimit.Fresh with { Baseline = Second / 10.0, Smoothed = Second / 10.0, Limit = 20, IsDoubling = false };
        var least = learned.Limit;
        for (var i = 0; i < 2000; i++)
        {
            learned = ConcurrencyPolicy.Decide(learned, new ConcurrencySample(At(i), Second, 0, Math.Min(6, learned.Whole), -1), RoutingOptions.Default);
            least = Math.Min(least, learned.Limit);
        }

        Assert.InRange(least, 1, 6);
        Assert.True(learned.Limit > 6);
    }

    [Fact]
    public void A_limit_that_holds_nobody_back_does_not_grow() => Assert.Equal(ConcurrencyPolicy.First, Decide(LearnedLimit.Fresh, Second / 10, inFlight: 3).Limit);

    [Fact]
    public void One_bad_moment_cuts_once()
    {
        var learned = LearnedLimit.Fresh with { Baseline = Second / 10.0, Smoothed = Second, Limit = 100 };
        for (var i = 0; i < 50; i++) learned = ConcurrencyPolicy.Decide(learned, new ConcurrencySample(At(0.001 * i), Second, 0, 100, -1), RoutingOptions.Default);
        Assert.Equal(80, learned.Limit);
    }

    [Fact]
    public void Whatever_is_seen_the_limit_stays_between_its_bounds()
    {
        var samples = Gen.ListOf(
            from firstByte in Gen.Choose(-1, 100_000_000) from tokens in Gen.Choose(0, 100_000) from inFlight in Gen.Choose(1, 2000) from waiting in Gen.Choose(-1, 20)
            select new ConcurrencySample(0, firstByte, tokens, inFlight, waiting), 100);
        Prop.ForAll(samples.ToArbitrary(), seen =>
        {
            var (learned, now) = (LearnedLimit.Fresh, Start);
            foreach (var sample in seen)
            {
                learned = ConcurrencyPolicy.Decide(learned, sample with { At = now += Second / 3 }, RoutingOptions.Default);
                Assert.InRange(learned.Limit, ConcurrencyPolicy.Least, ConcurrencyPolicy.Most);
            }
        }).QuickCheckThrowOnFailure();
    }

    private static LearnedLimit Decide(LearnedLimit learned, long firstByte, int inFlight, int waiting = -1) =>
        ConcurrencyPolicy.Decide(learned, new ConcurrencySample(At(100), firstByte, 0, inFlight, waiting), RoutingOptions.Default);
}
