namespace Stoker.Gateway.Routing;

/// <summary>
/// How fast places become free while requests wait: the last of them in this busy time, or what was measured in the busy time before while there are
/// too few. Outside busy times nothing is counted: places that become free because nobody comes say nothing of the capacity. Not thread-safe.
/// </summary>
internal sealed class DrainRate
{
    private const int Enough = 4;

    private readonly long[] _freed = new long[32];
    private long _began;
    private int _count;
    private double? _before;

    /// <summary>A busy time begins.</summary>
    public void Begin(long now)
    {
        if (_count >= Enough) _before = Rate(_freed[(_count - 1) % _freed.Length]);
        (_began, _count) = (now, 0);
    }

    public void Count(long now) => _freed[_count++ % _freed.Length] = now;

    /// <summary>Until so many places have become free; null when not enough was measured.</summary>
    public TimeSpan? TimeFor(int places, long now)
    {
        var rate = _count >= Enough ? Rate(now) : _before;
        if (rate is not > 0) return null;
        return TimeSpan.FromTicks((long)Math.Min(places / rate.Value, TimeSpan.FromDays(1).Ticks));
    }

    // Up to now and not to the last place: while nothing becomes free, the rate falls.
    private double Rate(long now)
    {
        var kept = Math.Min(_count, _freed.Length);
        var (since, places) = _count > _freed.Length ? (_freed[_count % _freed.Length], kept - 1) : (_began, kept);
        return places / (double)Math.Max(1, now - since);
    }
}
