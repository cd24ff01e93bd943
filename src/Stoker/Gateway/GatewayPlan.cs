using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoker.Gateway;

/// <summary>
/// What the gateway's process is to do, as the daemon writes it to <c>gateway.json</c> in the state directory at each apply and scale. Holds no
/// secrets: where a key is needed, it says where that is. Properties are settable because the generated reader gives what can only be
/// initialised the type's default where the document lacks it, and not the one written here.
/// </summary>
/// <param name="Listen">Addresses with ports, as in <c>127.0.0.1:8000</c>.</param>
/// <param name="RequiresKeys">False only where it listens on this machine alone.</param>
internal sealed record GatewayPlan(string Estate, IReadOnlyList<string> Listen, bool RequiresKeys)
{
    public IReadOnlyList<RoutePlan> Routes { get; set; } = [];

    /// <summary>Origins of web pages that may call it; <c>*</c>: any; empty: none.</summary>
    public IReadOnlyList<string> CorsOrigins { get; set; } = [];

    /// <summary>Bytes of a request's body at most.</summary>
    public long MaxBody { get; set; } = 32 << 20;

    public TimesPlan Times { get; set; } = new();

    /// <summary>Days that single rows of the ledger are kept.</summary>
    public int LedgerDays { get; set; } = 90;

    /// <summary>Of so many decisions one is written to the log; 1: each; 0: none.</summary>
    public int LogDecisions { get; set; } = 100;

    /// <summary>Limits of models over all keys.</summary>
    public IReadOnlyList<ModelLimitPlan> Limits { get; set; } = [];

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, GatewayJson.Default.GatewayPlan);

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static GatewayPlan FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, GatewayJson.Default.GatewayPlan) ?? throw new JsonException("the gateway's plan is `null`");
}

/// <summary>The times that requests have, in milliseconds, where their model does not say otherwise.</summary>
internal sealed record TimesPlan
{
    public long Connect { get; set; } = 2_000;

    public long FirstByte { get; set; } = 300_000;

    public long BetweenChunks { get; set; } = 60_000;

    public long Total { get; set; } = 3_600_000;

    /// <summary>Waiting for a replica.</summary>
    public long Queue { get; set; } = 30_000;

    /// <summary>For a request's body to arrive; the estate file has no word for it.</summary>
    public long Body { get; set; } = 120_000;

    /// <summary>For a client to take what is sent, before it counts as gone; the estate file has no word for it.</summary>
    public long ClientStall { get; set; } = 60_000;
}

/// <summary>A limit by minute of a model, or of those that a pattern names.</summary>
internal sealed record ModelLimitPlan(string Model)
{
    public long? RequestsPerMinute { get; set; }

    public long? TokensPerMinute { get; set; }

    public int? Concurrent { get; set; }
}

/// <summary>One model, as it is reached.</summary>
/// <param name="Engine">As in the estate file: <c>vllm</c>, <c>llamacpp</c>, …</param>
internal sealed record RoutePlan(string Name, string Engine)
{
    public IReadOnlyList<string> Aliases { get; set; } = [];

    /// <summary>The names that its replicas answer to.</summary>
    public IReadOnlyList<string> UpstreamNames { get; set; } = [];

    public IReadOnlyList<ReplicaAddress> Replicas { get; set; } = [];

    /// <summary>The supervised service that serves it; null: it runs by itself.</summary>
    public string? Service { get; set; }

    /// <summary>Tokens; null: not known.</summary>
    public int? ContextSize { get; set; }

    /// <summary>Requests for each replica at a time; null: learned.</summary>
    public int? MaxConcurrency { get; set; }

    public IReadOnlyList<string> Fallbacks { get; set; } = [];

    /// <summary>Requests with the same value in this header go to the same replica; null: no sessions.</summary>
    public string? SessionHeader { get; set; }

    /// <summary>The daemon is asked to start it when a request comes.</summary>
    public bool LoadsOnRequest { get; set; }

    /// <summary>Milliseconds that loading may take.</summary>
    public long LoadTimeout { get; set; } = 600_000;

    /// <summary>The daemon is asked to stop it after so many milliseconds without a request; null: never.</summary>
    public long? UnloadAfter { get; set; }

    /// <summary>Where the key is that its replicas want; null: they want none.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The variable of the gateway's environment that holds it.</summary>
    public string? KeyVariable { get; set; }

    /// <summary>Null: the gateway's own.</summary>
    public long? Connect { get; set; }

    public long? FirstByte { get; set; }

    public long? BetweenChunks { get; set; }

    public long? Total { get; set; }

    /// <summary>Why a simulator stands in for it; null: the real thing.</summary>
    public string? StandIn { get; set; }
}

/// <summary>One server.</summary>
/// <param name="Service">The model's service, or its name: the ledger and the metrics call this replica <c>SERVICE.INDEX</c>.</param>
/// <param name="Address">IP address or DNS name.</param>
internal sealed record ReplicaAddress(string Service, int Index, string Address, int Port)
{
    public string Path { get; set; } = "/v1";

    public bool Tls { get; set; }

    public double Weight { get; set; } = 1;

    /// <summary>The names that it answers to, where they are not its route's; null: those.</summary>
    public IReadOnlyList<string>? UpstreamNames { get; set; }

    /// <summary>From 0 to 1: the share of requests that it gets as a canary; null: an ordinary replica.</summary>
    public double? CanaryShare { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(GatewayPlan))]
internal sealed partial class GatewayJson : JsonSerializerContext;
