using Stoker.Diagnostics;

namespace Stoker.Planning;

/// <summary>
/// Finds what waits for itself. Of every knot of services (a strongly connected component) the shortest cycle through its
/// first service is reported; then its edges are taken out and the rest is searched again, so that cycles that share only
/// services are all found, and none twice.
/// </summary>
internal static class Cycles
{
    /// <summary>A file with more knots than this was not written by hand; the first ones say enough.</summary>
    private const int Most = 16;

    public static void Report(DependencyGraph graph, DiagnosticBag bag)
    {
        var cycles = Find(graph);
        foreach (var cycle in cycles)
        {
            var services = cycle.Select(i => graph.Services[i]).ToList();
            var steps = services.Select((from, i) => (from, to: services[(i + 1) % services.Count])).ToList();
            var places = steps.Select(s => (s.from, s.to, declared: DependencyGraph.Declaration(s.from, s.to))).ToList();
            bag.Add(
                PlanDiagnostics.Cycle,
                places[0].declared.Where,
                services.Count == 1
                    ? $"service `{services[0].Name}` waits for itself{(places[0].declared.Through is { } group ? $": {group}" : "")}"
                    : $"services wait for each other: {string.Join(" → ", services.Append(services[0]).Select(s => s.Name))}",
                "take one of these out: " + Words.Plain(places.Select(p =>
                    $"{p.from.Name} → {p.to.Name} ({(p.declared.Through is { } through ? $"{through}, " : "")}{p.declared.Where})")));
        }
    }

    /// <summary>Each cycle as the services on it in order; the last one waits for the first.</summary>
    public static IReadOnlyList<IReadOnlyList<int>> Find(DependencyGraph graph)
    {
        var found = new List<IReadOnlyList<int>>();
        if (!graph.HasCycles) return found;
        var removed = new HashSet<(int From, int To)>();
        while (found.Count < Most)
        {
            var knots = Knots(graph, removed);
            if (knots.Count == 0) break;
            foreach (var knot in knots.Take(Most - found.Count))
            {
                var path = Shortest(graph, knot, removed);
                found.Add([.. path.Where(graph.IsService)]);
                for (var i = 0; i < path.Count; i++)
                {
                    var edge = (path[i], path[(i + 1) % path.Count]);
                    if (graph.IsDeclared(edge.Item1, edge.Item2)) removed.Add(edge);
                }
            }
        }

        return found;
    }

    /// <summary>Breadth first over services; the group nodes between two services cost nothing.</summary>
    private static List<int> Shortest(DependencyGraph graph, HashSet<int> knot, HashSet<(int, int)> removed)
    {
        var first = knot.Min();
        var cameFrom = new Dictionary<int, int>();
        var open = new LinkedList<int>([first]);
        while (open.First is { } head)
        {
            open.RemoveFirst();
            var node = head.Value;
            foreach (var target in graph.WaitsFor(node))
            {
                if (!knot.Contains(target) || removed.Contains((node, target)) || !cameFrom.TryAdd(target, node)) continue;
                if (target == first) return Walk(cameFrom, first);
                if (graph.IsService(target)) open.AddLast(target);
                else open.AddFirst(target);
            }
        }

        throw new InvalidOperationException("a strongly connected component without a cycle through one of its nodes");
    }

    private static List<int> Walk(Dictionary<int, int> cameFrom, int first)
    {
        var path = new List<int>();
        for (var node = cameFrom[first]; node != first; node = cameFrom[node]) path.Add(node);
        path.Add(first);
        path.Reverse();
        return path;
    }

    /// <summary>Tarjan's components with more than one node or an edge to themselves, without recursion, by first service.</summary>
    private static List<HashSet<int>> Knots(DependencyGraph graph, HashSet<(int, int)> removed)
    {
        var search = new Search(graph, removed);
        for (var node = 0; node < graph.NodeCount; node++) search.From(node);
        search.Found.Sort((a, b) => a.Min().CompareTo(b.Min()));
        return search.Found;
    }

    private sealed class Search(DependencyGraph graph, HashSet<(int, int)> removed)
    {
        private readonly int[] _number = new int[graph.NodeCount];
        private readonly int[] _low = new int[graph.NodeCount];
        private readonly bool[] _onStack = new bool[graph.NodeCount];
        private readonly Stack<int> _stack = new();
        private readonly Stack<(int Node, int Edge)> _calls = new();
        private int _next;

        public List<HashSet<int>> Found { get; } = [];

        public void From(int root)
        {
            if (_number[root] != 0) return;
            Enter(root);
            while (_calls.TryPop(out var call))
            {
                var edges = graph.WaitsFor(call.Node);
                if (call.Edge == edges.Length)
                {
                    Leave(call.Node);
                    continue;
                }

                _calls.Push((call.Node, call.Edge + 1));
                var target = edges[call.Edge];
                if (removed.Contains((call.Node, target))) continue;
                if (_number[target] == 0) Enter(target);
                else if (_onStack[target]) _low[call.Node] = Math.Min(_low[call.Node], _number[target]);
            }
        }

        private void Enter(int node)
        {
            _number[node] = _low[node] = ++_next;
            _stack.Push(node);
            _onStack[node] = true;
            _calls.Push((node, 0));
        }

        private void Leave(int node)
        {
            if (_calls.TryPeek(out var caller)) _low[caller.Node] = Math.Min(_low[caller.Node], _low[node]);
            if (_low[node] != _number[node]) return;
            var component = new HashSet<int>();
            int member;
            do
            {
                member = _stack.Pop();
                _onStack[member] = false;
                component.Add(member);
            }
            while (member != node);

            var waitsForItself = graph.WaitsFor(node).Contains(node) && !removed.Contains((node, node));
            if (component.Count > 1 || waitsForItself) Found.Add(component);
        }
    }
}
