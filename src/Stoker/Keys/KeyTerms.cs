using Stoker.Limits;

namespace Stoker.Keys;

/// <summary>A key's lasting name: <c>key_</c> and 16 letters and digits. Not secret: it stands in logs, the ledger and metrics.</summary>
internal readonly record struct KeyId(string Value)
{
    /// <summary>What requests have that came without a key, where the gateway lets them.</summary>
    public static KeyId Anonymous { get; } = new("anonymous");

    public override string ToString() => Value;
}

/// <summary>What a key may do. Each stands for itself; none includes another.</summary>
[Flags]
internal enum KeyScopes : byte
{
    None = 0,

    /// <summary>Ask models, and list them.</summary>
    Inference = 1,

    /// <summary>Ask why a request went where it went.</summary>
    Explain = 2,

    /// <summary>Read the gateway's metrics, and a stream's metrics and status.</summary>
    Metrics = 4,

    /// <summary>Send events to streams, and ask for their receipts.</summary>
    Ingest = 8,
}

/// <summary>Who is served first when all replicas are busy.</summary>
internal enum KeyPriority : byte
{
    Low,
    Normal,
    High,
}

/// <summary>What a key grants.</summary>
internal sealed record KeyTerms
{
    public KeyScopes Scopes { get; init; } = KeyScopes.Inference;

    /// <summary>Names, aliases and patterns with <c>*</c>; empty: every model.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Streams it may send to, by name; empty: every stream.</summary>
    public IReadOnlyList<string> Streams { get; init; } = [];

    public KeyLimits Limits { get; init; } = KeyLimits.None;

    public KeyPriority Priority { get; init; } = KeyPriority.Normal;

    /// <summary>Its share beside other keys of the same priority; default 1, at most 1000.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Everything, for where no keys are asked for.</summary>
    public static KeyTerms Open { get; } = new() { Scopes = KeyScopes.Inference | KeyScopes.Explain | KeyScopes.Metrics | KeyScopes.Ingest };

    public bool Has(KeyScopes scope) => (Scopes & scope) == scope;

    /// <summary>Allocates nothing.</summary>
    public bool AllowsStream(string stream)
    {
        if (Streams.Count == 0) return true;
        for (var i = 0; i < Streams.Count; i++)
        {
            if (Streams[i] == stream) return true;
        }

        return false;
    }

    /// <summary>Allocates nothing.</summary>
    /// <param name="asked">As the client named it, perhaps an alias.</param>
    /// <param name="served">The model's own name.</param>
    public bool Allows(string asked, string served)
    {
        if (Models.Count == 0) return true;
        for (var i = 0; i < Models.Count; i++)
        {
            if (NamePattern.Fits(Models[i], asked) || NamePattern.Fits(Models[i], served)) return true;
        }

        return false;
    }
}
