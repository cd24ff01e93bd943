using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Supervision;
using GpuDocument = Stoker.Gpus.GpuDocument;

namespace Stoker.Daemon;

/// <summary>
/// Ends what uses GPU memory that it did not declare, where the file says so (<c>gpu: {on_overuse: end}</c>): a run that takes more than its budget, and processes that an earlier run of the
/// service left behind. Only what was so in several looks: memory that comes and goes while a program loads is not overuse.
/// </summary>
internal sealed class GpuOveruse(SupervisionDoors doors, Supervisor supervisor)
{
    private const int Looks = 3;

    private readonly Dictionary<(string Gpu, string What), int> _seen = [];

    /// <param name="budgetsOf">Of a card, by the plan.</param>
    public void Meet(GpusDocument gpus, EstatePlan plan, Func<GpuDocument, IReadOnlyList<LedgerBudget>> budgetsOf)
    {
        var now = new HashSet<(string, string)>();
        foreach (var gpu in gpus.Gpus)
        {
            if (gpu.Now is not { Lost: null }) continue;
            var name = $"GPU {gpu.Index} ({gpu.Name})";
            foreach (var budget in budgetsOf(gpu))
            {
                if (!IsEnded(budget.Owner, plan) || budget.Memory is not { } declared) continue;
                List<GpuClientDocument> own = [.. gpu.Clients.Where(c => c.Owner == "service" && GpuLedger.IsCovered(budget, c))];
                var used = own.Sum(c => c.Memory ?? 0);
                if (used <= declared || !IsLasting(now, (name, budget.Owner))) continue;
                // Of a group the one that has the most.
                var most = own.GroupBy(c => (c.Service, c.Replica)).MaxBy(g => g.Sum(c => c.Memory ?? 0))!.Key;
                supervisor.End(new ServiceName(most.Service!), most.Replica, $"{budget.Owner} uses {new ByteSize(used)} of {name} and declared {new ByteSize(declared)} (on_overuse: end)");
                _seen.Remove((name, budget.Owner));
            }

            foreach (var orphan in gpu.Clients.Where(c => c.Owner == "orphan" && IsEnded(c.Service!, plan)))
            {
                if (IsLasting(now, (name, $"{orphan.Pid}"))) End(orphan, name);
            }
        }

        foreach (var gone in _seen.Keys.Where(k => !now.Contains(k)).ToList()) _seen.Remove(gone);
    }

    private bool IsLasting(HashSet<(string, string)> now, (string, string) what)
    {
        now.Add(what);
        return (_seen[what] = _seen.GetValueOrDefault(what) + 1) >= Looks;
    }

    /// <summary>By its pid and the time of its start, so that no other process is meant that has its pid by now.</summary>
    private void End(GpuClientDocument orphan, string gpu)
    {
        var memory = orphan.Memory is { } bytes ? $" with {new ByteSize(bytes)}" : "";
        var what = $"pid {orphan.Pid}, {orphan.Command ?? "not visible here"}, left behind by {orphan.Service} on {gpu}{memory}";
        var ended = ProcessTable.Find(orphan.Pid) is { } entry && ProcessTree.Kill([new ProcessId(orphan.Pid, entry.StartTicks)], Signals.Kill) > 0;
        doors.Journal.Write(new ServiceName(orphan.Service!), orphan.Replica, "gpu_orphan", null, ended ? $"{what}, is ended (on_overuse: end)" : $"{what}, could not be ended", null);
    }

    private static bool IsEnded(string owner, EstatePlan plan)
    {
        const string group = "group ";
        if (owner.StartsWith(group, StringComparison.Ordinal)) return plan.Estate.Groups.TryGetValue(new GroupName(owner[group.Length..]), out var spec) && spec.Gpu?.EndsOveruse == true;
        if (!plan.Estate.Services.TryGetValue(new ServiceName(owner.Split('/')[0]), out var service)) return false;
        return service.Resources.Gpus.Any(g => g.EndsOveruse) || (service.Group is { } own && plan.Estate.Groups.TryGetValue(own.Value, out var its) && its.Gpu?.EndsOveruse == true);
    }
}
