using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Models;

/// <summary>What serves a model.</summary>
internal enum EngineKind
{
    Vllm,
    Llamacpp,
    Ollama,
    Tgi,
    Sglang,

    /// <summary>Anything that speaks OpenAI's API and runs already: nothing is supervised.</summary>
    OpenAi,

    /// <summary><c>stoker simulate llm</c>, as declared.</summary>
    Simulator,
}

/// <summary>Everything that <c>models:</c> declares, in the order of the file. Models that nothing serves (no engine) are not among them.</summary>
internal sealed record ModelsSpec(IReadOnlyList<ModelSpec> Models);

/// <summary>One entry of <c>models:</c>.</summary>
/// <param name="Key">Its key in the file, by which services and fallbacks refer to it.</param>
internal sealed record ModelSpec(string Key, EngineKind Engine, SourcePosition Where)
{
    /// <summary>Somewhat faster than people read.</summary>
    public const double UsualFloor = 10;

    /// <summary>What clients call it; may hold <c>/</c>. Default: the key.</summary>
    public required string Name { get; init; }

    /// <summary>Further names that clients may use.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Absolute path of the model's directory or file; null: the engine knows it by <see cref="Model"/>.</summary>
    public string? Path { get; init; }

    /// <summary>Which model, as the engine names it: a Hugging Face id, an Ollama tag, the id at another server.</summary>
    public string? Model { get; init; }

    /// <summary>Servers that run already, for <see cref="EngineKind.OpenAi"/> only.</summary>
    public IReadOnlyList<UpstreamSpec> Upstreams { get; init; } = [];

    /// <summary>The key that those servers want.</summary>
    public ApiKeySpec? ApiKey { get; init; }

    /// <summary>The words that start the engine, before its flags; null: the engine's own.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Put after the flags that are made from the other keys: <c>runtime_flags</c>, then <c>args</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>First port; null: given out, see <see cref="ModelPorts"/>.</summary>
    public Positioned<int>? Port { get; init; }

    /// <summary>Address that the engine listens on; null: decided by who must reach it.</summary>
    public string? Listen { get; init; }

    /// <summary>Tokens; null: the model's own.</summary>
    public int? ContextSize { get; init; }

    /// <summary>Requests that each replica works on at a time; null: the engine's own limit.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>Keys of models that answer when this one cannot, in order.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    public CanarySpec? Canary { get; init; }

    public LoadSpec Load { get; init; } = new();

    /// <summary>Unloaded after so long without a request; null: never.</summary>
    public TimeSpan? UnloadAfter { get; init; }

    public ModelTimeouts Timeouts { get; init; } = new();

    /// <summary>Tokens per second that each replica must give one client, as <c>stoker model check</c> measures it.</summary>
    public double Floor { get; init; } = UsualFloor;

    /// <summary>Whether a service is started for it.</summary>
    public bool IsSupervised => Engine != EngineKind.OpenAi;

    public ServiceName Service => new(Key);
}

/// <summary>A server that runs already.</summary>
/// <param name="Url">Up to where OpenAI's paths begin: <c>http://10.0.0.5:8000/v1</c>.</param>
/// <param name="Weight">Its part of the requests, relative to the others; default 1.</param>
internal sealed record UpstreamSpec(Uri Url, int Weight);

/// <summary>Where the key for a server is; exactly one is set.</summary>
/// <param name="File">Absolute path.</param>
/// <param name="EnvironmentVariable">Name of a variable of the daemon's environment.</param>
internal sealed record ApiKeySpec(string? File, string? EnvironmentVariable);

/// <summary>This model takes a part of the requests for another one.</summary>
/// <param name="Of">Key of the other model.</param>
/// <param name="Share">0 to 1.</param>
internal sealed record CanarySpec(string Of, double Share);

internal enum LoadPolicy
{
    /// <summary><c>up</c> starts it.</summary>
    Start,

    /// <summary>Started when the first request for it comes, or by <c>stoker model load</c>.</summary>
    OnRequest,
}

/// <param name="Timeout">How long it may take from start to loaded; default 10 min.</param>
internal sealed record LoadSpec(LoadPolicy Policy, TimeSpan Timeout)
{
    public LoadSpec()
        : this(LoadPolicy.Start, TimeSpan.FromMinutes(10))
    {
    }
}

/// <summary>The four times that a request may take; null: the gateway's own.</summary>
internal sealed record ModelTimeouts
{
    /// <summary>To connect to a replica.</summary>
    public TimeSpan? Connect { get; init; }

    /// <summary>From the request to the first byte of the answer: waiting in the engine and reading the prompt.</summary>
    public TimeSpan? FirstByte { get; init; }

    /// <summary>Between two pieces of the answer.</summary>
    public TimeSpan? BetweenChunks { get; init; }

    /// <summary>All in all.</summary>
    public TimeSpan? Total { get; init; }
}
