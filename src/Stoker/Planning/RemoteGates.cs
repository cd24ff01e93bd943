using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// A dependency on another host can be waited for only where it can be asked: at its host's address, by its <c>http</c> or
/// <c>tcp</c> healthcheck, or else a published TCP port. Whether a task has completed cannot be asked at all.
/// </summary>
internal static class RemoteGates
{
    public static void Check(DependencyGraph graph, DiagnosticBag bag)
    {
        if (graph.Services.All(s => s.IsLocal)) return;
        var refused = new Dictionary<(ServiceName Dependency, string Problem), SortedSet<ServiceName>>();
        foreach (var (dependent, dependency, condition) in Crossings(graph))
        {
            if (Problem(dependency, condition) is not { } problem) continue;
            if (!refused.TryGetValue((dependency.Name, problem), out var waiting)) refused[(dependency.Name, problem)] = waiting = [];
            waiting.Add(dependent.Name);
        }

        foreach (var ((name, problem), waiting) in refused)
        {
            var dependency = graph.Services[graph.IndexOf(name)];
            var first = graph.Services[graph.IndexOf(waiting.Min!)];
            bag.Add(
                PlanDiagnostics.RemoteUnreachable,
                DependencyGraph.Declaration(first, dependency).Where,
                $"{Words.List(waiting)} {(waiting.Count == 1 ? "waits" : "wait")} for `{name}` on host `{dependency.Host!.Name}`, {problem}",
                Hint(dependency, problem));
        }
    }

    /// <summary>Local services and what they wait for elsewhere: their own dependencies, and their groups'.</summary>
    private static IEnumerable<(PlacedService, PlacedService, DependencyCondition)> Crossings(DependencyGraph graph)
    {
        foreach (var service in graph.Services.Where(s => s.IsLocal))
        {
            foreach (var own in service.Spec.DependsOn.Values)
            {
                if (graph.Find(own.Service) is { IsLocal: false, Host: not null } other) yield return (service, other, own.Condition);
            }
        }

        var elsewhere = graph.Services.Where(s => s is { IsLocal: false, Host: not null, Group: not null }).ToLookup(s => s.Group!.Name);
        foreach (var service in graph.Services.Where(s => s is { IsLocal: true, Group: not null }))
        {
            foreach (var other in service.Group!.DependsOn.SelectMany(g => elsewhere[g.Value])) yield return (service, other, other.Readiness);
        }
    }

    private const string NoAddress = "which has no address";
    private const string NoQuestion = "which has neither an http or tcp healthcheck nor a published TCP port to ask at";
    private const string NoCompletion = "and whether a task on another host has completed cannot be asked";

    private static string? Problem(PlacedService dependency, DependencyCondition condition) =>
        condition == DependencyCondition.CompletedSuccessfully ? NoCompletion
        : dependency.Host!.Address is null ? NoAddress
        : CanBeAsked(dependency.Spec) ? null
        : NoQuestion;

    private static bool CanBeAsked(ServiceSpec spec) =>
        spec.Healthcheck?.Probe is ProbeSpec.Http or ProbeSpec.Tcp
        || spec.Ports.Any(p => p.Protocol == "tcp" && (p.Published is not null || !spec.IsContainer));

    private static string Hint(PlacedService dependency, string problem) => problem switch
    {
        NoAddress => $"add `address:` to `hosts.{dependency.Host!.Name}`",
        NoQuestion => $"give `{dependency.Name}` a healthcheck such as `{{tcp: 6379}}`, or publish the port it listens on",
        _ => $"run the task on host `{dependency.Host!.Name}` too, or wait for a service that starts after it",
    };
}
