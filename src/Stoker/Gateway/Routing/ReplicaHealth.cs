namespace Stoker.Gateway.Routing;

/// <summary>How a request at a replica ended, or a probe.</summary>
internal enum ReplicaFact
{
    /// <summary>A whole answer, a stream to its end included, also where the client closes right after <c>[DONE]</c>.</summary>
    Answered,

    ConnectFailed,

    /// <summary>The connection was closed before the first byte of the answer.</summary>
    ResetBeforeFirstByte,

    /// <summary>5xx, but for 501, 503 and 505.</summary>
    ServerError,

    /// <summary>A stream that was cut, or ended without its end.</summary>
    Truncated,

    TimedOutBeforeFirstByte,

    /// <summary>A stream that said nothing for too long.</summary>
    Stalled,

    /// <summary>429 or 503: a request to go elsewhere, no failure.</summary>
    Busy,

    /// <summary>4xx: the engine works, the request is wrong.</summary>
    ClientError,

    /// <summary>The client closed before the end: says nothing of the replica.</summary>
    ClientLeft,

    /// <summary>The request was never sent, or ended for a reason of our own.</summary>
    NotSent,

    ProbeSucceeded,

    ProbeFailed,
}

internal static class ReplicaFacts
{
    public static bool IsFailure(this ReplicaFact fact) => fact is ReplicaFact.ConnectFailed or ReplicaFact.ResetBeforeFirstByte or ReplicaFact.ServerError
        or ReplicaFact.Truncated or ReplicaFact.TimedOutBeforeFirstByte or ReplicaFact.Stalled or ReplicaFact.ProbeFailed;

    /// <summary>The engine could not be reached, so that being reached again is good news.</summary>
    public static bool IsUnreachable(this ReplicaFact fact) =>
        fact is ReplicaFact.ConnectFailed or ReplicaFact.ResetBeforeFirstByte or ReplicaFact.ProbeFailed;
}

/// <summary>One fact with its circumstances. Times are steady ticks of 100 ns.</summary>
/// <param name="OthersUsable">Another replica of the model serves and is not ejected.</param>
/// <param name="Seed">Chance for the length of an ejection.</param>
internal readonly record struct HealthEvent(ReplicaFact Fact, long At, bool OthersUsable, ulong Seed)
{
    /// <summary>Of the one request that tries a replica after its ejection.</summary>
    public bool IsTrial { get; init; }

    /// <summary>With <see cref="ReplicaFact.Busy"/>: what the engine said; null when nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>
/// What the facts so far say of a replica.
/// <code>
/// well ──failures in a row, or their share──→ ejected ──time──→ on trial ──an answer──→ well, from a tenth of its weight on
///   ↑                                            ↑                  │
///   └─ never the last that is usable             └──── a failure ───┘  twice as long
/// </code>
/// </summary>
internal readonly record struct ReplicaHealth
{
    public static ReplicaHealth Fresh { get; } = new() { RecoveredAt = long.MinValue, LastFailure = long.MinValue };

    /// <summary>Also true of one on trial.</summary>
    public bool IsEjected { get; init; }

    public long EjectedUntil { get; init; }

    /// <summary>The fact that ejected it.</summary>
    public ReplicaFact EjectedBy { get; init; }

    /// <summary>Since it was well for long.</summary>
    public int Ejections { get; init; }

    /// <summary>In a row.</summary>
    public int Failures { get; init; }

    public long LastFailure { get; init; }

    /// <summary>When it became well or began to serve; <see cref="long.MinValue"/>: long ago.</summary>
    public long RecoveredAt { get; init; }

    public long BusyUntil { get; init; }

    /// <summary>In a row.</summary>
    public int ProbesFailed { get; init; }

    /// <summary>In a row.</summary>
    public int ProbesSucceeded { get; init; }

    /// <summary>Ended well and badly in this window and in the one before it.</summary>
    public long WindowBegan { get; init; }

    public int Good { get; init; }

    public int Bad { get; init; }

    public int GoodBefore { get; init; }

    public int BadBefore { get; init; }

    public HealthPhase PhaseAt(long now) => !IsEjected ? HealthPhase.Well : now < EjectedUntil ? HealthPhase.Ejected : HealthPhase.Trial;

    /// <summary>The share of its weight that it has grown to. On trial it has the least.</summary>
    public double WarmthAt(long now, RoutingOptions options)
    {
        if (IsEjected) return options.SlowStartFrom;
        if (RecoveredAt == long.MinValue || options.SlowStart <= TimeSpan.Zero) return 1;
        var grown = (double)(now - RecoveredAt) / options.SlowStart.Ticks;
        return Math.Clamp(options.SlowStartFrom + (1 - options.SlowStartFrom) * grown, options.SlowStartFrom, 1);
    }
}
