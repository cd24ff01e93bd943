using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Supervision;

/// <summary>What a dependency lets its dependent do.</summary>
internal abstract record GateState
{
    internal sealed record Open : GateState;

    /// <param name="Why">In words, after the dependency's name: <c>is in backoff</c>, <c>is not healthy yet</c>.</param>
    internal sealed record Closed(string Why) : GateState;
}

/// <summary>The gates in front of a start: pure questions about what is known of the dependencies.</summary>
internal static class Gates
{
    private const string WaitsItself = "waits itself", NoHealthcheck = "which has no healthcheck, neither in the file nor in its image";

    /// <summary>The dependencies that keep the service waiting, each with the reason, in the order of the file.</summary>
    public static IReadOnlyList<(DependencyPlan Dependency, string Why)> Closed(ServiceLife life)
    {
        List<(DependencyPlan, string)>? closed = null;
        foreach (var dependency in life.Plan.Dependencies)
        {
            if (Ask(dependency, life.Peers.GetValueOrDefault(dependency.Service)) is GateState.Closed gate)
                (closed ??= []).Add((dependency, gate.Why));
        }

        return closed ?? [];
    }

    public static GateState Ask(DependencyPlan dependency, PeerView? peer)
    {
        if (peer is null) return dependency.Required ? new GateState.Closed("is not known yet") : new GateState.Open();
        if (!dependency.Required && (peer.State is ServiceState.Failed or ServiceState.Stopped || IsHopeless(dependency, peer))) return new GateState.Open();
        var open = dependency.Condition switch
        {
            DependencyCondition.Started => peer.State is ServiceState.Starting or ServiceState.Running or ServiceState.Healthy
                or ServiceState.Unhealthy or ServiceState.Completed,
            DependencyCondition.Healthy => peer.State is ServiceState.Healthy || (dependency.OrRunning && peer.State is ServiceState.Running or ServiceState.Completed),
            DependencyCondition.CompletedSuccessfully => peer.State is ServiceState.Completed,
        };
        return open ? new GateState.Open() : new GateState.Closed(InWords(dependency.Condition, peer.State));
    }

    /// <summary>Why a wait cannot end, where it cannot; null: it can.</summary>
    public static string? Hopeless(ServiceLife life)
    {
        foreach (var dependency in life.Plan.Dependencies)
        {
            if (dependency.Required && life.Peers.TryGetValue(dependency.Service, out var peer) && IsHopeless(dependency, peer))
                return $"waits for `{dependency.Service}` to be healthy, {NoHealthcheck}: give it one, or wait for `service_started`";
        }

        return null;
    }

    /// <summary>A file that leaves a service without a healthcheck is refused where others wait for its health; that its image has none is seen when it runs.</summary>
    private static bool IsHopeless(DependencyPlan dependency, PeerView peer) =>
        dependency is { Condition: DependencyCondition.Healthy, OrRunning: false } && peer.State == ServiceState.Running;

    /// <summary>The first two in words, those in trouble before those that only wait themselves, and the number of the others.</summary>
    public static string InWords(IReadOnlyList<(DependencyPlan Dependency, string Why)> closed)
    {
        const int shown = 2;
        var first = closed.OrderBy(c => c.Why == WaitsItself).Take(shown).Select(c => $"`{c.Dependency.Service}`, which {c.Why}");
        return string.Join(", ", first) + (closed.Count > shown ? $" and {closed.Count - shown} more" : "");
    }

    private static string InWords(DependencyCondition condition, ServiceState state) => (condition, state) switch
    {
        (DependencyCondition.Healthy, ServiceState.Starting) => "is starting",
        (DependencyCondition.CompletedSuccessfully, ServiceState.Starting or ServiceState.Running or ServiceState.Healthy) => "has not completed yet",
        (_, ServiceState.Waiting) => WaitsItself,
        (_, ServiceState.Backoff) => "is in backoff",
        (_, ServiceState.Failed) => "has failed",
        (_, ServiceState.Stopped) => "is stopped",
        (_, ServiceState.Stopping) => "is stopping",
        (_, ServiceState.Completed) => "has completed",
        (DependencyCondition.Healthy, ServiceState.Running) => "is running without a healthcheck",
        (_, ServiceState.Running) => "is running",
        (_, ServiceState.Unhealthy) => "is unhealthy",
        (_, ServiceState.Starting) => "is starting",
        (_, ServiceState.Healthy) => "is healthy",
    };
}
