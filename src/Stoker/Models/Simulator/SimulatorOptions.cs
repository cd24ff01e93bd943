using System.Net;

namespace Stoker.Models.Simulator;

/// <summary>What the answers are made of.</summary>
internal enum AnswerMode
{
    /// <summary>English sentences decided by seed and prompt; what was said earlier is remembered.</summary>
    Seeded,

    /// <summary>The last message of the user again.</summary>
    Echo,
}

/// <summary>Whose metrics, errors and side paths it has.</summary>
internal enum EngineKind
{
    Vllm,
    LlamaCpp,
    Sglang,
    Tgi,
    Ollama,
}

/// <summary>What `stoker simulate llm` was asked to be.</summary>
/// <param name="Names">What clients may call the model; the first one is in answers and metrics.</param>
internal sealed record SimulatorOptions(IReadOnlyList<string> Names)
{
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>In the header <c>x-simulated-by</c> of every answer: tells replicas apart. Null: address and port.</summary>
    public string? Label { get; init; }

    /// <summary>From being admitted to the first token.</summary>
    public LatencySpec Ttft { get; init; } = new(TimeSpan.FromMilliseconds(50));

    /// <summary>Between two tokens.</summary>
    public LatencySpec Itl { get; init; } = new(TimeSpan.FromMilliseconds(10));

    /// <summary>Added to the time to the first token for each token of the prompt that is not in the prefix cache.</summary>
    public TimeSpan PrefillPerToken { get; init; }

    /// <summary>Requests that run at the same time.</summary>
    public int MaxRunning { get; init; } = 8;

    /// <summary>Requests that wait at most; one more is refused with 503.</summary>
    public int MaxWaiting { get; init; } = 1000;

    /// <summary>Tokens of prompt and answer together.</summary>
    public int ContextLength { get; init; } = 32768;

    public AnswerMode Mode { get; init; }

    public long Seed { get; init; } = 1;

    /// <summary>Until the model is loaded and <c>/health</c> says so.</summary>
    public TimeSpan LoadTime { get; init; }

    /// <summary>Until a sleeping model is awake.</summary>
    public TimeSpan WakeTime { get; init; }

    /// <summary>Blocks of the KV cache.</summary>
    public int Blocks { get; init; } = 8192;

    /// <summary>Tokens in a block.</summary>
    public int BlockSize { get; init; } = 16;

    public bool CachesPrefixes { get; init; } = true;

    /// <summary>Answers carry <c>reasoning_content</c>, also where the request asks for no effort.</summary>
    public bool Reasons { get; init; }

    /// <summary>Numbers in an embedding where the request names no `dimensions`.</summary>
    public int Dimensions { get; init; } = 384;

    /// <summary>Any of these opens <c>/v1</c>; none: it is open.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    public EngineKind Engine { get; init; }

    /// <summary>How many requests <c>GET /admin/requests</c> remembers.</summary>
    public int RequestsKept { get; init; } = 1000;

    public string Model => Names[0];
}
