using System.Globalization;
using System.Text;
using System.Text.Json;
using Stoker.Daemon.Protocol;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>
/// The life of a daemon, in order; the end is the same in reverse.
/// <code>
/// lock → state directory → journal → control groups → log pump → adoption → control socket → [apply …] → end
/// </code>
/// </summary>
internal static class DaemonHost
{
    private const int Done = 0, NotAsItShouldBe = 1, Refused = 4;

    /// <param name="stop">The first time: everything stops in order; the process ends when it has.</param>
    public static async Task<int> RunAsync(DaemonOptions options, CancellationToken stop)
    {
        // Beside the rest, because it takes as long as all of that.
        var reading = options.First is { } wish ? Task.Run(() => EstateWork.Load(wish)) : null;
        Files.CreateDirectory(options.State.Path);
        using var held = FileLock.TryTake(options.State.DaemonLock, $"pid {HostEnvironment.ProcessId}", out var holder);
        if (held is null)
        {
            options.Report($"another daemon runs this estate: {holder} (state directory {options.State.Path})");
            return Refused;
        }

        ProcessLauncher.BecomeSubreaper();
        var clock = new SteadyClock();
        var journal = Journal.Open(options.State.Journal, TimeProvider.System);
        var places = MakePlaces(options.State);
        var cgroups = Cgroups.Open(GroupName(options));
        using var pump = new LogPump(TimeProvider.System, e => ReportLogTrouble(journal, e));
        var scanner = new TreeScanner();
        var doors = new SupervisionDoors(options.Estate, clock, places, new ServiceBoard(clock), journal)
        {
            Pump = pump,
            Records = new ReplicaRecords(places.Replicas),
            Processes = new ProcessRuntime(scanner),
            Containers = new ContainerRuntime(scanner, clock),
            Cgroups = (cgroups as CgroupSupport.Available)?.Tree,
            ProgramPath = HostEnvironment.ExecutablePath,
        };
        var adopted = await AdoptedEstate.FindAsync(doors);
        using var daemon = new RunningDaemon(options, doors, new Supervisor(doors, (post, context) => new ServiceHands(doors, post, context)), cgroups, adopted);
        var found = adopted.Running.Count > 0 ? $" and finds {adopted.Running.Count} services running" : "";
        journal.Write("daemon_started", $"daemon {HostEnvironment.ProcessId} (version {ProgramVersion.Text}) started{found}");
        return await ServeAsync(daemon, reading, stop);
    }

    private static async Task<int> ServeAsync(RunningDaemon daemon, Task<EstateWork.Loaded>? reading, CancellationToken stop)
    {
        // Who finds the socket open finds the services of the wish.
        daemon.First = FirstApplyAsync(daemon, reading is null ? null : await reading);
        await using var server = ControlServer.Start(daemon);
        WriteDaemonDocument(daemon);
        using var asked = stop.Register(() => _ = daemon.DownAsync("the daemon was asked to end"));
        using var signals = DaemonSignals.Listen(daemon);
        if (await daemon.First is { Accepted: false } && !daemon.Options.Resume) return NotAsItShouldBe;

        var end = await daemon.Ending.Task;
        await daemon.Supervisor.LetGoAsync();
        daemon.Doors.Journal.Write("daemon_ended", end switch
        {
            DaemonEnd.Finished => "the daemon ends; nothing runs any more",
            DaemonEnd.LetGo => "the daemon ends; its services go on",
            DaemonEnd.Replaced replaced => $"the daemon hands over to {replaced.Executable}",
            _ => throw new InvalidOperationException($"unknown end {end.GetType().Name}"),
        });
        Files.Delete(daemon.Options.State.DaemonDocument);
        if (end is DaemonEnd.Finished) TidyUp(daemon);
        if (end is not DaemonEnd.Replaced { Executable: var executable }) return Done;
        await server.DisposeAsync();
        return Replacement.Execute(executable, daemon.Options);
    }

    /// <summary>Nothing runs any more, so nothing is left in memory either; journal, logs and volumes stay.</summary>
    private static void TidyUp(RunningDaemon daemon)
    {
        daemon.Doors.Cgroups?.TryRemove();
        daemon.Doors.Pump.Dispose();
        Files.DeleteTree(daemon.Doors.Places.Pipes);
        Files.DeleteTree(daemon.Doors.Places.Notify);
        Files.DeleteTree(daemon.Doors.Places.Mps);
        Files.DeleteTree(daemon.Doors.Places.Secrets);
    }

    /// <summary>What the caller asked for with the start of the daemon, or what the daemon before this one was doing.</summary>
    private static async Task<ApplyResponse?> FirstApplyAsync(RunningDaemon daemon, EstateWork.Loaded? read)
    {
        var request = daemon.Options.First ?? (daemon.Options.Resume ? AppliedRequest.Read(daemon.Options.State) : null);
        if (request is null) return null;
        // Naming services leaves the others as they are: those that still run are taken up first.
        if (request.Names.Count > 0 && !daemon.Options.Resume && daemon.HasFound && AppliedRequest.Read(daemon.Options.State) is { } before) await daemon.ApplyAsync(before, resume: true, quiet: true);
        // None where the daemon was asked to end before it had begun.
        var response = await daemon.ApplyAsync(request, resume: daemon.Options.Resume, quiet: true, read: read);
        if (response is not null) daemon.Options.FirstApplied(response);
        return response;
    }

    /// <summary>
    /// Pipes and sockets live in memory where the machine has such a place: output that has not been stored yet never touches a
    /// disk, a full or hung disk does not hold the pipes, and the paths are short enough for socket addresses.
    /// </summary>
    private static SupervisionPlaces MakePlaces(StateDirectory state)
    {
        var volatilePlace = VolatilePlace(state);
        var places = new SupervisionPlaces(
            state.Replicas, Path.Combine(volatilePlace, "pipes"), state.Logs, Path.Combine(volatilePlace, "notify"), $"/tmp/stoker-{HostEnvironment.UserId}-{Hash(state.Path)}", state.Secrets)
        {
            Mps = HostEnvironment.IsRoot && Files.DirectoryExists("/run") ? $"/run/stoker-mps-{Hash(state.Path)}" : Path.Combine(volatilePlace, "mps"),
        };
        foreach (var directory in (ReadOnlySpan<string>)[places.Replicas, places.Pipes, places.Logs, places.Notify, places.Secrets]) Files.CreateDirectory(directory);
        return places;
    }

    private static string VolatilePlace(StateDirectory state)
    {
        var home = HostEnvironment.IsRoot ? "/run" : HostEnvironment.Variable("XDG_RUNTIME_DIR");
        return home is { Length: > 0 } && Files.DirectoryExists(home) ? Path.Combine(home, $"stoker-{Hash(state.Path)}") : state.Path;
    }

    /// <summary>Two estates of one name in two state directories are two estates.</summary>
    private static string GroupName(DaemonOptions options) => $"{options.Estate}-{Hash(options.State.Path)}";

    private static string Hash(string text) => ((uint)Fnv.Of(Encoding.UTF8.GetBytes(text))).ToString("x8", CultureInfo.InvariantCulture);

    private static void WriteDaemonDocument(RunningDaemon daemon) => Files.Replace(
        daemon.Options.State.DaemonDocument, StartDocuments.Write(DaemonEndpoints.Document(daemon)));

    private static void ReportLogTrouble(Journal journal, LogPumpEvent e)
    {
        var (kind, text) = e switch
        {
            LogPumpEvent.StorageFailed failed => ("log_storage_failed", $"the log of {e.Service}.{e.Replica} cannot be written ({failed.Message}); its output waits, and nothing is lost"),
            LogPumpEvent.StorageRecovered => ("log_storage_recovered", $"the log of {e.Service}.{e.Replica} is written again"),
            LogPumpEvent.ObserverFailed observer => ("log_observer_failed", $"a reader of the log of {e.Service}.{e.Replica} failed: {observer.Fault.Message}"),
            LogPumpEvent.Faulted fault => ("log_fault", $"the log of {e.Service}.{e.Replica} met a fault: {fault.Fault.Message}"),
            _ => throw new InvalidOperationException($"unknown log event {e.GetType().Name}"),
        };
        journal.Write(new Estates.ServiceName(e.Service), e.Replica, kind, null, text, null);
    }
}
