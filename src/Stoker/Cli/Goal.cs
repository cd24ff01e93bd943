using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>Where services stand against what is waited for.</summary>
internal abstract record Progress
{
    internal sealed record Reached : Progress;

    internal sealed record Pending(IReadOnlyList<ServiceDocument> Services) : Progress;

    /// <summary>It will not come about by itself any more.</summary>
    internal sealed record Missed(IReadOnlyList<ServiceDocument> Services) : Progress;
}

/// <summary>What a verb waits for, decided from one snapshot at a time.</summary>
/// <param name="Names">The services meant; empty: all.</param>
/// <param name="Patience">A service that ended so often and waits for its next try counts as lost; null: it may try for ever.</param>
/// <param name="Replicas">How many each of them must have; null: as many as it has.</param>
internal sealed record Goal(GoalKind Kind, IReadOnlyList<string> Names, int? Replicas = null, int? Patience = null)
{
    public Progress Of(StatusDocument status)
    {
        var meant = Meant(status).ToList();
        var missed = meant.Where(IsLost).ToList();
        if (missed.Count > 0) return new Progress.Missed(missed);
        var pending = meant.Where(s => !IsThere(s)).ToList();
        // A daemon that has just begun shows services as it comes to know them.
        if (meant.Count < Names.Count) return new Progress.Pending(pending);
        return pending.Count > 0 || Kind is GoalKind.DaemonEnds or GoalKind.Down ? new Progress.Pending(pending) : new Progress.Reached();
    }

    public IEnumerable<ServiceDocument> Meant(StatusDocument status) =>
        Names.Count == 0 ? status.Services : status.Services.Where(s => Names.Contains(s.Name));

    private bool IsThere(ServiceDocument service) => Kind switch
    {
        // What starts on request is where it should be while nobody has asked for it by name.
        GoalKind.Up or GoalKind.Running when service is { StartsOnRequest: true, State: ServiceState.Stopped } && !Names.Contains(service.Name) => true,
        GoalKind.Up => States.IsUp(service.State)
            && (Replicas is not { } wanted || (service.Replicas.Count == wanted && service.Replicas.All(r => States.IsUp(r.State)))),
        GoalKind.Running => service.State is ServiceState.Healthy or ServiceState.Running or ServiceState.Unhealthy,
        GoalKind.Completed => service.State is ServiceState.Completed,
        GoalKind.Over => States.IsOver(service.State),
        GoalKind.DaemonEnds or GoalKind.Down => false,
    };

    private bool IsLost(ServiceDocument service) => Kind switch
    {
        GoalKind.Up or GoalKind.Running =>
            service.State is ServiceState.Failed || (service.State is ServiceState.Backoff && service.Restarts >= Patience),
        // What was stopped by request does not complete.
        GoalKind.Completed => service.State is ServiceState.Failed or ServiceState.Stopped,
        // From the moment a `down` is accepted, what leaves is shown as stopping.
        GoalKind.Down => service.State is not ServiceState.Stopping && !States.IsOver(service.State),
        GoalKind.Over or GoalKind.DaemonEnds => false,
    };
}

internal enum GoalKind
{
    /// <summary>Healthy; running where there is none to ask; completed where that is its end.</summary>
    Up,

    /// <summary>Alive, whatever its health.</summary>
    Running,

    Completed,

    /// <summary>Stopped, completed or failed.</summary>
    Over,

    /// <summary>Nothing that a snapshot shows: the daemon itself is gone.</summary>
    DaemonEnds,

    /// <summary>The same after a <c>down</c>: what is up or on its way there was asked up since.</summary>
    Down,
}
