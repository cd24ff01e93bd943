namespace Stoker.Limits;

/// <summary>How much is left of the limits by minute, for headers.</summary>
internal struct LimitView
{
    public LimitStand? Requests { get; private set; }

    public LimitStand? Tokens { get; private set; }

    public readonly bool IsEmpty => Requests is null && Tokens is null;

    internal void Consider(LimitSpec limit, Meter? meter, long now)
    {
        if (limit.RequestsPerMinute is { } requests) Requests = Tighter(Requests, Stand(requests, meter?.Requests, now));
        if (limit.TokensPerMinute is { } tokens) Tokens = Tighter(Tokens, Stand(tokens, meter?.Tokens, now));
    }

    private static LimitStand Tighter(LimitStand? known, LimitStand other) => known is { } stand && stand.Remaining <= other.Remaining ? stand : other;

    private static LimitStand Stand(long limit, SlidingWindow? window, long now)
    {
        if (window is null) return new LimitStand(limit, limit, TimeSpan.Zero);
        var reset = window.UntilAtMost(now, 0);
        return new LimitStand(limit, Math.Max(0, limit - window.Used), reset);
    }
}

/// <param name="Remaining">Never below zero.</param>
/// <param name="Reset">Until all of it is there again, if nothing more is asked.</param>
internal readonly record struct LimitStand(long Limit, long Remaining, TimeSpan Reset);
