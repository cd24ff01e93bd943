using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// What the owner asked for that cannot be enforced on this machine: said for each service, and warned of once for each kind.
/// Containers are left out, because their tool enforces or refuses by itself; so are stand-ins.
/// </summary>
internal static class Enforcement
{
    public static IReadOnlyDictionary<ServiceName, IReadOnlyList<string>> Check(IEnumerable<PlacedService> processes, Observed observed, DiagnosticBag bag)
    {
        var gaps = processes.OrderBy(s => s.Name).SelectMany(s => Gaps(s.Spec, observed)).ToList();
        foreach (var kind in gaps.GroupBy(g => g.Code).OrderBy(k => k.Key.Id, StringComparer.Ordinal))
        {
            var services = kind.Select(g => g.Service).Distinct().ToList();
            var first = kind.OrderBy(g => g.Where.Line).ThenBy(g => g.Where.Column).First();
            bag.Add(kind.Key, first.Where, $"{Subject(kind.Key)} of {Words.List(services)} {Verb(kind.Key)} here: {first.Because}", Remedy(kind.Key));
        }

        return gaps.GroupBy(g => g.Service).ToDictionary(g => g.Key, g => (IReadOnlyList<string>)[.. g.Select(x => $"{x.What}: {x.Because}")]);
    }

    private static IEnumerable<Gap> Gaps(ServiceSpec spec, Observed observed)
    {
        var resources = spec.Resources;
        if (resources.CpuLimit is { } cpus && Cgroup("cpu", observed) is { } noCpu)
            yield return new Gap(spec.Name, PlanDiagnostics.LimitsNotEnforced, $"limit of {Words.Count(cpus, "processor")}", noCpu, resources.Where);
        if (resources.MemoryLimit is { } memory && Cgroup("memory", observed) is { } noMemory)
            yield return new Gap(spec.Name, PlanDiagnostics.LimitsNotEnforced, $"limit of {memory} of memory", noMemory, resources.Where);
        if (resources.PidsLimit is { } pids && Cgroup("pids", observed) is { } noPids)
            yield return new Gap(spec.Name, PlanDiagnostics.LimitsNotEnforced, $"limit of {pids} processes", noPids, resources.Where);
        if (!observed.IsRoot)
        {
            if (spec.User is { } user)
                yield return new Gap(spec.Name, PlanDiagnostics.UserNotChanged, $"user {user.Value}", "only root may change the user", user.Where);
            if (spec.Nice is < 0 and var nice)
                yield return new Gap(spec.Name, PlanDiagnostics.NiceNotLowered, $"nice {nice}", "only root may set a negative nice", spec.Where);
        }

        foreach (var limit in observed.MayRaiseHardLimits ?? observed.IsRoot ? [] : spec.Ulimits)
        {
            if (Raises(limit, observed, out var because))
                yield return new Gap(spec.Name, PlanDiagnostics.UlimitNotRaised, $"ulimit {limit.Name} {Amount(limit.Hard)}", because, limit.Where);
        }
    }

    private static string? Cgroup(string controller, Observed observed) => observed.CgroupControllers.Contains(controller)
        ? null
        : observed.CgroupProblem ?? $"the cgroup controller `{controller}` is not given to this daemon";

    private static bool Raises(UlimitSpec limit, Observed observed, out string because)
    {
        var known = observed.HardLimits.TryGetValue(limit.Name, out var now);
        because = known
            ? $"the daemon's own hard limit is {Amount(now)}, and only root may raise it"
            : "only root may raise a hard limit above the daemon's own";
        return !known || (now >= 0 && (limit.Hard < 0 || limit.Hard > now));
    }

    private static string Amount(long limit) => limit < 0 ? "unlimited" : limit.ToString();

    private static string Subject(DiagnosticCode code) =>
        code == PlanDiagnostics.LimitsNotEnforced ? "the limits"
        : code == PlanDiagnostics.UserNotChanged ? "`user`"
        : code == PlanDiagnostics.NiceNotLowered ? "`nice`"
        : "the ulimits";

    private static string Verb(DiagnosticCode code) =>
        code == PlanDiagnostics.LimitsNotEnforced ? "are not enforced" : code == PlanDiagnostics.UlimitNotRaised ? "may not be reached" : "is not applied";

    private static string Remedy(DiagnosticCode code) => code == PlanDiagnostics.LimitsNotEnforced
        ? "run the daemon where it may write to cgroup v2: as root, or as a systemd service with `Delegate=yes`"
        : "run the daemon as root, or take the setting out";

    private sealed record Gap(ServiceName Service, DiagnosticCode Code, string What, string Because, SourcePosition Where);
}
