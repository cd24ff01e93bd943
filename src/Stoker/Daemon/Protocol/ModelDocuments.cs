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

    /// <summary>Where each replica is, up to where OpenAI's paths begin.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

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
