using System.Numerics;

namespace Stoker.Platform.Loops;

/// <summary>
/// The deadlines of one loop: a wheel of 512 slots, 32 ms each. Moving a deadline later, which every request does several
/// times, only writes a field; the timer is looked at again when its old slot comes. A deadline is met up to 32 ms late,
/// never early. Used on the loop's thread only.
/// </summary>
internal sealed class LoopTimers
{
    private const int Slots = 512, Shift = 5;

    private readonly LoopTimer?[] _heads = new LoopTimer?[Slots];
    private readonly ulong[] _occupied = new ulong[Slots / 64];
    private long _tick;

    public LoopTimers(long now) => _tick = now >> Shift;

    /// <summary>Sets when the timer is due, in the loop's milliseconds; 0: never.</summary>
    public void Set(LoopTimer timer, long deadline)
    {
        timer.Deadline = deadline;
        if (deadline == 0) return;
        var tick = TickOf(deadline);
        if (timer.Slot >= 0 && timer.Tick <= tick) return;
        if (timer.Slot >= 0) Unlink(timer);
        Link(timer, tick);
    }

    /// <summary>The timer will not be used again.</summary>
    public void Remove(LoopTimer timer)
    {
        timer.Deadline = 0;
        if (timer.Slot >= 0) Unlink(timer);
    }

    /// <summary>Calls what is due.</summary>
    public void Advance(long now)
    {
        var last = now >> Shift;
        if (last - _tick > Slots) _tick = last - Slots;
        while (_tick < last)
        {
            _tick++;
            Turn((int)(_tick & (Slots - 1)), now);
        }
    }

    /// <summary>Milliseconds until a slot with timers comes, for <c>epoll_wait</c>; -1: there are none.</summary>
    public int UntilNext(long now)
    {
        var from = (int)((_tick + 1) & (Slots - 1));
        for (var i = 0; i <= _occupied.Length; i++)
        {
            var word = ((from >> 6) + i) & (_occupied.Length - 1);
            var bits = _occupied[word];
            if (i == 0) bits &= ulong.MaxValue << (from & 63);
            if (bits == 0) continue;
            var slot = (word << 6) + BitOperations.TrailingZeroCount(bits);
            var distance = ((slot - from) & (Slots - 1)) + 1;
            return (int)Math.Max(1, ((_tick + distance) << Shift) - now);
        }

        return -1;
    }

    private long TickOf(long deadline) => Math.Clamp((deadline >> Shift) + 1, _tick + 1, _tick + Slots - 1);

    private void Turn(int slot, long now)
    {
        var timer = _heads[slot];
        while (timer is not null)
        {
            var next = timer.Next;
            if (timer.Slot == slot)
            {
                Unlink(timer);
                if (timer.Deadline > now) Link(timer, TickOf(timer.Deadline));
                else if (timer.Deadline != 0) Fire(timer);
            }

            // A callback may have unlinked the one that was next; then the slot is looked at from its start.
            timer = next is null || next.Slot == slot ? next : _heads[slot];
        }
    }

    private static void Fire(LoopTimer timer)
    {
        timer.Deadline = 0;
        timer.Due();
    }

    private void Link(LoopTimer timer, long tick)
    {
        var slot = (int)(tick & (Slots - 1));
        timer.Tick = tick;
        timer.Slot = slot;
        timer.Previous = null;
        timer.Next = _heads[slot];
        if (timer.Next is not null) timer.Next.Previous = timer;
        _heads[slot] = timer;
        _occupied[slot >> 6] |= 1UL << (slot & 63);
    }

    private void Unlink(LoopTimer timer)
    {
        if (timer.Previous is null) _heads[timer.Slot] = timer.Next;
        else timer.Previous.Next = timer.Next;
        if (timer.Next is not null) timer.Next.Previous = timer.Previous;
        if (_heads[timer.Slot] is null) _occupied[timer.Slot >> 6] &= ~(1UL << (timer.Slot & 63));
        timer.Previous = timer.Next = null;
        timer.Slot = -1;
    }
}

/// <summary>One deadline, used again and again by what owns it.</summary>
internal abstract class LoopTimer
{
    internal LoopTimer? Previous, Next;
    internal long Deadline, Tick;
    internal int Slot = -1;

    /// <summary>The deadline has passed; on the loop's thread.</summary>
    internal abstract void Due();
}
