using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>An active service with the group and host it belongs to.</summary>
/// <param name="Host">Null where no hosts are declared, or none could be found for it.</param>
/// <param name="IsLocal">It runs on this machine.</param>
/// <param name="Replicas">As declared, or as scaled by hand since.</param>
internal sealed record PlacedService(ServiceSpec Spec, GroupSpec? Group, HostSpec? Host, bool IsLocal, int Replicas)
{
    public ServiceName Name => Spec.Name;

    /// <summary>It says itself when it is well, so that dependents may wait for that.</summary>
    public bool HasHealthcheck => Spec.Healthcheck is { Probe: not (ProbeSpec.None or ProbeSpec.Image) };

    /// <summary>Whether it does is for its image to say, which is not known before the service runs.</summary>
    public bool MayHaveHealthcheck => Spec.Healthcheck is { Probe: ProbeSpec.Image };

    /// <summary>What a group's dependents wait for, and what counts as up.</summary>
    public DependencyCondition Readiness => HasHealthcheck ? DependencyCondition.Healthy : DependencyCondition.Started;
}

/// <summary>
/// Finds each service's host: its own, else its group's, else the only one. A reference that leads nowhere is a diagnostic,
/// and the service is planned as if it ran elsewhere.
/// </summary>
internal sealed class Placement(EstateSpec estate, PlanRequest request, HostChoice here, DiagnosticBag bag)
{
    private readonly HostSpec? _only = estate.Hosts.Count == 1 ? estate.Hosts.Values.First() : null;

    public PlacedService Place(ServiceSpec spec)
    {
        var group = GroupOf(spec);
        var replicas = Math.Max(0, request.Scale.TryGetValue(spec.Name, out var scaled) ? scaled : spec.Replicas);
        if (estate.Hosts.Count == 0) return new PlacedService(spec, group, null, here.Takes(null), replicas);
        var host = HostOf(spec, group);
        return new PlacedService(spec, group, host, host is not null && here.Takes(host), replicas);
    }

    private GroupSpec? GroupOf(ServiceSpec spec)
    {
        if (spec.Group is not { } named) return null;
        if (estate.Groups.TryGetValue(named.Value, out var group)) return group;
        bag.Add(
            PlanDiagnostics.UnknownReference,
            named.Where,
            $"service `{spec.Name}` is in unknown group `{named.Value}`",
            Suggestion.For(named.Value.Value, estate.Groups.Keys.Select(g => g.Value)));
        return null;
    }

    private HostSpec? HostOf(ServiceSpec spec, GroupSpec? group)
    {
        var (name, where) = spec.Host is { } own ? (own.Value, own.Where)
            : group?.Host is { } groups ? (groups, group.Where)
            : (_only?.Name, spec.Where);
        if (name is not { } host)
        {
            bag.Add(
                PlanDiagnostics.ServiceWithoutHost,
                spec.Where,
                $"service `{spec.Name}` names no host, and the estate has several: {Words.List(HostNames())}",
                group is null
                    ? $"add `host: {HostNames().First()}` to it, or put it in a group that has one"
                    : $"add `host: {HostNames().First()}` to it or to its group `{group.Name}`");
            return null;
        }

        if (estate.Hosts.TryGetValue(host, out var found)) return found;
        bag.Add(
            PlanDiagnostics.UnknownReference,
            where,
            $"service `{spec.Name}` runs on unknown host `{host}`",
            Suggestion.For(host.Value, HostNames()));
        return null;
    }

    private IEnumerable<string> HostNames() => estate.Hosts.Keys.Select(h => h.Value).Order(StringComparer.Ordinal);
}
