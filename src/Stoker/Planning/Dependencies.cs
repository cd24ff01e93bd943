using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// The gates of each service: its own <c>depends_on</c> and what its group brings, each service once with the strictest
/// condition. What a group brings is worked out once and shared by its services.
/// </summary>
internal sealed class Dependencies(EstateSpec estate, IReadOnlyList<PlacedService> services)
{
    private static readonly Comparer<DependencyPlan> ByService = Comparer<DependencyPlan>.Create((a, b) => a.Service.CompareTo(b.Service));

    private readonly Dictionary<ServiceName, PlacedService> _byName = services.ToDictionary(s => s.Name);
    private readonly ILookup<GroupName, PlacedService> _byGroup = services.Where(s => s.Group is not null).ToLookup(s => s.Group!.Name);
    private readonly Dictionary<(GroupName, bool, HostName?), DependencyPlan[]> _brought = [];

    public IReadOnlyList<DependencyPlan> Of(PlacedService service)
    {
        var brought = service.Group is { DependsOn.Count: > 0 } group ? Brought(group, service) : [];
        if (service.Spec.DependsOn.Count == 0) return brought;

        var own = service.Spec.DependsOn.Values
            .Where(d => _byName.ContainsKey(d.Service))
            .Select(d => new DependencyPlan(d.Service, d.Condition, d.Restart, d.Required, IsRemote(service, _byName[d.Service]), "depends_on"))
            .OrderBy(d => d.Service)
            .ToArray();
        if (brought.Length == 0 || own.Length == 0) return own.Length == 0 ? brought : own;
        return Merge(own, brought);
    }

    /// <summary>
    /// Both are sorted by service. A group may bring hundreds to each of hundreds of services, so that what it brings is copied
    /// in stretches between the few that the service names too.
    /// </summary>
    private static DependencyPlan[] Merge(DependencyPlan[] own, DependencyPlan[] brought)
    {
        var merged = new DependencyPlan[own.Length + brought.Length];
        var length = own.Length;
        var copied = 0;
        for (var i = 0; i < own.Length; i++)
        {
            merged[i] = own[i];
            var twin = Array.BinarySearch(brought, copied, brought.Length - copied, own[i], ByService);
            if (twin < 0) continue;
            merged[i] = Strictest(own[i], brought[twin]);
            Array.Copy(brought, copied, merged, length, twin - copied);
            length += twin - copied;
            copied = twin + 1;
        }

        Array.Copy(brought, copied, merged, length, brought.Length - copied);
        Array.Resize(ref merged, length + brought.Length - copied);
        return merged;
    }

    private DependencyPlan[] Brought(GroupSpec group, PlacedService dependent)
    {
        var key = (group.Name, dependent.IsLocal, dependent.Host?.Name);
        if (_brought.TryGetValue(key, out var known)) return known;
        var plans = group.DependsOn
            .DistinctBy(d => d.Value)
            .Where(d => estate.Groups.ContainsKey(d.Value))
            .SelectMany(d => _byGroup[d.Value].Select(s => new DependencyPlan(
                s.Name, s.MayHaveHealthcheck ? DependencyCondition.Healthy : s.Readiness, Restart: false, Required: true, IsRemote(dependent, s), DependencyGraph.Through(group.Name, d.Value))
            {
                OrRunning = s.MayHaveHealthcheck,
            }))
            .OrderBy(d => d.Service)
            .ToArray();
        return _brought[key] = plans;
    }

    private static DependencyPlan Strictest(DependencyPlan own, DependencyPlan other) => own with
    {
        Condition = own.Condition >= other.Condition ? own.Condition : other.Condition,
        Restart = own.Restart || other.Restart,
        Required = own.Required || other.Required,
        Why = own.Condition >= other.Condition ? own.Why : other.Why,
        OrRunning = own.Condition < other.Condition && other.OrRunning,
    };

    private static bool IsRemote(PlacedService dependent, PlacedService dependency) => dependent.IsLocal
        ? !dependency.IsLocal
        : dependency.IsLocal || dependent.Host?.Name != dependency.Host?.Name;
}
