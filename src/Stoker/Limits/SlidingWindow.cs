namespace Stoker.Limits;

/// <summary>
/// An amount over the last minute, kept by the second. What is added counts until the second it was added in lies wholly more than 60
/// seconds back: 60 to 61 seconds. So what a limit admits through it is never more than the limit in any 60 seconds, wherever they
/// begin, unlike a fixed window, which admits twice as much around its edge; and what is refused is refused at most a second longer
/// than needed. Takes 61 numbers, whatever the limit. Time never goes back: an earlier moment counts as the latest known.
/// Not thread-safe; <see cref="Limiter"/> guards it.
/// </summary>
internal sealed class SlidingWindow
{
    /// <summary>The seconds that count: the one that runs and 60 before it.</summary>
    internal const int Seconds = 61;

    private readonly long[] _seconds = new long[Seconds];
    private long _latest = long.MinValue;

    /// <summary>What counts now, as of the last call with a time.</summary>
    public long Used { get; private set; }

    /// <summary>Lets go of what no longer counts.</summary>
    /// <param name="now">Ticks of 100 ns, of the clock that all calls use.</param>
    public void Advance(long now)
    {
        var second = Math.Max(now / TimeSpan.TicksPerSecond, _latest);
        if (second == _latest) return;
        var gone = _latest == long.MinValue ? 0 : Math.Min(second - _latest, Seconds);
        for (var i = 1; i <= gone; i++)
        {
            ref var slot = ref _seconds[(int)((_latest + i) % Seconds)];
            Used -= slot;
            slot = 0;
        }

        _latest = second;
    }

    /// <returns>The second that it counts for, with which it can be corrected.</returns>
    public long Add(long now, long amount)
    {
        Advance(now);
        _seconds[(int)(_latest % Seconds)] += amount;
        Used += amount;
        return _latest;
    }

    /// <summary>Adds to what an earlier call added, or takes from it; nothing happens once that no longer counts.</summary>
    public void Correct(long now, long second, long change)
    {
        Advance(now);
        if (second <= _latest - Seconds || second > _latest) return;
        _seconds[(int)(second % Seconds)] += change;
        Used += change;
    }

    /// <summary>When at most so much of what is used now will still count, if nothing is added meanwhile.</summary>
    /// <returns>From now on; zero: it is so already.</returns>
    public TimeSpan UntilAtMost(long now, long amount)
    {
        Advance(now);
        if (Used <= amount) return TimeSpan.Zero;
        // From the youngest on: the first that is too much is the last that has to go, and is found at once where little may remain.
        var left = 0L;
        for (var second = _latest; second > _latest - Seconds; second--)
        {
            if (second < 0) break;
            left += _seconds[(int)(second % Seconds)];
            if (left > amount) return TimeSpan.FromTicks(Math.Max(0, ((second + Seconds) * TimeSpan.TicksPerSecond) - now));
        }

        return TimeSpan.FromSeconds(Seconds);
    }
}
