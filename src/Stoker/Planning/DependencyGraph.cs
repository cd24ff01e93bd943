using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// Who waits for whom. Nodes 0…n-1 are the services by name. Each group adds two more, so that a group of 500 services that
/// depends on one of 500 costs a thousand edges and not a quarter of a million:
/// <code>
/// vision ─┐                                  ┌─ redis
/// speech ─┴─▶ needs(vision_gpu) ─▶ all(infra_core) ─┴─▶ postgres
/// </code>
/// An edge points from the one that waits to the one waited for.
/// </summary>
internal sealed class DependencyGraph
{
    private readonly EstateSpec _estate;
    private readonly int[][] _edges;
    private readonly Dictionary<ServiceName, int> _index;
    private readonly List<GroupName> _groups;

    public DependencyGraph(EstateSpec estate, IReadOnlyList<PlacedService> services)
    {
        _estate = estate;
        Services = services;
        _index = new Dictionary<ServiceName, int>(services.Count);
        foreach (var service in services) _index.Add(service.Name, _index.Count);
        _groups = [.. estate.Groups.Keys.OrderBy(g => g.Value, StringComparer.Ordinal)];
        _edges = new int[services.Count + (2 * _groups.Count)][];
        Connect();
        Order = TopologicalOrder();
    }

    public IReadOnlyList<PlacedService> Services { get; }

    public int NodeCount => _edges.Length;

    /// <summary>All nodes, dependencies first. Shorter than <see cref="NodeCount"/> when there are cycles.</summary>
    public IReadOnlyList<int> Order { get; }

    public bool HasCycles => Order.Count < NodeCount;

    public int IndexOf(ServiceName service) => _index[service];

    public PlacedService? Find(ServiceName service) => _index.TryGetValue(service, out var index) ? Services[index] : null;

    public bool IsService(int node) => node < Services.Count;

    public ReadOnlySpan<int> WaitsFor(int node) => _edges[node];

    /// <summary>What <paramref name="node"/> waits for in <paramref name="target"/>, a service that an edge leads to.</summary>
    public DependencyCondition Condition(int node, int target) =>
        IsService(node) ? Services[node].Spec.DependsOn[Services[target].Name].Condition : Services[target].Readiness;

    /// <summary>The owner wrote this edge; the others only say who is in a group.</summary>
    public bool IsDeclared(int from, int to) => IsService(from) ? IsService(to) : !IsService(to);

    /// <summary>Where the owner wrote that <paramref name="from"/> waits for <paramref name="to"/>, and through which groups.</summary>
    public static (SourcePosition Where, string? Through) Declaration(PlacedService from, PlacedService to)
    {
        if (from.Spec.DependsOn.TryGetValue(to.Name, out var own)) return (own.Where, null);
        var entry = from.Group!.DependsOn.First(g => g.Value == to.Group!.Name);
        return (entry.Where, Through(from.Group.Name, entry.Value));
    }

    public static string Through(GroupName group, GroupName dependency) => $"group `{group}` depends on `{dependency}`";

    /// <summary>
    /// Length of the longest chain that ends at each node, its own weight included; null for nodes in a cycle or behind one.
    /// </summary>
    public int?[] Heights(Func<PlacedService, int> weight)
    {
        var heights = new int?[NodeCount];
        foreach (var node in Order)
        {
            var highest = 0;
            foreach (var target in _edges[node]) highest = Math.Max(highest, heights[target]!.Value);
            heights[node] = highest + (IsService(node) ? weight(Services[node]) : 0);
        }

        return heights;
    }

    private void Connect()
    {
        var members = Services.Where(s => s.Group is not null).ToLookup(s => s.Group!.Name);
        var groupIndex = new Dictionary<GroupName, int>(_groups.Count);
        foreach (var group in _groups) groupIndex.Add(group, groupIndex.Count);
        for (var i = 0; i < Services.Count; i++)
        {
            var own = Services[i].Spec.DependsOn.Keys.Where(_index.ContainsKey).Select(n => _index[n]).Order();
            _edges[i] = Services[i].Group is { DependsOn.Count: > 0 } group ? [.. own, Needs(groupIndex[group.Name])] : [.. own];
        }

        for (var g = 0; g < _groups.Count; g++)
        {
            _edges[All(g)] = [.. members[_groups[g]].Select(s => _index[s.Name])];
            _edges[Needs(g)] =
            [
                .. _estate.Groups[_groups[g]].DependsOn
                    .Where(d => groupIndex.ContainsKey(d.Value))
                    .Select(d => All(groupIndex[d.Value]))
                    .Distinct()
                    .Order(),
            ];
        }
    }

    private int Needs(int group) => Services.Count + (2 * group);

    private int All(int group) => Services.Count + (2 * group) + 1;

    private List<int> TopologicalOrder()
    {
        var waiting = _edges.Select(e => e.Length).ToArray();
        var dependents = new List<int>[NodeCount];
        for (var node = 0; node < NodeCount; node++) dependents[node] = [];
        for (var node = 0; node < NodeCount; node++)
        {
            foreach (var target in _edges[node]) dependents[target].Add(node);
        }

        var order = new List<int>(NodeCount);
        for (var node = 0; node < NodeCount; node++)
        {
            if (waiting[node] == 0) order.Add(node);
        }

        for (var next = 0; next < order.Count; next++)
        {
            foreach (var dependent in dependents[order[next]])
            {
                if (--waiting[dependent] == 0) order.Add(dependent);
            }
        }

        return order;
    }
}
