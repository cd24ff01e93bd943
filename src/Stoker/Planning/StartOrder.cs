using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// Waves and the critical path. A service of another host is a gate but not a wave: it takes no place, and what it waits for
/// here still comes before what waits for it.
/// </summary>
internal static class StartOrder
{
    /// <summary>Dependencies first, then by name; services of cycles last.</summary>
    public static IEnumerable<int> Sequence(DependencyGraph graph)
    {
        var heights = graph.Heights(_ => 1);
        return Enumerable.Range(0, graph.Services.Count).OrderBy(i => heights[i] ?? int.MaxValue).ThenBy(i => i);
    }

    public static IReadOnlyList<IReadOnlyList<ServiceName>> Waves(DependencyGraph graph)
    {
        var heights = graph.Heights(s => s.IsLocal ? 1 : 0);
        var waves = new List<List<ServiceName>>();
        for (var i = 0; i < graph.Services.Count; i++)
        {
            // A wave is a height, of which the lowest is 1 and none is left out.
            if (!graph.Services[i].IsLocal || heights[i] is not { } height) continue;
            while (waves.Count < height) waves.Add([]);
            waves[height - 1].Add(graph.Services[i].Name);
        }

        return waves;
    }

    /// <summary>
    /// The chain that ends last: by the times that starts took here, and where none are known by the number of steps; equal
    /// chains by name. Who waits only for a start does not wait for the time that its dependency takes to be well.
    /// </summary>
    public static IReadOnlyList<CriticalStep> CriticalPath(DependencyGraph graph, IReadOnlyDictionary<ServiceName, TimeSpan> startTimes)
    {
        var begins = new Chain[graph.NodeCount];
        var last = -1;
        foreach (var node in graph.Order)
        {
            begins[node] = Begin(graph, node, begins, startTimes);
            if (!graph.IsService(node) || !graph.Services[node].IsLocal) continue;
            if (last < 0 || End(node).CompareTo(End(last)) is var order && (order > 0 || (order == 0 && node < last))) last = node;
        }

        return last < 0 ? [] : Steps(graph, begins, last, startTimes);

        Chain End(int node) => begins[node].Then(Took(graph, node, startTimes), node);
    }

    private static Chain Begin(DependencyGraph graph, int node, Chain[] begins, IReadOnlyDictionary<ServiceName, TimeSpan> startTimes)
    {
        var longest = new Chain(TimeSpan.Zero, 0, -1);
        foreach (var target in graph.WaitsFor(node))
        {
            var chain = !graph.IsService(target) ? begins[target] with { From = target }
                : graph.Condition(node, target) == DependencyCondition.Started ? begins[target].Then(TimeSpan.Zero, target)
                : begins[target].Then(Took(graph, target, startTimes), target);
            if (chain.CompareTo(longest) > 0) longest = chain;
        }

        return longest;
    }

    private static List<CriticalStep> Steps(
        DependencyGraph graph, Chain[] begins, int last, IReadOnlyDictionary<ServiceName, TimeSpan> startTimes)
    {
        var steps = new List<CriticalStep>();
        var condition = graph.Services[last].Readiness;
        for (var node = last; node >= 0;)
        {
            if (graph.IsService(node))
            {
                var name = graph.Services[node].Name;
                steps.Add(new CriticalStep(name, condition, startTimes.TryGetValue(name, out var took) ? took : null));
            }

            var from = begins[node].From;
            if (from >= 0 && graph.IsService(from)) condition = graph.Condition(node, from);
            node = from;
        }

        steps.Reverse();
        return steps;
    }

    private static TimeSpan Took(DependencyGraph graph, int node, IReadOnlyDictionary<ServiceName, TimeSpan> startTimes) =>
        startTimes.TryGetValue(graph.Services[node].Name, out var took) ? took : TimeSpan.Zero;

    /// <param name="From">The node before, or -1.</param>
    private readonly record struct Chain(TimeSpan Time, int Steps, int From) : IComparable<Chain>
    {
        public Chain Then(TimeSpan took, int node) => new(Time + took, Steps + 1, node);

        public int CompareTo(Chain other) => Time != other.Time ? Time.CompareTo(other.Time) : Steps.CompareTo(other.Steps);
    }
}
