using Stoker.Daemon.Protocol;
using Stoker.Platform;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>
/// Processor and memory use of replicas, measured when somebody asks and not before. The main process and its children count; a
/// share of a processor needs two questions, at least a quarter of a second apart.
/// </summary>
internal sealed class ReplicaUsage(TimeProvider clock)
{
    private static readonly TimeSpan ShortestSpan = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Dictionary<ProcessId, (TimeSpan Cpu, DateTimeOffset At, double? Percent)> _last = [];

    public IReadOnlyList<ServiceDocument> Measure(IReadOnlyList<ServiceDocument> services)
    {
        var snapshot = ProcessTable.Take();
        lock (_lock)
        {
            var seen = new HashSet<ProcessId>();
            List<ServiceDocument> measured = [.. services.Select(s => s with { Replicas = [.. s.Replicas.Select(r => Measure(r, snapshot, seen))] })];
            foreach (var gone in _last.Keys.Where(id => !seen.Contains(id)).ToList()) _last.Remove(gone);
            return measured;
        }
    }

    private ReplicaDocument Measure(ReplicaDocument replica, ProcessSnapshot snapshot, HashSet<ProcessId> seen)
    {
        if (replica.Pid is not { } pid || snapshot.Find(pid) is not { } main) return replica;
        var cpu = main.CpuTime;
        var memory = (long)main.ResidentBytes;
        foreach (var child in snapshot.Descendants(pid))
        {
            cpu += child.CpuTime;
            memory += (long)child.ResidentBytes;
        }

        var id = new ProcessId(pid, main.StartTicks);
        seen.Add(id);
        return replica with { CpuPercent = Percent(id, cpu), MemoryBytes = memory };
    }

    private double? Percent(ProcessId id, TimeSpan cpu)
    {
        var now = clock.GetUtcNow();
        if (!_last.TryGetValue(id, out var last))
        {
            _last[id] = (cpu, now, null);
            return null;
        }

        if (now - last.At < ShortestSpan) return last.Percent;
        var percent = Math.Round(Math.Max(0, (cpu - last.Cpu) / (now - last.At) * 100), 1);
        _last[id] = (cpu, now, percent);
        return percent;
    }
}
