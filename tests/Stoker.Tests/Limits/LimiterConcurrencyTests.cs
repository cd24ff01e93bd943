using FsCheck;
using FsCheck.Fluent;
using Stoker.Limits;
using Xunit;

namespace Stoker.Tests.Limits;

public sealed class LimiterConcurrencyTests
{
    private static readonly long Noon = new DateTime(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc).Ticks;

    [Fact]
    public void Sixty_four_threads_together_get_exactly_the_tokens_of_the_limit_and_not_one_more()
    {
        const int threads = 64, most = 1_000_003, each = 7;
        var limiter = new Limiter();
        var limits = new KeyLimits(new LimitSpec(null, most, null), [], null);
        long admitted = 0;
        Together(threads, _ =>
        {
            while (limiter.TryReserve(new LimitRequest("k", limits, "phi", each, 0), Noon, out var _, out var refusal))
                Interlocked.Add(ref admitted, each);
        });
        Assert.Equal(most / each * each, admitted);
    }

    [Fact]
    public void Requests_under_way_never_exceed_their_places_and_every_token_is_accounted_for()
    {
        const int threads = 64, places = 5, rounds = 300;
        var limiter = new Limiter();
        var limits = new KeyLimits(new LimitSpec(null, null, places), [new ModelLimit("*", new LimitSpec(null, null, 4))], null);
        int underWay = 0, most = 0;
        long tokens = 0;
        Together(threads, thread =>
        {
            for (var i = 0; i < rounds; i++)
            {
                if (!limiter.TryReserve(new LimitRequest("k", limits, $"m{thread % 2}", 10, 10), Noon, out var lease, out _)) continue;
                var now = Interlocked.Increment(ref underWay);
                InterlockedMost(ref most, now);
                Thread.SpinWait(20);
                Interlocked.Decrement(ref underWay);
                if (i % 3 == 0)
                {
                    Assert.True(limiter.Refund(lease, Noon));
                }
                else
                {
                    Interlocked.Add(ref tokens, i);
                    Assert.True(limiter.Settle(lease, i, 0, Noon));
                }

                Assert.False(limiter.Settle(lease, 1000, 1000, Noon));
            }
        });
        Assert.InRange(most, 1, places);
        Assert.Equal((tokens, 0L), limiter.BudgetOf("k", BudgetPeriod.Total, Noon));
    }

    /// <summary>What is asked, how far time goes before it, and which lease still open is ended after it.</summary>
    private static Gen<(int After, int Tokens, int Key, int Model, int End, int Actual)[]> Steps() =>
        from count in Gen.Choose(1, 150)
        from steps in (
            from after in Gen.Frequency((8, Gen.Choose(0, 2_000)), (1, Gen.Choose(20_000, 70_000)))
            from tokens in Gen.Choose(0, 60)
            from key in Gen.Choose(0, 1)
            from model in Gen.Choose(0, 1)
            from end in Gen.Choose(-6, 6)
            from actual in Gen.Choose(0, 60)
            select (after, tokens, key, model, end, actual)).ArrayOf(count)
        select steps;

    [Fact]
    public void However_requests_come_and_go_no_limit_of_key_model_or_budget_is_exceeded() =>
        Prop.ForAll(Steps().ToArbitrary(), steps =>
        {
            var limiter = new Limiter();
            limiter.SetModelLimits([new ModelLimit("m*", new LimitSpec(14, 260, 5))]);
            var limits = new KeyLimits(new LimitSpec(10, 200, 4), [new ModelLimit("m0", new LimitSpec(6, 150, 3))], new BudgetSpec(3000, BudgetPeriod.Day));
            var open = new List<(Lease Lease, int Step)>();
            var log = new List<(long At, int Key, int Model, long Tokens)?>();
            var now = Noon;
            foreach (var (after, tokens, key, model, end, actual) in steps)
            {
                now += after * TimeSpan.TicksPerMillisecond;
                if (limiter.TryReserve(new LimitRequest($"k{key}", limits, $"m{model}", tokens, 0), now, out var lease, out _))
                {
                    open.Add((lease, log.Count));
                    log.Add((now, key, model, tokens));
                    Hold(log, open, now);
                }

                if (end < 0 || end >= open.Count) continue;
                var (ended, step) = open[end];
                open.RemoveAt(end);
                // Never more than reserved, as an engine that obeys `max_tokens` does.
                var used = Math.Min(actual, log[step]!.Value.Tokens);
                if (end == 0) limiter.Refund(ended, now);
                else limiter.Settle(ended, used, 0, now);
                log[step] = end == 0 ? null : log[step]!.Value with { Tokens = used };
            }
        }).QuickCheckThrowOnFailure();

    private static void Hold(List<(long At, int Key, int Model, long Tokens)?> log, List<(Lease Lease, int Step)> open, long now)
    {
        var all = log.OfType<(long At, int Key, int Model, long Tokens)>().ToList();
        var minute = all.Where(l => l.At > now - (60 * TimeSpan.TicksPerSecond)).ToList();
        var under = open.Select(o => log[o.Step]!.Value).ToList();
        for (var i = 0; i < 2; i++)
        {
            Within(minute.Where(l => l.Key == i), 10, 200);
            Within(minute.Where(l => l.Key == i && l.Model == 0), 6, 150);
            Within(minute.Where(l => l.Model == i), 14, 260);
            Assert.InRange(under.Count(u => u.Key == i), 0, 4);
            Assert.InRange(under.Count(u => u.Key == i && u.Model == 0), 0, 3);
            Assert.InRange(under.Count(u => u.Model == i), 0, 5);
            Assert.InRange(all.Where(l => l.Key == i).Sum(l => l.Tokens), 0, 3000);
        }
    }

    private static void Within(IEnumerable<(long At, int Key, int Model, long Tokens)> admitted, int requests, long tokens)
    {
        var list = admitted.ToList();
        Assert.InRange(list.Count, 0, requests);
        Assert.InRange(list.Sum(l => l.Tokens), 0, tokens);
    }

    private static void Together(int count, Action<int> work)
    {
        using var start = new Barrier(count);
        Exception? failure = null;
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                work(i);
            }
            catch (Exception e)
            {
                failure = e;
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Null(failure);
    }

    private static void InterlockedMost(ref int most, int value)
    {
        int known;
        while ((known = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, known) != known)
        {
            // Again with what another wrote.
        }
    }
}
