using System.Text;

namespace Stoker.Tests.Architecture;

/// <summary>The parts of the program and the arrows allowed between them, one reason a line. Everything not listed is refused.</summary>
internal static class FloorPlan
{
    public const string Root = "the root";

    /// <summary>From the leaves up. The front door is the file whose comment tells what the part is for, promises and refuses.</summary>
    public static IReadOnlyList<Part> Parts { get; } =
    [
        new("Diagnostics", "Diagnostic.cs", "mistakes and remarks: code, severity, place, message, hint"),
        new("Platform", "ProcessLauncher.cs", "the only doors to the operating system"),
        new("Platform/Loops", "EventLoop.cs", "sockets on epoll, a thread a loop, plain or TLS"),
        new("Http", "HttpModule.cs", "HTTP/1.1 as bytes: heads read and checked, bodies framed"),
        new("Estates", "EstateSpec.cs", "files to positioned nodes to specs"),
        new("Planning", "Planner.cs", "specs and what is observed to a plan; pure"),
        new("Logs", "LogPump.cs", "what services write: caught, kept, read"),
        new("Probes", "ProbesModule.cs", "how health is asked"),
        new("Models/Signals", "EngineSignals.cs", "how loaded an engine is, from what it says of itself"),
        new("Models/Speed", "SpeedProbe.cs", "how fast a replica answers one client"),
        new("Models", "ModelsModule.cs", "served models: to services and to what the gateway routes"),
        new("StandIns", "StandInsModule.cs", "what runs in place of what is not there"),
        new("Models/Simulator", "SimulatorModule.cs", "a model server without a model"),
        new("Runtimes", "IRuntime.cs", "what runs a replica: processes, containers"),
        new("Supervision", "SupervisionModule.cs", "keeps services as the plan wants them"),
        new("Limits", "Limiter.cs", "how much a key may ask of a model: per minute, at once, per day and month"),
        new("Keys", "KeyWatch.cs", "who may ask: keys made, declared, found and revoked"),
        new("Gateway/Ledger", "LedgerWriter.cs", "what every request took, once and for all"),
        new("Daemon/Protocol", "ControlRoutes.cs", "the control socket's documents, and its client"),
        new("Daemon", "DaemonHost.cs", "one per host and estate: serves the control socket, applies plans, adopts"),
        new("Gateway/Routing", "Router.cs", "which replica of a model serves a request, and who waits; pure decisions and small shared state"),
        new("Gateway", "GatewayModule.cs", "the OpenAI-compatible door to the models: a section, a service, a process of its own"),
        new("Cli", "CommandLine.cs", "one file per verb; text or JSON"),
    ];

    public static IReadOnlyList<Arrow> Arrows { get; } =
    [
        new("Platform/Loops", "Platform", "system calls, and errors by their numbers"),
        new("Http", "Platform/Loops", "bytes come from a loop's socket"),
        new("Estates", "Diagnostics", "what is wrong in a file is a diagnostic"),
        new("Estates", "Platform", "estate files and .env come through the file door"),
        new("Planning", "Estates", "a plan is made from specs"),
        new("Planning", "Diagnostics", "a refusal is a diagnostic"),
        new("Logs", "Platform", "pipes, splice and log files are the operating system's"),
        new("Probes", "Estates", "a probe is made from its spec"),
        new("Probes", "Platform", "exec probes start processes; notify sockets are the operating system's"),
        new("Models", "Estates", "a model becomes a service's spec"),
        new("Models", "Diagnostics", "what is wrong with a model is a diagnostic"),
        new("Models", "Planning", "where a model is reached was decided by the plan"),
        new("Models", "Platform", "whether a model's files are here is told by the disk"),
        new("StandIns", "Estates", "a stand-in is made from the spec of what it replaces"),
        new("StandIns", "Platform", "it writes, listens and obeys signals"),
        new("StandIns", "Probes", "it answers the probe that its service declares"),
        new("Models/Simulator", "StandIns", "a text that a schema's pattern matches is made as a log line is"),
        new("Runtimes", "Estates", "how to run is written in the spec"),
        new("Runtimes", "Planning", "which ports, runtime and GPUs was decided by the plan"),
        new("Runtimes", "Platform", "it starts, finds and ends processes"),
        new("Supervision", "Estates", "restart, health and stop policies are written in specs"),
        new("Supervision", "Diagnostics", "what is found while running is told with the file's place"),
        new("Supervision", "Planning", "it carries out plans"),
        new("Supervision", "Logs", "a replica's output is attached before it starts"),
        new("Supervision", "Probes", "health comes from probes"),
        new("Supervision", "Runtimes", "replicas are started and ended by their runtime"),
        new("Supervision", "Platform", "exits, timers, users and the disk"),
        new("Supervision", "StandIns", "a rehearsal gives each stand-in a healthcheck that it can answer"),
        new("Daemon/Protocol", "Supervision", "it carries the documents of status and events, which supervision publishes"),
        new("Keys", "Limits", "a key says what it is limited to"),
        new("Keys", "Estates", "keys are declared in the estate file"),
        new("Keys", "Diagnostics", "what is wrong with a declared key is a diagnostic"),
        new("Keys", "Platform", "keys are kept in SQLite, and declared secrets read from files"),
        new("Gateway/Ledger", "Limits", "budgets begin with what the ledger says was used"),
        new("Gateway/Ledger", "Platform", "the ledger is kept in SQLite"),
        new("Daemon/Protocol", "Daemon", "the state directory says where the socket is"),
        new("Daemon/Protocol", "Diagnostics", "the answer to an apply carries what is wrong"),
        new("Daemon/Protocol", "Platform", "the control socket"),
        new("Daemon", "Daemon/Protocol", "it serves what the protocol says"),
        new("Daemon", "Supervision", "it owns the supervisor"),
        new("Daemon", "Runtimes", "it makes the runtimes that this machine has"),
        new("Daemon", "Planning", "an apply is planned before it is done"),
        new("Daemon", "Estates", "an apply reads the files"),
        new("Daemon", "Diagnostics", "an apply answers with what is wrong"),
        new("Daemon", "Logs", "it owns the log pump and serves log lines"),
        new("Daemon", "Platform", "locks, sockets, signals and the machine's facts"),
        new("Daemon", "Models", "it tells which models the plan has, and how they are"),
        new("Daemon", "Gateway", "at an apply it writes the gateway's plan and puts declared keys where they are kept"),
        new("Daemon", Root, "the literal list of sections is at the root"),
        new("Gateway", "Keys", "whose request it is"),
        new("Gateway", "Limits", "whether the key may ask for so much now"),
        new("Gateway", "Gateway/Ledger", "each request is written down once"),
        new("Gateway", "Gateway/Routing", "which replica answers it"),
        new("Gateway", "Http", "requests are read and answers passed on as HTTP/1.1"),
        new("Gateway", "Platform/Loops", "a request is handled on one loop from its first byte to its last"),
        new("Gateway", "Platform", "files of the state directory, signals, the clock"),
        new("Gateway", "Models", "which models there are, and how each is reached"),
        new("Gateway", "Models/Signals", "how loaded a replica is, from its engine's metrics"),
        new("Gateway", "Estates", "its section is read into a spec, and becomes a service"),
        new("Gateway", "Planning", "ports and hosts of models were decided by the plan"),
        new("Gateway", "Diagnostics", "what is wrong in its section is a diagnostic"),
        new("Gateway", "Supervision", "the document of status tells which replicas serve, load or sleep"),
        new("Gateway", "Daemon", "the state directory says where the daemon's socket is"),
        new("Gateway", "Daemon/Protocol", "it follows the daemon's status, and asks it to load and unload models"),
        new("Cli", Root, "the literal list of sections is at the root"),
        new("Cli", "Models", "`model pull-status` looks at files without a daemon"),
        new("Cli", "Daemon", "`up` may become the daemon; every other verb finds its state directory"),
        new("Cli", "Daemon/Protocol", "verbs talk to the daemon through the client"),
        new("Cli", "Supervision", "status is shown as supervision publishes it"),
        new("Cli", "Estates", "`check`, `config` and `plan` read the files without a daemon"),
        new("Cli", "Planning", "`plan` plans without a daemon"),
        new("Cli", "Diagnostics", "mistakes are printed by the command line"),
        new("Cli", "Keys", "`key` makes and revokes keys where they are kept, so that it works without a daemon"),
        new("Cli", "Gateway", "`key` has a gateway that runs take what it made or revoked"),
        new("Cli", "Limits", "limits and budgets of a key are options and a column"),
        new("Cli", "Gateway/Ledger", "`model usage` reads the ledger, so that it works without a daemon"),
        new("Cli", "Logs", "`logs` reads the files, so that it works without a daemon"),
        new("Cli", "Gateway/Routing", "`model route replay` decides recorded decisions again, without a gateway"),
        new("Cli", "Models/Speed", "`model check` asks replicas itself, as a client would"),
        new("Cli", "Models/Simulator", "`simulate llm` is that server, in this process"),
        new("Cli", "Platform", "terminal, environment and files"),
    ];

    /// <summary>The page of the floor plan.</summary>
    public static string Page()
    {
        var page = new StringBuilder("# The floor plan\n\nThe folders of `src/Stoker`, from the leaves up, and which may refer to which. ");
        page.Append("A test holds the code to this page and\nthe page to its table, `tests/Stoker.Tests/Architecture/FloorPlan.cs`. The root, `Program.cs` and `Modules.cs`, may refer to\neverything, and nothing refers to it but for the list of sections.\n");
        foreach (var part in Parts)
        {
            page.Append($"\n## {part.Name}\n\n{part.Purpose}; front door `{part.FrontDoor}`\n");
            var arrows = Arrows.Where(arrow => arrow.From == part.Name).ToList();
            page.Append(arrows.Count == 0 ? "\nRefers to nothing.\n" : "\n| refers to | because |\n|---|---|\n");
            foreach (var arrow in arrows) page.Append($"| {arrow.To} | {arrow.Reason} |\n");
        }

        return page.ToString();
    }
}

internal sealed record Part(string Name, string FrontDoor, string Purpose);

internal sealed record Arrow(string From, string To, string Reason);
