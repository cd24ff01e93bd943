namespace Stoker.Daemon.Protocol;

/// <summary>The answer of <c>GET /v1/models</c>, and word for word what <c>stoker model list --json</c> prints.</summary>
internal sealed record ModelsDocument(string Estate, IReadOnlyList<ModelDocument> Models);

/// <summary>One model of the estate, those of other hosts too.</summary>
/// <param name="Key">Its key in <c>models:</c>, and the name of its service.</param>
/// <param name="Name">What clients call it.</param>
/// <param name="Engine">As in the file: <c>vllm</c>, <c>llamacpp</c>, …</param>
/// <param name="State"><c>loaded</c>, <c>loading</c>, <c>unloading</c>, <c>unloaded</c>, <c>failed</c>, or <c>elsewhere</c> for what runs without us.</param>
internal sealed record ModelDocument(string Key, string Name, string Engine, string State)
{
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Replicas that have the model loaded.</summary>
    public int Loaded { get; init; }

    public int Replicas { get; init; }

    /// <summary>Each replica, in order.</summary>
    public IReadOnlyList<ModelServer> Servers { get; init; } = [];

    /// <summary>Requests that its replicas work on for the gateway; null: no gateway answers.</summary>
    public int? InFlight { get; init; }

    /// <summary>Requests for it that wait in the gateway for a place; null: no gateway answers.</summary>
    public int? Waiting { get; init; }

    /// <summary>What the replicas call it.</summary>
    public string? UpstreamName { get; init; }

    /// <summary>The file with the key that the replicas want; null: they want none, or it is elsewhere.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The variable with the key that the replicas want.</summary>
    public string? KeyVariable { get; init; }

    /// <summary>Tokens per second that each replica must give one client.</summary>
    public double Floor { get; init; }

    /// <summary>Tokens; null: not declared.</summary>
    public int? ContextSize { get; init; }

    public IReadOnlyList<string> Gpus { get; init; } = [];

    /// <summary><c>start</c> or <c>on_request</c>.</summary>
    public string Load { get; init; } = "start";

    /// <summary>Why the simulator stands in for it; null: the real thing.</summary>
    public string? StandIn { get; init; }

    /// <summary>In words, why it is in this state.</summary>
    public string? Reason { get; init; }
}

/// <summary>One replica of a model.</summary>
/// <param name="Index">Counts from 1.</param>
/// <param name="Url">Up to where OpenAI's paths begin.</param>
/// <param name="Loaded">It has the model loaded; null: it runs elsewhere, and nobody asks it.</param>
internal sealed record ModelServer(int Index, string Url, bool? Loaded)
{
    /// <summary>Requests that it works on for the gateway; null: no gateway answers.</summary>
    public int? InFlight { get; init; }

    /// <summary>What the gateway does with it: <c>serving</c>, <c>loading</c>, <c>asleep</c>, <c>draining</c>; null: no gateway answers.</summary>
    public string? Mode { get; init; }

    /// <summary>What the gateway thinks of it: <c>well</c>, <c>ejected</c>, <c>trial</c>; null: no gateway answers.</summary>
    public string? Health { get; init; }
}
