namespace Stoker.Gateway.Routing;

internal enum RouteOutcome
{
    Placed,

    /// <summary>Those that serve are at their capacity: wait.</summary>
    Full,

    /// <summary>None serves, but one will when it has loaded.</summary>
    Waking,

    /// <summary>None serves, and none will by itself.</summary>
    Unavailable,
}

/// <summary>Why this replica and no other.</summary>
internal enum RouteReason
{
    None,

    /// <summary>No other was left.</summary>
    Only,

    /// <summary>Its session was there before.</summary>
    Session,

    /// <summary>It has computed the beginning of the prompt before.</summary>
    Prefix,

    /// <summary>Its load is clearly the least.</summary>
    LeastLoad,

    /// <summary>The better of two that were drawn from near-equals.</summary>
    TwoChoices,
}

/// <summary>Why a replica was no candidate.</summary>
internal enum Rejection
{
    None,
    Draining,
    Loading,
    Asleep,
    Ejected,

    /// <summary>Its ejection is over, and another request tries it.</summary>
    OnTrial,

    /// <summary>This request has failed there.</summary>
    Tried,

    /// <summary>At its capacity.</summary>
    Full,

    /// <summary>It is a canary and this request is not of its share, or the other way round.</summary>
    OtherShare,
}

/// <summary>One replica in a decision.</summary>
internal struct Candidate
{
    /// <summary>Its parts, by its weight as grown so far.</summary>
    public double Load;

    /// <summary>Why not; none for those that were compared.</summary>
    public Rejection Rejected;
}

/// <summary>What was asked, without the replicas.</summary>
internal readonly ref struct PickFacts
{
    /// <summary>Estimated; 0 when unknown.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Hash of the session's key; 0 for none.</summary>
    public ulong Session { get; init; }

    /// <summary>Hashed blocks of the prompt; 0 switches prefix affinity off.</summary>
    public int Blocks { get; init; }

    /// <summary><see cref="ReplicaId.StableHash"/> of the replicas where this request has failed.</summary>
    public ReadOnlySpan<ulong> Tried { get; init; }

    /// <summary>The how many-th request of the route this is; shares of canaries are dealt by it.</summary>
    public long Sequence { get; init; }

    public ulong Seed { get; init; }
}

/// <summary>The answer of <see cref="RoutePolicy"/>.</summary>
/// <param name="Chosen">Index of the replica; -1 when none.</param>
/// <param name="Escaped">The affinity that gave way to load; none when none did.</param>
/// <param name="Panic">All were ejected, so ejection was ignored.</param>
/// <param name="ReadyIn">With <see cref="RouteOutcome.Waking"/>: ticks until the first serves; -1 when nobody knows.</param>
internal readonly record struct Decision(RouteOutcome Outcome, int Chosen, RouteReason Why, RouteReason Escaped = RouteReason.None, bool Panic = false, long ReadyIn = -1);
