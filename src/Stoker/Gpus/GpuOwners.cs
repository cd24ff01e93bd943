using Stoker.Platform;

namespace Stoker.Gpus;

internal enum OwnerKind
{
    /// <summary>A process of a replica that runs.</summary>
    Service,

    /// <summary>A process that a replica of this estate left behind, or that nobody supervises any more.</summary>
    Orphan,

    /// <summary>Of another estate of this machine.</summary>
    OtherEstate,

    /// <summary>Nothing of Stoker's.</summary>
    Stranger,
}

/// <summary>Whose a process is.</summary>
/// <param name="Service">Of an orphan, whose it was.</param>
/// <param name="Estate">Of a process of another estate.</param>
internal sealed record GpuOwner(OwnerKind Kind, string? Service, int? Replica, string? Estate)
{
    public static GpuOwner Stranger { get; } = new(OwnerKind.Stranger, null, null, null);

    public string? Name => Service is null ? null : Replica is > 1 ? $"{Service}/{Replica}" : Service;
}

/// <param name="Pid">Of its main process.</param>
internal sealed record ReplicaProcess(string Service, int Replica, int Pid);

/// <summary>
/// Finds whose a process on a GPU is: a replica's whose main process is among its ancestors, or whose mark is in its environment, which children inherit and containers have too.
/// An environment is read once for each process.
/// </summary>
internal sealed class GpuOwners(string estate)
{
    private const int DeepestTree = 64;

    private readonly Dictionary<(int Pid, ulong Start), Marks> _marks = [];

    public IReadOnlyDictionary<int, GpuOwner> Find(IEnumerable<int> pids, IReadOnlyList<ReplicaProcess> replicas)
    {
        var mains = new Dictionary<int, ReplicaProcess>();
        foreach (var replica in replicas) mains[replica.Pid] = replica;
        var found = new Dictionary<int, GpuOwner>();
        var seen = new HashSet<(int, ulong)>();
        foreach (var pid in pids)
        {
            if (!found.ContainsKey(pid)) found[pid] = OwnerOf(pid, mains, replicas, seen);
        }

        foreach (var gone in _marks.Keys.Where(k => !seen.Contains(k)).ToList()) _marks.Remove(gone);
        return found;
    }

    private GpuOwner OwnerOf(int pid, Dictionary<int, ReplicaProcess> mains, IReadOnlyList<ReplicaProcess> replicas, HashSet<(int, ulong)> seen)
    {
        if (ProcessTable.Find(pid) is not { } process) return GpuOwner.Stranger;
        var ancestor = process;
        for (var depth = 0; depth < DeepestTree; depth++)
        {
            if (mains.TryGetValue(ancestor.Pid, out var main)) return new GpuOwner(OwnerKind.Service, main.Service, main.Replica, null);
            if (ancestor.ParentPid <= 1 || ProcessTable.Find(ancestor.ParentPid) is not { } parent) break;
            ancestor = parent;
        }

        var marks = MarksOf(process, seen);
        if (marks.Service is null) return GpuOwner.Stranger;
        if (marks.Estate != estate) return new GpuOwner(OwnerKind.OtherEstate, marks.Service, marks.Replica, marks.Estate);
        // Not below the main process any more, as containers never are: it is the replica's if it came from the same run.
        var own = replicas.FirstOrDefault(r => r.Service == marks.Service && r.Replica == (marks.Replica ?? 1));
        var isOfThisRun = own is not null && ProcessTable.Find(own.Pid) is { } leader && MarksOf(leader, seen).Run == marks.Run;
        return new GpuOwner(isOfThisRun ? OwnerKind.Service : OwnerKind.Orphan, marks.Service, marks.Replica ?? 1, null);
    }

    private Marks MarksOf(ProcessEntry process, HashSet<(int, ulong)> seen)
    {
        var key = (process.Pid, process.StartTicks);
        seen.Add(key);
        if (_marks.TryGetValue(key, out var marks)) return marks;
        return _marks[key] = new Marks(
            ProcessTable.EnvironmentVariable(process.Pid, "STOKER_ESTATE"), ProcessTable.EnvironmentVariable(process.Pid, "STOKER_SERVICE"),
            int.TryParse(ProcessTable.EnvironmentVariable(process.Pid, "STOKER_REPLICA"), out var replica) ? replica : null,
            ProcessTable.EnvironmentVariable(process.Pid, ProcessTree.MarkerVariable));
    }

    private sealed record Marks(string? Estate, string? Service, int? Replica, string? Run);
}
