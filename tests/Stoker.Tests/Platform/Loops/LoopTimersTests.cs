using FsCheck;
using FsCheck.Fluent;
using Stoker.Platform.Loops;
using Xunit;

namespace Stoker.Tests.Platform.Loops;

/// <summary>Deadlines against the plainest thing that keeps them: a list that is looked through.</summary>
public sealed class LoopTimersTests
{
    /// <summary>How late a deadline may be met.</summary>
    private const int Late = 32;

    /// <summary>Some of them far beyond one turn of the wheel, which is 16 s.</summary>
    private static readonly int[] Spans = [0, 1, 31, 32, 33, 500, 16_383, 16_384, 16_385, 60_000, 3_600_000];

    [Fact]
    public void Each_deadline_is_met_once_never_early_and_at_most_one_tick_late_whatever_is_moved_meanwhile() => Check.QuickThrowOnFailure(Prop.ForAll(Steps(), steps =>
    {
        var run = new Run(timers: 6);
        foreach (var (kind, timer, span) in steps)
        {
            if (kind < 5) run.Set(timer, span);
            else if (kind == 5) run.Stop(timer);
            else if (kind == 6) run.Remove(timer);
            else run.Go(span);
        }

        run.Go(2 * Spans[^1]);
        Assert.Equal(0, run.Waiting);
    }));

    [Fact]
    public void The_loop_sleeps_until_a_slot_has_something_and_without_end_when_none_has() => Check.QuickThrowOnFailure(Prop.ForAll(Gen.Choose(0, 100_000).ToArbitrary(), span =>
    {
        var timers = new LoopTimers(1_000);
        Assert.Equal(-1, timers.UntilNext(1_000));
        var timer = new Alarm(_ => { });
        timers.Set(timer, 1_000 + span);
        long now = 1_000;
        var turns = 0;
        for (int wait; (wait = timers.UntilNext(now)) >= 0; turns++)
        {
            Assert.InRange(wait, 1, 512 * 32);
            now += wait;
            timers.Advance(now);
        }

        Assert.Equal(1, timer.Rung);
        Assert.InRange(now, 1_000 + span, 1_000 + span + (2 * Late));

        // Woken once for each turn of the wheel, and not more.
        Assert.InRange(turns, 1, 2 + (span / (511 * 32)));
    }));

    [Fact]
    public void Who_is_called_may_set_and_remove_others_of_the_same_moment_and_itself()
    {
        var timers = new LoopTimers(0);
        var rung = new List<string>();
        Alarm? first = null, second = null, third = null, fourth = null;
        first = new Alarm(_ => rung.Add("first"));
        second = new Alarm(_ =>
        {
            rung.Add("second");
            if (rung.Count > 1) return;
            timers.Remove(first);
            timers.Set(fourth!, 5_000);
            timers.Set(second!, 10_000);
        });
        third = new Alarm(_ => rung.Add("third"));
        fourth = new Alarm(_ => rung.Add("fourth"));

        // The last set is the first called.
        foreach (var timer in (Alarm[])[third, fourth, first, second]) timers.Set(timer, 100);
        timers.Advance(200);
        Assert.Equal(["second", "third"], rung);
        timers.Advance(5_100);
        Assert.Equal(["second", "third", "fourth"], rung);
        timers.Advance(11_000);
        Assert.Equal(["second", "third", "fourth", "second"], rung);
    }

    [Fact]
    public void After_a_long_stop_everything_due_is_called_at_once()
    {
        var timers = new LoopTimers(0);
        var alarms = Enumerable.Range(0, 1_000).Select(_ => new Alarm(_ => { })).ToList();
        for (var i = 0; i < alarms.Count; i++) timers.Set(alarms[i], (i + 1) * 100);
        timers.Advance(10_000_000);
        Assert.All(alarms, alarm => Assert.Equal(1, alarm.Rung));
        Assert.Equal(-1, timers.UntilNext(10_000_000));
    }

    private static Arbitrary<(int Kind, int Timer, int Span)[]> Steps() => (
        from count in Gen.Choose(1, 60)
        from steps in (
            from kind in Gen.Choose(0, 11)
            from timer in Gen.Choose(0, 5)
            from span in Gen.OneOf(Gen.Elements(Spans), Gen.Choose(0, 40_000))
            select (kind, timer, span)).ArrayOf(count)
        select steps).ToArbitrary();

    private sealed class Alarm(Action<Alarm> due) : LoopTimer
    {
        public int Rung { get; private set; }

        internal override void Due()
        {
            Rung++;
            due(this);
        }
    }

    /// <summary>Some timers, and beside each when it has to be called.</summary>
    private sealed class Run
    {
        private readonly LoopTimers _timers = new(12_345);
        private readonly Alarm[] _alarms;
        private readonly long[] _due;
        private long _now = 12_345;

        public Run(int timers)
        {
            _due = new long[timers];
            _alarms = [.. Enumerable.Range(0, timers).Select(i => new Alarm(_ => Called(i)))];
        }

        public int Waiting => _due.Count(due => due != 0);

        public void Set(int timer, int span) => _timers.Set(_alarms[timer], _due[timer] = _now + span);

        public void Stop(int timer)
        {
            _due[timer] = 0;
            _timers.Set(_alarms[timer], 0);
        }

        public void Remove(int timer)
        {
            _due[timer] = 0;
            _timers.Remove(_alarms[timer]);
        }

        public void Go(int span)
        {
            _now += span;
            _timers.Advance(_now);
            Assert.DoesNotContain(_due, due => due != 0 && due + Late < _now);
        }

        private void Called(int timer)
        {
            Assert.True(_due[timer] != 0 && _due[timer] <= _now, "called early, or without having been set");
            _due[timer] = 0;
        }
    }
}
