namespace Stoker.Gateway.Routing;

/// <summary>A model as clients say it: case-sensitive, may hold <c>/</c>.</summary>
internal readonly record struct ModelName(string Value)
{
    public override string ToString() => Value;
}

/// <summary>One replica of a model's service, as <c>stoker status</c> names it: <c>phi-3-mini.2</c>.</summary>
/// <param name="Index">From 1 on.</param>
internal readonly record struct ReplicaId(string Service, int Index)
{
    /// <summary>The same in every process and on every machine; session affinity and the log of decisions rest on it.</summary>
    public ulong StableHash => Mixing.Combine(Mixing.Hash(Service), (ulong)Index);

    public override string ToString() => $"{Service}.{Index}";
}

/// <summary>How one model is reached.</summary>
/// <param name="Name">The name that the ledger and the log use.</param>
internal sealed record RouteSpec(ModelName Name, IReadOnlyList<ReplicaSpec> Replicas)
{
    /// <summary>Other names for the same route.</summary>
    public IReadOnlyList<ModelName> Aliases { get; init; } = [];

    /// <summary>In the order in which they are tried. The fallbacks of a fallback are not followed, so that lists may name each other.</summary>
    public IReadOnlyList<FallbackSpec> Fallbacks { get; init; } = [];

    /// <summary>Requests with the same value of this header go to the same replica while its load allows; null: no sessions.</summary>
    public string? SessionHeader { get; init; }

    /// <summary>Prefer the replica that has computed the beginning of the prompt before.</summary>
    public bool PrefixAffinity { get; init; } = true;

    /// <summary>Requests in flight that each replica takes at most; null: learned.</summary>
    public int? MaxConcurrency { get; init; }
}

/// <param name="Address">Host name or address without port.</param>
/// <param name="Engine"><c>vllm</c>, <c>llamacpp</c>, …: another engine at the same port is another replica.</param>
internal sealed record ReplicaSpec(ReplicaId Id, string Address, int Port, string Engine)
{
    /// <summary>Its part of the load, relative to the other replicas; above 0.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>From 0 to 1: this replica is a canary and gets this share of all requests, no more; null: an ordinary replica.</summary>
    public double? CanaryShare { get; init; }

    /// <summary>Before anybody has said what it is there for.</summary>
    public ReplicaMode BeginsAs { get; init; } = ReplicaMode.Serving;
}

internal sealed record FallbackSpec(ModelName Model, FallbackWhen When);

/// <summary>How far a request has come in the list of fallbacks of the model that was asked.</summary>
/// <param name="Case">Why that model did not serve it. What happens at a fallback changes nothing about it.</param>
/// <param name="Next">The place in the list to go on at.</param>
internal record struct FallbackCourse(FallbackWhen Case, int Next);

/// <summary>What makes a request go to the next model.</summary>
[Flags]
internal enum FallbackWhen
{
    None = 0,

    /// <summary>No replica serves, or every attempt has failed.</summary>
    Unavailable = 1,

    /// <summary>Every replica is at its capacity, or has said that it is busy.</summary>
    Overloaded = 2,

    /// <summary>The prompt does not fit the model's context.</summary>
    ContextLength = 4,
}
