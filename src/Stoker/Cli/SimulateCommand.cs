using System.CommandLine;
using System.Net;
using Stoker.Models.Simulator;
using Stoker.Platform;

namespace Stoker.Cli;

internal static class SimulateCommand
{
    public static Verb Create() => new Verb("simulate", "run something in place of what is expensive: a model server without a model")
    {
        Example = "stoker simulate llm --model phi-3-mini --port 8001",
        ExitCodes = [ExitCode.NotAsItShouldBe],
    }.With(new SimulateLlm().Verb);
}

/// <summary>`stoker simulate llm`: its words, and how they are read.</summary>
internal sealed class SimulateLlm
{
    private readonly Option<string?> _model = Parameters.Text("--model", "NAME", "what clients call the model");
    private readonly Option<string[]> _served = Parameters.Texts("--served-model-name", "NAME", "called so instead; several are allowed, the first is in answers and metrics");
    private readonly Option<string?> _port = Parameters.Count("--port", "where it listens (default 8000; 0: any that is free)");
    private readonly Option<string?> _host = Parameters.Text("--host", "ADDRESS", "on which address (default 127.0.0.1)");
    private readonly Option<string?> _label = Parameters.Text("--label", "TEXT", "the header x-simulated-by of every answer (default: address and port)");
    private readonly Option<string?> _ttft = Latency("--ttft", "from admission to the first token: 50ms, 50ms±10ms, normal(50ms,10ms), lognormal(50ms,0.5) (default 50ms)");
    private readonly Option<string?> _itl = Latency("--itl", "between two tokens, in the same words (default 10ms)");
    private readonly Option<string?> _prefill = Parameters.Duration("--prefill-per-token", "added to the first for each token of the prompt that is not cached (default 0)");
    private readonly Option<string?> _running = Parameters.Count("--max-num-seqs", "requests that run together (default 8)");
    private readonly Option<string?> _waiting = Parameters.Count("--max-waiting", "requests that wait; one more is refused with 503 (default 1000)");
    private readonly Option<string?> _context = Parameters.Count("--context-length", "tokens of prompt and answer (default 32768)", "--max-model-len", "--ctx-size");
    private readonly Option<string?> _mode = Parameters.OneOf("--mode", "what is said: sentences decided by seed and prompt, or the last message again (default seeded)", "seeded", "echo");
    private readonly Option<string?> _seed = Parameters.Count("--seed", "of everything that chance decides (default 1)");
    private readonly Option<string?> _load = Parameters.Duration("--load-time", "until the model is loaded; /health says 503 before (default 0)");
    private readonly Option<string?> _wake = Parameters.Duration("--wake-time", "until a model that slept is awake (default 0)");
    private readonly Option<string?> _blocks = Parameters.Count("--kv-blocks", "blocks of the KV cache (default 8192)", "--num-gpu-blocks-override");
    private readonly Option<string?> _blockSize = Parameters.Count("--block-size", "tokens in a block (default 16)");
    private readonly Option<bool> _noCache = Parameters.Flag("--no-enable-prefix-caching", "no block is used for a second prompt");
    private readonly Option<bool> _reasons = Parameters.Flag("--reasoning", "every chat tells what it thought, not only where the request asks for effort");
    private readonly Option<string?> _dimensions = Parameters.Count("--dimensions", "numbers in an embedding (default 384)");
    private readonly Option<string?> _keyFile = Parameters.Text("--api-key-file", "FILE", "keys that open /v1, one a line (default: open to all)");
    private readonly Option<string?> _engine = Parameters.OneOf("--engine", "whose metrics, errors and side paths (default vllm)", "vllm", "llamacpp", "sglang", "tgi", "ollama");
    private readonly Option<string?> _kept = Parameters.Count("--keep-requests", "how many requests GET /admin/requests remembers (default 1000)");
    private readonly Option<string?> _grace = Parameters.Duration("--grace", "for running requests after SIGTERM (default 30s)");

    /// <summary>Words of a vLLM command line that mean nothing here; they are taken so that a model's own command line can be carried over.</summary>
    private static readonly string[] IgnoredFlags =
    [
        "--trust-remote-code", "--enforce-eager", "--enable-prefix-caching", "--enable-chunked-prefill", "--no-enable-chunked-prefill", "--enable-auto-tool-choice",
        "--disable-log-requests", "--disable-log-stats", "--enable-lora", "--enable-sleep-mode", "--disable-custom-all-reduce", "--enable-expert-parallel",
        "--async-scheduling", "--enable-reasoning", "--enable-server-load-tracking", "--jinja",
    ];

    private static readonly string[] IgnoredOptions =
    [
        "--tensor-parallel-size", "--pipeline-parallel-size", "--data-parallel-size", "--gpu-memory-utilization", "--dtype", "--quantization", "--kv-cache-dtype",
        "--max-num-batched-tokens", "--swap-space", "--cpu-offload-gb", "--tokenizer", "--tokenizer-mode", "--revision", "--download-dir", "--load-format",
        "--chat-template", "--tool-call-parser", "--reasoning-parser", "--uvicorn-log-level", "--root-path", "--generation-config", "--limit-mm-per-prompt",
        "--guided-decoding-backend", "--scheduling-policy", "--task", "--runner", "--device", "--hf-overrides", "--compilation-config", "--speculative-config",
        "--max-loras", "--max-lora-rank", "--attention-backend", "--distributed-executor-backend", "--n-gpu-layers", "--threads", "--batch-size",
    ];

    public SimulateLlm()
    {
        Verb = new Verb("llm", "a model server without a model: OpenAI's paths, exact time, tokens and faults")
        {
            Example = "stoker simulate llm --model phi-3-mini --port 8001 --ttft 200ms±50ms --itl 20ms",
            ExitCodes = [ExitCode.NotAsItShouldBe],
            Remarks =
            [
                "Listens until SIGINT or SIGTERM, then finishes what runs. Faults are set by `POST /admin/faults` or by the header `X-Simulate` of one request; "
                + "`GET /admin/requests` tells what became of each. docs/simulator.md has them all.",
                "Options of vLLM that mean nothing without a GPU are taken and left alone, so that a model's own command line can be carried over.",
            ],
        }.With(
            _model, _served, _port, _host, _label, _ttft, _itl, _prefill, _running, _waiting, _context, _mode, _seed, _load, _wake, _blocks, _blockSize, _noCache, _reasons,
            _dimensions, _keyFile, _engine, _kept, _grace).Does(RunAsync);
        foreach (var name in IgnoredFlags) Verb.Options.Add(new Option<bool>(name) { Hidden = true });
        foreach (var name in IgnoredOptions) Verb.Options.Add(new Option<string?>(name) { Hidden = true });
    }

    public Verb Verb { get; }

    private static Option<string?> Latency(string name, string description)
    {
        var option = Parameters.Text(name, "TIME", description);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [.., { Value: var text }] && LatencySpec.Parse(text, Durations.Parse) is null)
                result.AddError($"`{name} {text}`: not a time like 50ms, 50ms±10ms, normal(50ms,10ms) or lognormal(50ms,0.5)");
        });
        return option;
    }

    private async Task<ExitCode> RunAsync(Invocation run)
    {
        if (Read(run, out var problem) is not { } options)
        {
            run.Report.Error(problem, "stoker simulate llm --help");
            return ExitCode.Usage;
        }

        using var interrupts = run.World.Interrupts();
        return await ServeAsync(run, options, interrupts);
    }

    private async Task<ExitCode> ServeAsync(Invocation run, SimulatorOptions options, IInterrupts interrupts)
    {
        await using var server = SimulatedServer.Start(options, new SteadyClock());
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = interrupts.First.Register(asked.SetResult);
        run.Report.Say($"{options.Model}: simulated, listening on http://{server.Address}");
        await asked.Task;
        await server.StopAsync(run.Duration(_grace) ?? TimeSpan.FromSeconds(30), interrupts.Second);
        return ExitCode.Done;
    }

    /// <returns>Null when a word is wrong, which <paramref name="problem"/> tells.</returns>
    private SimulatorOptions? Read(Invocation run, out string problem)
    {
        problem = "";
        var names = run.Get(_served) is { Length: > 0 } given ? given : run.Get(_model) is { } one ? [one] : [];
        if (names.Length == 0) problem = "`--model NAME` is missing";
        else if (!IPAddress.TryParse(run.Get(_host) ?? "127.0.0.1", out var address)) problem = $"`--host {run.Get(_host)}`: not an address";
        else if ((run.Count(_port) ?? 8000) > 65535) problem = $"`--port {run.Count(_port)}`: at most 65535";
        else if (run.Count(_running) == 0 || run.Count(_context) == 0 || run.Count(_blocks) == 0 || run.Count(_blockSize) == 0 || run.Count(_dimensions) == 0)
            problem = "`--max-num-seqs`, `--context-length`, `--kv-blocks`, `--block-size` and `--dimensions` are at least 1";
        else return With(run, new SimulatorOptions(names) { Listen = new IPEndPoint(address, run.Count(_port) ?? 8000) });
        return null;
    }

    private SimulatorOptions With(Invocation run, SimulatorOptions with) => with with
    {
        Label = run.Get(_label),
        Ttft = run.Get(_ttft) is { } first ? LatencySpec.Parse(first, Durations.Parse)!.Value : with.Ttft,
        Itl = run.Get(_itl) is { } between ? LatencySpec.Parse(between, Durations.Parse)!.Value : with.Itl,
        PrefillPerToken = run.Duration(_prefill) ?? TimeSpan.Zero,
        MaxRunning = run.Count(_running) ?? with.MaxRunning,
        MaxWaiting = run.Count(_waiting) ?? with.MaxWaiting,
        ContextLength = run.Count(_context) ?? with.ContextLength,
        Mode = run.Get(_mode) == "echo" ? AnswerMode.Echo : AnswerMode.Seeded,
        Seed = run.Count(_seed) ?? with.Seed,
        LoadTime = run.Duration(_load) ?? TimeSpan.Zero,
        WakeTime = run.Duration(_wake) ?? TimeSpan.Zero,
        Blocks = run.Count(_blocks) ?? with.Blocks,
        BlockSize = run.Count(_blockSize) ?? with.BlockSize,
        CachesPrefixes = !run.Get(_noCache),
        Reasons = run.Get(_reasons),
        Dimensions = run.Count(_dimensions) ?? with.Dimensions,
        Keys = run.Get(_keyFile) is { } file ? Keys(file) : [],
        Engine = run.Get(_engine) switch
        {
            "llamacpp" => EngineKind.LlamaCpp,
            "sglang" => EngineKind.Sglang,
            "tgi" => EngineKind.Tgi,
            "ollama" => EngineKind.Ollama,
            _ => EngineKind.Vllm,
        },
        RequestsKept = run.Count(_kept) ?? with.RequestsKept,
    };

    private static string[] Keys(string file) =>
        [.. Files.ReadAllText(file).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('#'))];
}
