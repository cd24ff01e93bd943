using System.Text;
using System.Text.Json;
using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Supervision;

namespace Stoker.Tests.Cli;

/// <summary>Daemons for transcripts, by name.</summary>
internal static class Scenes
{
    public static async Task<FakeDaemon> StartAsync(FakeWorld world, string scene)
    {
        var daemon = await FakeDaemon.StartAsync(world.State, scene == "empty" ? Sample.Estate() : Sample.AiSystem);
        Answer(daemon, "GET /v1/daemon", new DaemonDocument(
            700, "0.1.0", "ai-system", "mainpc", Sample.Ago(7200), "unix:/srv/lab/state/control.sock", "/srv/lab/state", true, ["/srv/lab/stoker.yaml"]), ControlJson.Readable.DaemonDocument);
        Answer(daemon, "GET /v1/services/vision/why", new WhyDocument("vision", ServiceState.Waiting,
        [
            new WhyLink("vision has been waiting for 12 s for redis", "vision", Sample.Ago(12)),
            new WhyLink("redis is in backoff (4th try in 2 s)", "redis", Sample.Ago(3)),
            new WhyLink("it exited with 1 at 11:59:57: `bind: address already in use`", "redis", Sample.Ago(3)),
            new WhyLink("port 6379 is held by pid 812, nginx", "redis", null),
        ]), ControlJson.Readable.WhyDocument);
        Answer(daemon, "POST /v1/services/speech/probe", new ProbeDocument("speech",
        [
            new ProbeAnswer(1, "healthy", "GET http://127.0.0.1:7310/health answered 200 OK", 1.42, "http"),
            new ProbeAnswer(2, "timed_out", "no answer within 2 s", 2000.3, "http"),
        ]), ControlJson.Readable.ProbeDocument);
        Answer(daemon, "GET /v1/models", Models, ControlJson.Readable.ModelsDocument);
        Answer(daemon, "GET /v1/gpus", GpuSample.Gpus, Stoker.Gpus.GpuJson.Readable.GpusDocument);
        Answer(daemon, "GET /v1/gpus/ledger", GpuSample.Ledger, Stoker.Gpus.GpuJson.Readable.LedgerDocument);
        Answer(daemon, "POST /v1/gpus/simulate", new AcceptedDocument(true), ControlJson.Readable.AcceptedDocument);
        Answer(daemon, "POST /v1/services/speech/start", new AcceptedDocument(true), ControlJson.Readable.AcceptedDocument);
        daemon.Answers["GET /v1/events"] = (200, string.Concat(Events.Select(e => Encoding.UTF8.GetString(JournalLine.Write(e)))));
        daemon.Answers["POST /v1/services/kafka/reload"] = (409, """{"error":{"code":"refused","message":"`kafka` does not say how it reloads","hint":"declare `reload:` with a signal or a command"}}""");
        Answer(daemon, "POST /v1/services/redis/restart", new AcceptedDocument(true), ControlJson.Readable.AcceptedDocument);
        daemon.Answers["GET /v1/services/visoin/why"] =
            (404, """{"error":{"code":"unknown_service","message":"there is no service `visoin` on this host","hint":"did you mean `vision`?"}}""");
        daemon.OnAsked = asked => Play(daemon, asked);
        return daemon;
    }

    /// <summary>One of each: here, stood in for, on request, elsewhere.</summary>
    private static ModelsDocument Models { get; } = new("ai-system",
    [
        new("speech", "org/whisper-large", "vllm", "loaded")
        {
            Aliases = ["whisper", "stt"], Loaded = 2, Replicas = 2, ContextSize = 448, InFlight = 5, Waiting = 1,
            Servers =
            [
                new(1, "http://127.0.0.1:7310/v1", true) { InFlight = 3, Mode = "serving", Health = "well" },
                new(2, "http://127.0.0.1:7311/v1", true) { InFlight = 2, Mode = "serving", Health = "well" },
            ],
            Gpus = ["GPU 0 (NVIDIA GeForce RTX 4090)"],
        },
        new("phi", "phi", "llamacpp", "loading") { Replicas = 1, Servers = [new(1, "http://127.0.0.1:8340/v1", false)], InFlight = 0, Waiting = 12, ContextSize = 4096, StandIn = "`llama-server` is not installed; `stoker simulate llm` answers in its place" },
        new("large", "large", "vllm", "unloaded") { Replicas = 1, Servers = [new(1, "http://127.0.0.1:8600/v1", false)], InFlight = 0, Waiting = 0, Load = "on_request", Reason = "starts on request" },
        new("far", "gpt-x", "openai", "elsewhere") { Replicas = 1, Servers = [new(1, "http://10.0.0.9:8000/v1", null)], InFlight = 0, Waiting = 0, UpstreamName = "gpt-x", Floor = 10 },
    ]);

    private static IReadOnlyList<EstateEvent> Events { get; } =
    [
        new(111, Sample.Ago(15), new ServiceName("redis"), 1, "exited", ServiceState.Backoff, "redis exited with 1: `bind: address already in use`", null),
        new(112, Sample.Ago(15), new ServiceName("redis"), 1, "restart_scheduled", ServiceState.Backoff, "redis is started again in 2 s", 111),
        new(113, Sample.Ago(12), new ServiceName("vision"), null, "waits", ServiceState.Waiting, "vision waits for redis", null),
        new(114, Sample.Ago(3), null, null, "applied", null, "stoker.yaml is applied: 5 services, 1 of them a stand-in", null),
    ];

    /// <summary>What follows from a request, in snapshots.</summary>
    private static void Play(FakeDaemon daemon, string asked)
    {
        if (asked == "POST /v1/services/redis/restart")
        {
            daemon.Become(With(daemon.Status, "redis", s => s with { State = ServiceState.Healthy, Reason = null, Restarts = 0 }));
        }
    }

    private static StatusDocument With(StatusDocument status, string name, Func<ServiceDocument, ServiceDocument> change) =>
        status with { Services = [.. status.Services.Select(s => s.Name == name ? change(s) : s)] };

    private static void Answer<T>(FakeDaemon daemon, string asked, T document, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        daemon.Answers[asked] = (200, JsonSerializer.Serialize(document, type));
}
