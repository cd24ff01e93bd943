using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoker.Gateway;

/// <summary>
/// What the gateway's process is to do, as the daemon writes it to <c>gateway.json</c> in the state directory at each apply and scale. Holds no
/// secrets: where a key is needed, it says where that is.
/// </summary>
/// <param name="Listen">Addresses with ports, as in <c>127.0.0.1:8000</c>.</param>
/// <param name="RequiresKeys">False only where it listens on this machine alone.</param>
internal sealed record GatewayPlan(string Estate, IReadOnlyList<string> Listen, bool RequiresKeys)
{
    public IReadOnlyList<RoutePlan> Routes { get; init; } = [];

    /// <summary>Origins of web pages that may call it; <c>*</c>: any; empty: none.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>Bytes of a request's body at most.</summary>
    public long MaxBody { get; init; } = 32 << 20;

    public TimesPlan Times { get; init; } = new();

    /// <summary>Days that single rows of the ledger are kept.</summary>
    public int LedgerDays { get; init; } = 90;

    /// <summary>Of so many decisions one is written to the log; 1: each; 0: none.</summary>
    public int LogDecisions { get; init; } = 100;

    /// <summary>Limits of models over all keys.</summary>
    public IReadOnlyList<ModelLimitPlan> Limits { get; init; } = [];

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, GatewayJson.Default.GatewayPlan);

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static GatewayPlan FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, GatewayJson.Default.GatewayPlan) ?? throw new JsonException("the gateway's plan is `null`");
}

/// <summary>The times that requests have, in milliseconds, where their model does not say otherwise.</summary>
internal sealed record TimesPlan
{
    public long Connect { get; init; } = 2_000;

    public long FirstByte { get; init; } = 300_000;

    public long BetweenChunks { get; init; } = 60_000;

    public long Total { get; init; } = 3_600_000;

    /// <summary>Waiting for a replica.</summary>
    public long Queue { get; init; } = 30_000;
}

/// <summary>A limit by minute of a model, or of those that a pattern names.</summary>
internal sealed record ModelLimitPlan(string Model)
{
    public long? RequestsPerMinute { get; init; }

    public long? TokensPerMinute { get; init; }

    public int? Concurrent { get; init; }
}

/// <summary>One model, as it is reached.</summary>
/// <param name="Engine">As in the estate file: <c>vllm</c>, <c>llamacpp</c>, …</param>
internal sealed record RoutePlan(string Name, string Engine)
{
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>The names that its replicas answer to.</summary>
    public IReadOnlyList<string> UpstreamNames { get; init; } = [];

    public IReadOnlyList<ReplicaAddress> Replicas { get; init; } = [];

    /// <summary>The supervised service that serves it; null: it runs by itself.</summary>
    public string? Service { get; init; }

    /// <summary>Tokens; null: not known.</summary>
    public int? ContextSize { get; init; }

    /// <summary>Requests for each replica at a time; null: learned.</summary>
    public int? MaxConcurrency { get; init; }

    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    /// <summary>Requests with the same value in this header go to the same replica; null: no sessions.</summary>
    public string? SessionHeader { get; init; }

    /// <summary>The daemon is asked to start it when a request comes.</summary>
    public bool LoadsOnRequest { get; init; }

    /// <summary>Milliseconds that loading may take.</summary>
    public long LoadTimeout { get; init; } = 600_000;

    /// <summary>The daemon is asked to stop it after so many milliseconds without a request; null: never.</summary>
    public long? UnloadAfter { get; init; }

    /// <summary>Where the key is that its replicas want; null: they want none.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The variable of the gateway's environment that holds it.</summary>
    public string? KeyVariable { get; init; }

    /// <summary>Null: the gateway's own.</summary>
    public long? Connect { get; init; }

    public long? FirstByte { get; init; }

    public long? BetweenChunks { get; init; }

    public long? Total { get; init; }

    /// <summary>Why a simulator stands in for it; null: the real thing.</summary>
    public string? StandIn { get; init; }
}

/// <summary>One server.</summary>
/// <param name="Service">The model's service, or its name: the ledger and the metrics call this replica <c>SERVICE.INDEX</c>.</param>
/// <param name="Address">IP address or DNS name.</param>
internal sealed record ReplicaAddress(string Service, int Index, string Address, int Port)
{
    public string Path { get; init; } = "/v1";

    public bool Tls { get; init; }

    public double Weight { get; init; } = 1;

    /// <summary>From 0 to 1: the share of requests that it gets as a canary; null: an ordinary replica.</summary>
    public double? CanaryShare { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(GatewayPlan))]
internal sealed partial class GatewayJson : JsonSerializerContext;
