using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// A dependency on another host can be waited for only where it can be asked: at its host's address, by its <c>http</c> or
/// <c>tcp</c> healthcheck, or else a published TCP port. Whether a task has completed cannot be asked at all.
/// </summary>
internal static class RemoteGates
{
    public static void Check(DependencyGraph graph, IReadOnlyDictionary<ServiceName, IReadOnlyList<DependencyPlan>> dependencies, DiagnosticBag bag)
    {
        var byName = graph.Services.ToDictionary(s => s.Name);
        var refused = new Dictionary<(ServiceName, string), List<PlacedService>>();
        foreach (var service in graph.Services.Where(s => s.IsLocal))
        {
            foreach (var dependency in dependencies[service.Name])
            {
                if (!dependency.Remote || byName[dependency.Service] is not { Host: not null } other) continue;
                if (Problem(other, dependency.Condition) is not { } problem) continue;
                if (!refused.TryGetValue((other.Name, problem), out var dependents)) refused[(other.Name, problem)] = dependents = [];
                dependents.Add(service);
            }
        }

        foreach (var ((name, problem), dependents) in refused)
        {
            var other = byName[name];
            bag.Add(
                PlanDiagnostics.RemoteUnreachable,
                DependencyGraph.Declaration(dependents[0], other).Where,
                $"{Words.List(dependents.Select(d => d.Name))} {(dependents.Count == 1 ? "waits" : "wait")} for `{name}` on host `{other.Host!.Name}`, {problem}",
                Hint(other, problem));
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
