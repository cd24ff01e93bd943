using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>What <c>up</c> would do to what is running now, and why.</summary>
internal static class Changes
{
    /// <summary>The reason of what is neither running nor asked for by name.</summary>
    public const string OnRequest = "starts on request";

    /// <param name="plans">All services in start order.</param>
    /// <param name="asIf">The fingerprint that a service would have if it ran by another runtime, to tell why it changed.</param>
    public static IReadOnlyList<ServiceChange> From(
        EstateSpec estate, PlanRequest request, IReadOnlyList<ServicePlan> plans, IReadOnlySet<ServiceName> active, Observed observed,
        Func<ServicePlan, RuntimeKind, string> asIf)
    {
        var changes = new List<ServiceChange>();
        var restarted = new HashSet<ServiceName>();
        foreach (var plan in plans.Where(p => p.IsLocal))
        {
            var change = plan.Spec.StartsOnRequest && !request.Names.Contains(plan.Name) && observed.Running.GetValueOrDefault(plan.Name) is null or { IsUp: false }
                ? new ServiceChange(plan.Name, ChangeKind.Keep, OnRequest)
                : Of(plan, observed, asIf);
            var because = plan.Spec.DependsOn.Values.Where(d => d.Restart && restarted.Contains(d.Service)).MinBy(d => d.Service);
            if (change.Kind is ChangeKind.Keep or ChangeKind.Scale && because is not null)
                change = new ServiceChange(plan.Name, ChangeKind.Restart, $"`{because.Service}` restarts, and `restart: true` says to follow it");
            if (change.Kind == ChangeKind.Restart) restarted.Add(plan.Name);
            changes.Add(change);
        }

        // Naming services leaves the others as they are.
        if (request.Names.Count > 0) return changes;
        var planned = plans.Where(p => p.IsLocal).Select(p => p.Name).ToHashSet();
        changes.AddRange(observed.Running.Keys
            .Where(n => !planned.Contains(n))
            .Order()
            .Select(n => new ServiceChange(n, ChangeKind.Stop, WhyStop(estate, n, active))));
        return changes;
    }

    private static ServiceChange Of(ServicePlan plan, Observed observed, Func<ServicePlan, RuntimeKind, string> asIf)
    {
        if (!observed.Running.TryGetValue(plan.Name, out var running)) return new ServiceChange(plan.Name, ChangeKind.Start, "is not running");
        if (!running.IsUp) return new ServiceChange(plan.Name, ChangeKind.Start, "is down");
        if (running.Fingerprint != plan.Fingerprint) return new ServiceChange(plan.Name, ChangeKind.Restart, WhyRestart(plan, running, asIf));
        return running.Replicas == plan.Replicas.Count
            ? new ServiceChange(plan.Name, ChangeKind.Keep, "unchanged")
            : new ServiceChange(plan.Name, ChangeKind.Scale, $"from {running.Replicas} to {Words.Count(plan.Replicas.Count, "replica")}");
    }

    private static string WhyRestart(ServicePlan plan, ObservedService running, Func<ServicePlan, RuntimeKind, string> asIf)
    {
        var real = plan.Spec.IsContainer ? RuntimeKind.Container : RuntimeKind.Process;
        if (plan.Runtime == RuntimeKind.StandIn && asIf(plan, real) == running.Fingerprint) return "a stand-in takes its place";
        if (plan.Runtime != RuntimeKind.StandIn && asIf(plan, RuntimeKind.StandIn) == running.Fingerprint)
            return "the real thing takes the stand-in's place";
        return running.Gpus.Count > 0 && plan.Gpus.Count > 0 && !running.Gpus.SequenceEqual(plan.Gpus)
            ? $"moves from {Words.Plain(running.Gpus)} to {Words.Plain(plan.Gpus)}"
            : "its declaration changed";
    }

    private static string WhyStop(EstateSpec estate, ServiceName name, IReadOnlySet<ServiceName> active) =>
        !estate.Services.TryGetValue(name, out var spec) ? "no longer in the file"
        : !active.Contains(name) ? ServiceSelection.Inactive(spec)
        : "it runs on another host now";
}
