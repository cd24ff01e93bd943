using Stoker.Http;
using Stoker.Limits;

namespace Stoker.Streams.Serving;

/// <summary>
/// What one producer's key has used of its limits. Its requests are counted as they begin, its events as they are about to be logged; what is refused counts for
/// nothing, and what the disk did not take is given back. A lock of its own, held for a moment, and only by loops that serve this key. Times are ticks of UTC.
/// </summary>
internal sealed class ProducerMeter
{
    private static readonly TimeSpan WhenAnotherEnds = TimeSpan.FromSeconds(1);

    private readonly Lock _access = new();
    private readonly SlidingWindow _requests = new(), _events = new();
    private int _concurrent;

    /// <summary>A request begins.</summary>
    /// <returns>Null: it may go on, and <see cref="End"/> follows.</returns>
    public Refusal? Begin(LimitSpec limit, long now)
    {
        lock (_access)
        {
            if (Check(limit, now) is { } refusal) return refusal;
            _requests.Add(now, 1);
            _concurrent++;
            return null;
        }
    }

    public void End()
    {
        lock (_access) _concurrent--;
    }

    /// <summary>Events are about to be logged: all of them or none.</summary>
    /// <param name="second">For <see cref="GiveBack"/>.</param>
    public Refusal? Take(LimitSpec limit, int events, long now, out long second)
    {
        second = 0;
        lock (_access)
        {
            if (CheckEvents(limit, events, now) is { } refusal) return refusal;
            second = _events.Add(now, events);
            return null;
        }
    }

    /// <summary>Events that were not taken after all.</summary>
    public void GiveBack(int events, long second, long now)
    {
        lock (_access) _events.Correct(now, second, -events);
    }

    /// <summary>How it stands, as fields of an answer.</summary>
    public void Write(LimitSpec limit, long now, OutputBuffer output)
    {
        Span<byte> lines = stackalloc byte[LimitHeaders.Longest];
        var written = 0;
        lock (_access)
        {
            if (limit.RequestsPerMinute is { } requests) written += LimitHeaders.Write(LimitNames.Requests, Stand(_requests, requests, now), lines);
            if (limit.EventsPerMinute is { } events) written += LimitHeaders.Write(LimitNames.Events, Stand(_events, events, now), lines[written..]);
        }

        output.Write(lines[..written]);
    }

    private Refusal? Check(LimitSpec limit, long now)
    {
        if (limit.Concurrent is { } places && _concurrent >= places) return new Refusal(LimitKind.Concurrent, LimitScope.Key, places, _concurrent, 1, WhenAnotherEnds);
        _requests.Advance(now);
        if (limit.RequestsPerMinute is { } most && _requests.Used >= most)
            return new Refusal(LimitKind.Requests, LimitScope.Key, most, _requests.Used, 1, _requests.UntilAtMost(now, most - 1));

        // Before its body is read: with no event left it would be read for nothing.
        return CheckEvents(limit, 1, now);
    }

    private Refusal? CheckEvents(LimitSpec limit, int events, long now)
    {
        if (limit.EventsPerMinute is not { } most) return null;
        _events.Advance(now);
        if (_events.Used + events <= most) return null;
        return new Refusal(LimitKind.Events, LimitScope.Key, most, _events.Used, events, events > most ? null : _events.UntilAtMost(now, most - events));
    }

    private static LimitStand Stand(SlidingWindow window, long limit, long now)
    {
        var reset = window.UntilAtMost(now, 0);
        return new LimitStand(limit, Math.Max(0, limit - window.Used), reset);
    }
}
