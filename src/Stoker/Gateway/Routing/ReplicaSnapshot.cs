namespace Stoker.Gateway.Routing;

/// <summary>What a replica is there for, as the outside says.</summary>
internal enum ReplicaMode
{
    Serving,

    /// <summary>Its engine loads the model.</summary>
    Loading,

    /// <summary>Unloaded; loaded when it is asked for.</summary>
    Asleep,

    /// <summary>Ends what it has and takes nothing new.</summary>
    Draining,
}

/// <summary>What passive and active health say of it.</summary>
internal enum HealthPhase
{
    Well,

    /// <summary>Gets nothing, unless all are.</summary>
    Ejected,

    /// <summary>Its ejection is over: one request at a time shows whether it is well.</summary>
    Trial,
}

/// <summary>One replica at the moment of a decision: numbers only, so that many fit on the stack. Times are in ticks of 100 ns.</summary>
internal struct ReplicaSnapshot
{
    public ReplicaSnapshot()
    {
    }

    /// <summary><see cref="ReplicaId.StableHash"/>.</summary>
    public required ulong Id;

    /// <summary>Our own requests in flight there.</summary>
    public int Requests;

    /// <summary>Prompt tokens of those that have not begun to answer.</summary>
    public long Tokens;

    /// <summary>Requests in flight that it takes now.</summary>
    public int Limit = int.MaxValue;

    /// <summary>The limit is the owner's word, and not learned.</summary>
    public bool LimitIsDeclared;

    public double Weight = 1;

    /// <summary>The share of a canary; 0 for an ordinary replica.</summary>
    public double Canary;

    /// <summary>The share of its weight that it has grown to since it recovered.</summary>
    public double Warmth = 1;

    public ReplicaMode Mode;

    /// <summary>Until it serves; -1 when nobody knows.</summary>
    public long ReadyIn = -1;

    public HealthPhase Phase;

    /// <summary>Another request tries it already.</summary>
    public bool TrialTaken;

    /// <summary>In a row, and recent.</summary>
    public int Failures;

    /// <summary>So long it will be busy, by its own word; 0 when not.</summary>
    public long BusyFor;

    /// <summary>Blocks of this request's prefix that it knows.</summary>
    public int Matched;

    /// <summary>What the engine says; -1 for what it does not.</summary>
    public int Running = -1;

    public int Waiting = -1;

    /// <summary>From 0 to 1; -1 when unknown.</summary>
    public double CacheUse = -1;

    /// <summary>How old that is.</summary>
    public long SignalAge = long.MaxValue;

    /// <summary>The engine's metrics count. Of an engine that has nothing of ours, "busy" may be frozen since its last step (vllm#29928).</summary>
    public readonly bool IsSignalUsed(RoutingOptions options) => Requests > 0 && SignalAge <= options.StalenessCut.Ticks;

    public readonly bool IsFull(RoutingOptions options) =>
        Requests >= Limit || (!LimitIsDeclared && Waiting >= options.EngineWaiting && IsSignalUsed(options));
}
