using Stoker.Estates.Keys;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Models;

/// <summary>The keys of <c>models:</c>: Compose's own, Stoker's, and those that a model shares with services.</summary>
internal static class ModelKeys
{
    public static readonly string[] Engines = ["vllm", "llamacpp", "ollama", "tgi", "sglang", "openai", "simulator"];

    private static readonly KeyTable Url = new("model-url", "A server that runs already.",
        new("url", "Where its OpenAI paths begin, as in `http://10.0.0.5:8000/v1`.", Text, Extension) { Required = true },
        new("weight", "Its part of the requests, relative to the others; default 1.", Range(1, 1000), Extension));

    private static readonly KeyTable ApiKey = new("model-api-key", "The key that the servers at `url` want, from one source.",
        new("file", "Path of the file that holds it.", Text, Extension),
        new("environment", "Name of the variable of the daemon's environment that holds it.", Text, Extension));

    private static readonly KeyTable Load = new("model-load", "When the model is loaded.",
        new("policy", "`start` (default): by `up`; `on_request`: when the first request for it comes, or by `stoker model load`.", Word("start", "on_request"), Extension),
        new("timeout", "How long it may take from start to loaded before that counts as failed; default 10m.", Interval, Extension));

    private static readonly KeyTable Idle = new("model-idle", "What happens while nobody asks.",
        new KeyRow("unload_after", "Unloaded after so long without a request, and loaded again by the next one; default: never.", Interval, Extension));

    private static readonly KeyTable Canary = new("model-canary", "A part of the requests for another model is answered by this one.",
        new("of", "The other model, by its key.", Text, Extension) { Required = true },
        new("share", "How many of a hundred requests, as in `5`.", new Shape.Number(0, 100), Extension) { Required = true });

    private static readonly KeyTable Timeouts = new("model-timeouts", "How long a request may take; each default: the gateway's.",
        new("connect", "To connect to a replica.", Interval, Extension),
        new("first_byte", "To the first byte of the answer: waiting in the engine and reading the prompt.", Interval, Extension),
        new("between_chunks", "Between two pieces of the answer.", Interval, Extension),
        new("total", "All in all.", Interval, Extension));

    private static readonly KeyTable Check = new("model-check", "What `stoker model check` holds the model to.",
        new KeyRow("floor", "Tokens per second that each replica must give one client; default 10.", Amount, Extension));

    /// <summary>Keys that mean for a model's service what they mean for any service.</summary>
    public static readonly string[] OfServices =
    [
        "host", "group", "depends_on", "environment", "env_file", "user", "working_dir", "secrets", "ulimits", "nice", "healthcheck", "restart",
        "restart_policy", "stop_grace_period", "logging", "labels", "profiles",
    ];

    private static readonly KeyRow[] Own =
    [
        new("name", "What clients call the model, as in `meta-llama/Llama-3.1-8B-Instruct`; default: its key.", Text, Honoured),
        new("model", "Which model to run, as the engine names it: a Hugging Face id, an Ollama tag, the id at `url`.", Text, Honoured),
        new("context_size", "Context length in tokens; default: the model's own.", Positive, Honoured),
        new("runtime_flags", "Flags passed to the engine as they are.", Texts, Honoured),

        new("engine", "What serves it; default `openai` where `url` is given.", Word(Engines), Extension),
        new("path", "Directory or file of the model on the host that runs it; in place of `model`.", Text, Extension),
        new("command", "What starts the engine, before its flags; default: `vllm serve`, `llama-server`, `ollama serve`, `text-generation-launcher`, `sglang serve`.",
            Shapes.Command, Extension),
        new("args", "Flags passed to the engine as they are, after `runtime_flags`.", Texts, Extension),
        new("replicas", "Number of copies, each with its own port and GPUs; default 1.", Natural, Extension),
        new("gpu", "The GPUs that each replica needs; default: none.", Keyed(HostKeys.GpuShare), Extension),
        new("resources", "Limits and reservations of each replica, as in `deploy.resources`.", Keyed(DeployKeys.Resources), Extension),
        new("port", "First port, counting up for replicas; default: given out from 8100 to 8899.", Port, Extension),
        new("listen", "Address that it listens on; default: 127.0.0.1, and the host's address where another host must reach it.", Text, Extension),
        new("url", "Servers that run already, in place of starting one: a URL, or a list of them.", OneOf(Text, List(OneOf(Text, Keyed(Url)))), Extension),
        new("api_key", "The key that the servers at `url` want; default: none.", Keyed(ApiKey), Extension),
        new("aliases", "Further names that clients may use.", DistinctTexts, Extension),
        new("max_concurrency", "Requests that a replica works on at a time; default: the engine's own limit.", Positive, Extension),
        new("fallbacks", "Models, by their keys, that answer when this one cannot, in order.", DistinctTexts, Extension),
        new("canary", "A part of the requests for another model is answered by this one; default: none.", Keyed(Canary), Extension),
        new("load", "When the model is loaded.", Keyed(Load), Extension),
        new("idle", "What happens while nobody asks.", Keyed(Idle), Extension),
        new("timeouts", "How long a request may take.", Keyed(Timeouts), Extension),
        new("check", "What `stoker model check` holds the model to.", Keyed(Check), Extension),
    ];

    public static readonly KeyTable Table = new("model", "A served model.", [.. Own, .. OfServices.Select(key => ServiceKeys.Table.Find(key)!)]);

    public static readonly Shape Section = Named(Keyed(Table));
}
