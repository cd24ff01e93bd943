using FsCheck;
using FsCheck.Fluent;
using Stoker.Limits;
using Xunit;

namespace Stoker.Tests.Limits;

public sealed class SlidingWindowProperties
{
    private static readonly long Noon = new DateTime(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc).Ticks;

    /// <summary>Steps of milliseconds with what is asked for then: many close together, some far apart.</summary>
    private static Gen<(int After, int Amount)[]> Asks() =>
        from count in Gen.Choose(1, 120)
        from asks in (
            from after in Gen.Frequency((6, Gen.Choose(0, 900)), (3, Gen.Choose(900, 9_000)), (1, Gen.Choose(55_000, 70_000)))
            from amount in Gen.Choose(0, 12)
            select (after, amount)).ArrayOf(count)
        select asks;

    [Fact]
    public void In_no_60_seconds_is_more_admitted_than_the_limit_and_nothing_is_refused_that_fits_into_61() =>
        Prop.ForAll(Asks().ToArbitrary(), asks =>
        {
            const int limit = 20;
            var window = new SlidingWindow();
            var admitted = new List<(long At, int Amount)>();
            var now = Noon;
            foreach (var (after, amount) in asks)
            {
                now += after * TimeSpan.TicksPerMillisecond;
                window.Advance(now);
                if (window.Used + amount <= limit)
                {
                    window.Add(now, amount);
                    admitted.Add((now, amount));
                }
                else
                {
                    Assert.True(admitted.Where(a => a.At > now - (61 * TimeSpan.TicksPerSecond)).Sum(a => a.Amount) + amount > limit);
                }
            }

            // A window that holds the most begins with one that was admitted.
            foreach (var (begin, _) in admitted)
                Assert.InRange(admitted.Where(a => a.At >= begin && a.At < begin + (60 * TimeSpan.TicksPerSecond)).Sum(a => a.Amount), 0, limit);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void After_the_time_told_there_is_room_and_a_moment_before_there_is_not() =>
        Prop.ForAll((from asks in Asks() from room in Gen.Choose(0, 100) select (asks, room)).ToArbitrary(), input =>
        {
            var window = new SlidingWindow();
            var now = Noon;
            foreach (var (after, amount) in input.asks) window.Add(now += after * TimeSpan.TicksPerMillisecond, amount);
            var wait = window.UntilAtMost(now, input.room);
            if (wait > TimeSpan.Zero)
            {
                window.Advance(now + wait.Ticks - 1);
                Assert.True(window.Used > input.room);
            }

            window.Advance(now + wait.Ticks);
            Assert.True(window.Used <= input.room);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_corrected_counts_as_if_it_had_been_so_from_the_first() =>
        Prop.ForAll((from asks in Asks() from actual in Gen.Choose(0, 30).ArrayOf(120) select (asks, actual)).ToArbitrary(), input =>
        {
            var (corrected, right) = (new SlidingWindow(), new SlidingWindow());
            var now = Noon;
            var pending = new Queue<(long Second, int Change)>();
            for (var i = 0; i < input.asks.Length; i++)
            {
                now += input.asks[i].After * TimeSpan.TicksPerMillisecond;
                pending.Enqueue((corrected.Add(now, input.asks[i].Amount), input.actual[i] - input.asks[i].Amount));
                right.Add(now, input.actual[i]);
                if (pending.Count > 3 && pending.Dequeue() is var late) corrected.Correct(now, late.Second, late.Change);
            }

            while (pending.TryDequeue(out var late)) corrected.Correct(now, late.Second, late.Change);
            Assert.Equal(right.Used, corrected.Used);
            corrected.Advance(now += 61 * TimeSpan.TicksPerSecond);
            Assert.Equal(0, corrected.Used);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_clock_that_goes_back_gives_nothing_back()
    {
        var window = new SlidingWindow();
        window.Add(Noon, 5);
        Assert.Equal(Noon / TimeSpan.TicksPerSecond, window.Add(Noon - TimeSpan.TicksPerHour, 5));
        Assert.Equal(10, window.Used);
    }
}
