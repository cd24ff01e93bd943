using System.Globalization;
using Stoker.Estates;

namespace Stoker.Models;

/// <summary>What an engine is started with.</summary>
/// <param name="Words">The command; <c>$(PORT)</c> is the replica's port.</param>
/// <param name="Environment">Variables that the engine is set up by, which the model's own <c>environment</c> overrides.</param>
/// <param name="Probe">Healthy means loaded: it fails until the model can answer.</param>
internal sealed record EngineStart(IReadOnlyList<string> Words, IReadOnlyList<(string Name, string Value)> Environment, ProbeSpec Probe)
{
    /// <summary>Ports beside the one that it answers on, as (purpose, declared port).</summary>
    public IReadOnlyList<(string Purpose, int Port)> FurtherPorts { get; init; } = [];
}

/// <summary>
/// The command lines of the engines. Each flag is from the engine's own reference, named at its method; flags that the owner writes come
/// last, so that they win where the engine takes the last of two.
/// </summary>
internal static class EngineCommands
{
    /// <summary>Where the ports that an engine needs for itself begin, counted from the model's first.</summary>
    private const int MasterAfter = 10, MetricsAfter = 15;

    /// <param name="listen">Address that the engine listens on.</param>
    /// <param name="gpuShare">The part of each GPU's memory that it may take, 0 to 1; null: all that it likes.</param>
    public static EngineStart Of(ModelSpec spec, int port, string listen, GpuRequest? gpu, double? gpuShare) => spec.Engine switch
    {
        EngineKind.Vllm => Vllm(spec, port, listen, gpu, gpuShare),
        EngineKind.Llamacpp => Llamacpp(spec, port, listen, gpu),
        EngineKind.Ollama => Ollama(spec, listen),
        EngineKind.Tgi => Tgi(spec, port, listen, gpu, gpuShare),
        EngineKind.Sglang => Sglang(spec, port, listen, gpu, gpuShare),
        EngineKind.Simulator => Simulator(spec, port, listen),
        EngineKind.OpenAi => throw new InvalidOperationException($"`{spec.Key}` runs already"),
    };

    /// <summary>What stands in for an engine that is not here: the simulator, with the same names, port and limits.</summary>
    public static SimulationSpec Simulation(ModelSpec spec, HealthcheckSpec real, int port) =>
        new(SimulatorWords(spec, "127.0.0.1"), real with { Probe = Health(port, "127.0.0.1") });

    /// <summary>The names that the engine answers to, its own first.</summary>
    public static IReadOnlyList<string> NamesOf(ModelSpec spec) => spec.Engine switch
    {
        // Both know the model by the name that they loaded it by.
        EngineKind.Ollama or EngineKind.OpenAi => [spec.Model ?? spec.Name],
        EngineKind.Vllm or EngineKind.Simulator => [.. spec.Aliases.Prepend(spec.Name).Distinct()],
        _ => [spec.Name],
    };

    /// <summary>
    /// https://docs.vllm.ai/en/latest/cli/serve: the server listens only when the engine is up, so that its first 200 on <c>/health</c> says
    /// that the model is loaded. Several served names are words of one flag.
    /// </summary>
    private static EngineStart Vllm(ModelSpec spec, int port, string listen, GpuRequest? gpu, double? gpuShare)
    {
        List<string> words = [.. spec.Command ?? ["vllm", "serve"], Source(spec), "--served-model-name", .. NamesOf(spec), "--host", listen, "--port", "$(PORT)"];
        Add(words, "--max-model-len", spec.ContextSize);
        Add(words, "--max-num-seqs", spec.MaxConcurrency);
        if (gpu is { Count: > 1 and var count }) Add(words, "--tensor-parallel-size", count);
        if (gpuShare is { } share) words.AddRange(["--gpu-memory-utilization", Share(share)]);
        return new EngineStart([.. words, .. spec.Arguments], [], Health(port, listen));
    }

    /// <summary>
    /// https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md: <c>/health</c> is 503 while the model loads. The context is
    /// that of all slots together, so each of them gets <c>context_size</c> of a product. <c>/metrics</c> is off by default.
    /// </summary>
    private static EngineStart Llamacpp(ModelSpec spec, int port, string listen, GpuRequest? gpu)
    {
        List<string> words = [.. spec.Command ?? ["llama-server"]];
        words.AddRange(spec.Path is { } path ? ["--model", path] : ["--hf-repo", spec.Model!]);
        words.AddRange(["--alias", spec.Name, "--host", listen, "--port", "$(PORT)", "--metrics"]);
        if (spec.ContextSize is { } context) words.AddRange(["--ctx-size", ((long)context * (spec.MaxConcurrency ?? 1)).ToString(CultureInfo.InvariantCulture)]);
        // Without a number of slots the server chooses one, and the context would be shared out among them.
        if (spec.MaxConcurrency is { } slots) Add(words, "--parallel", slots);
        else if (spec.ContextSize is not null) Add(words, "--parallel", 1);
        Add(words, "--n-gpu-layers", gpu is null ? 0 : 999);
        return new EngineStart([.. words, .. spec.Arguments], [], Health(port, listen));
    }

    /// <summary>
    /// https://github.com/ollama/ollama/blob/main/envconfig/config.go. The server answers before it has any model, so its healthcheck
    /// fetches the model where it is missing and loads it by an empty prompt, which a loaded model answers at once.
    /// </summary>
    private static EngineStart Ollama(ModelSpec spec, string listen)
    {
        List<(string, string)> environment = [("OLLAMA_HOST", $"{Bracketed(listen)}:$(PORT)"), ("OLLAMA_KEEP_ALIVE", "-1")];
        if (spec.Path is { } path) environment.Add(("OLLAMA_MODELS", path));
        if (spec.ContextSize is { } context) environment.Add(("OLLAMA_CONTEXT_LENGTH", Number(context)));
        if (spec.MaxConcurrency is { } slots) environment.Add(("OLLAMA_NUM_PARALLEL", Number(slots)));
        IReadOnlyList<string> command = spec.Command ?? ["ollama", "serve"];
        const string ready = """ "$1" show "$2" >/dev/null 2>&1 || "$1" pull "$2" || exit 1; exec "$1" run "$2" "" </dev/null""";
        return new EngineStart(command, environment, new ProbeSpec.Exec(["/bin/sh", "-c", ready.Trim(), "loaded", command[0], spec.Model!]));
    }

    /// <summary>
    /// https://huggingface.co/docs/text-generation-inference/reference/launcher: the router listens when the shards are up. Two servers on
    /// one machine need their own socket path, master port and metrics port.
    /// </summary>
    private static EngineStart Tgi(ModelSpec spec, int port, string listen, GpuRequest? gpu, double? gpuShare)
    {
        var (master, metrics) = (port + MasterAfter, port + MetricsAfter);
        List<string> words =
        [
            .. spec.Command ?? ["text-generation-launcher"], "--model-id", Source(spec), "--hostname", listen, "--port", "$(PORT)",
            "--shard-uds-path", "/tmp/text-generation-server-$(PORT)",
            "--master-port", $"$(STOKER_PORT_{master})", "--prometheus-port", $"$(STOKER_PORT_{metrics})",
        ];
        if (spec.ContextSize is { } context) words.AddRange(["--max-input-tokens", Number(Math.Max(1, context - 1)), "--max-total-tokens", Number(context)]);
        Add(words, "--max-concurrent-requests", spec.MaxConcurrency);
        if (gpu is { Count: > 1 and var count }) Add(words, "--num-shard", count);
        if (gpuShare is { } share) words.AddRange(["--cuda-memory-fraction", Share(share)]);
        return new EngineStart([.. words, .. spec.Arguments], [], Health(port, listen)) { FurtherPorts = [("torch", master), ("prometheus", metrics)] };
    }

    /// <summary>
    /// https://docs.sglang.io/advanced_features/server_arguments.html: <c>/health</c> is 503 until the server has warmed up. <c>sglang
    /// serve</c> is the newer name of <c>python3 -m sglang.launch_server</c>; whether <c>python3</c> is installed would say nothing.
    /// </summary>
    private static EngineStart Sglang(ModelSpec spec, int port, string listen, GpuRequest? gpu, double? gpuShare)
    {
        List<string> words =
        [
            .. spec.Command ?? ["sglang", "serve"], "--model-path", Source(spec), "--served-model-name", spec.Name, "--host", listen, "--port", "$(PORT)", "--enable-metrics",
        ];
        Add(words, "--context-length", spec.ContextSize);
        Add(words, "--max-running-requests", spec.MaxConcurrency);
        if (gpu is { Count: > 1 and var count }) Add(words, "--tp-size", count);
        if (gpuShare is { } share) words.AddRange(["--mem-fraction-static", Share(share)]);
        return new EngineStart([.. words, .. spec.Arguments], [], Health(port, listen));
    }

    private static EngineStart Simulator(ModelSpec spec, int port, string listen) =>
        new([ServiceSpec.OwnProgram, .. SimulatorWords(spec, listen), .. spec.Arguments], [], Health(port, listen));

    private static List<string> SimulatorWords(ModelSpec spec, string listen)
    {
        var names = NamesOf(spec);
        List<string> words = ["simulate", "llm", "--model", names[0]];
        foreach (var name in names.Append(spec.Name).Distinct()) words.AddRange(["--served-model-name", name]);
        words.AddRange(["--host", listen, "--port", "$(PORT)"]);
        if (spec.Engine != EngineKind.Simulator) words.AddRange(["--engine", ModelKeys.Engines[(int)spec.Engine]]);
        Add(words, "--context-length", spec.ContextSize);
        Add(words, "--max-num-seqs", spec.MaxConcurrency);
        return words;
    }

    private static string Source(ModelSpec spec) => spec.Path ?? spec.Model!;

    private static ProbeSpec.Http Health(int port, string listen) => new(new Uri($"http://{Bracketed(ModelPlan.Reachable(listen))}:{port}/health"), 200);

    private static string Bracketed(string address) => address.Contains(':') ? $"[{address}]" : address;

    private static void Add(List<string> words, string flag, int? value)
    {
        if (value is { } number) words.AddRange([flag, Number(number)]);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Share(double share) => share.ToString("0.##", CultureInfo.InvariantCulture);
}
