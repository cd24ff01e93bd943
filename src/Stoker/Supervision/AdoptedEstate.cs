using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>What an earlier daemon left behind, sorted: what is alive, what had ended, and what nobody declares any more.</summary>
internal sealed class AdoptedEstate
{
    private readonly ILookup<ServiceName, ReplicaRecord> _alive;
    private readonly ILookup<ServiceName, ReplicaRecord> _ended;

    private AdoptedEstate(IReadOnlyList<ReplicaRecord> alive, IReadOnlyList<ReplicaRecord> ended)
    {
        _alive = alive.ToLookup(r => new ServiceName(r.Service));
        _ended = ended.ToLookup(r => new ServiceName(r.Service));
        Running = [.. alive.Select(r => new ServiceName(r.Service)).Distinct()];
    }

    public static AdoptedEstate Nothing { get; } = new([], []);

    /// <summary>Services of which some process is alive.</summary>
    public IReadOnlyList<ServiceName> Running { get; }

    public IEnumerable<ReplicaRecord> Alive(ServiceName name) => _alive[name];

    /// <summary>By replica, how it had ended, and when; null: not known.</summary>
    public IReadOnlyDictionary<int, (ServiceState State, DateTimeOffset? Since)> Ended(ServiceName name) => ByReplica(_ended[name]);

    /// <summary>The same, of tasks that are done as they are declared now: what was done by another declaration is still to be done.</summary>
    public IReadOnlyDictionary<int, (ServiceState State, DateTimeOffset? Since)> Done(ServicePlan plan) =>
        ByReplica(_ended[plan.Name].Where(r => r.Ended == ServiceState.Completed && r.Fingerprint == plan.Fingerprint));

    private static Dictionary<int, (ServiceState State, DateTimeOffset? Since)> ByReplica(IEnumerable<ReplicaRecord> ended) => ended.ToDictionary(r => r.Replica, r => (r.Ended!.Value, r.Since));

    /// <summary>As the planner wants to know it.</summary>
    public IReadOnlyDictionary<ServiceName, ObservedService> Observed() =>
        _alive.ToDictionary(g => g.Key, g => new ObservedService(g.First().Fingerprint, g.Count(), IsUp: true));

    /// <summary>Reads the records, finds the processes, and ends what is left of runs whose main process is gone.</summary>
    public static async Task<AdoptedEstate> FindAsync(SupervisionDoors doors)
    {
        var (records, cgroups, journal) = (doors.Records, doors.Cgroups, doors.Journal);
        var alive = new List<ReplicaRecord>();
        var ended = new List<ReplicaRecord>();
        var marks = new Lazy<RunMarks>(() => new RunMarks(ProcessTable.Take()));
        foreach (var record in records.ReadAll(HostEnvironment.BootId))
        {
            if (record.Ended is not null) ended.Add(record);
            else if (Locate(record, marks) is { } found) alive.Add(found);
            else
            {
                var killed = await EndRemainsAsync(record, cgroups, marks);
                records.Drop(record.Service, record.Replica);
                journal.Write(new ServiceName(record.Service), record.Replica, "ended_unseen", null,
                    $"{record.Service} ended while no daemon was watching{(killed > 0 ? $"; {killed} processes it left behind were ended" : "")}", null);
            }
        }

        return new AdoptedEstate(alive, ended);
    }

    /// <summary>Ends a run of a service that the file no longer has: its stop signal, ten seconds, then SIGKILL.</summary>
    public async Task EndUndeclaredAsync(IReadOnlySet<ServiceName> declared, SupervisionDoors doors)
    {
        foreach (var record in _alive.Where(g => !declared.Contains(g.Key)).SelectMany(g => g))
        {
            if (ChildProcess.Adopt(record.Pid, record.StartTicks) is not { } process) continue;
            var run = new RunHandle(record.RunId, process, record.SessionId) { Cgroup = doors.Cgroups?.Find($"{record.Service}.{record.Replica}", record.Pid), Container = record.Handle() };
            var runtime = record.Container is null ? doors.Processes : doors.Containers;
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await runtime.SweepAsync(run, record.StopSignal, grace.Token);
            await runtime.SweepAsync(run, Signals.Kill, CancellationToken.None);
            doors.Records.Drop(record.Service, record.Replica);
            doors.Journal.Write(new ServiceName(record.Service), record.Replica, "stopped", ServiceState.Stopped, $"{record.Service} is stopped: it is no longer in the file", null);
        }
    }

    /// <summary>A record without a pid was written just before a start: if the start happened, the run's mark leads to its process.</summary>
    private static ReplicaRecord? Locate(ReplicaRecord record, Lazy<RunMarks> marks)
    {
        if (record.Pid == 0)
        {
            return marks.Value.LeaderOf(record.RunId) is { } leader
                ? record with { Pid = leader.Pid, StartTicks = leader.StartTicks, SessionId = leader.SessionId }
                : null;
        }

        return ProcessTable.Find(record.Pid) is { IsZombie: false } entry && entry.StartTicks == record.StartTicks ? record : null;
    }

    /// <summary>A container may live on without its client; what prepared its start may be left too.</summary>
    private static async Task<int> EndContainerAsync(ContainerHandle container, string runId, Lazy<RunMarks> marks)
    {
        var remains = marks.Value.Marked(runId);
        ProcessTree.Kill(remains, Signals.Kill);
        try
        {
            return remains.Count + (await ContainerClient.RemoveAsync(container, runId) ? 1 : 0);
        }
        catch (IOException)
        {
            // The tool is gone or out of order. The next start of the service clears the name, and says so where it cannot.
            return remains.Count;
        }
    }

    private static async Task<int> EndRemainsAsync(ReplicaRecord record, CgroupTree? cgroups, Lazy<RunMarks> marks)
    {
        if (record.RunId.Length == 0) return 0;
        if (record.Handle() is { } container) return await EndContainerAsync(container, record.RunId, marks);
        if (cgroups?.Create($"{record.Service}.{record.Replica}") is { IsPopulated: true } group)
        {
            var count = group.Members().Count;
            group.Kill();
            return count;
        }

        var remains = marks.Value.Marked(record.RunId);
        ProcessTree.Kill(remains, Signals.Kill);
        foreach (var remain in remains)
        {
            if (ChildProcess.Adopt(remain.Pid, remain.StartTicks) is not { } process) continue;
            await process.Exit;
            process.Dispose();
        }

        return remains.Count;
    }
}
