using Stoker.Planning;

namespace Stoker.Supervision;

/// <summary>From the life of a service to what is shown of it. Pure.</summary>
internal static class ServiceView
{
    /// <summary>Of states of replicas that differ, the one that matters most to whoever looks or waits.</summary>
    private static readonly ServiceState[] ByWeight =
    [
        ServiceState.Failed, ServiceState.Backoff, ServiceState.Unhealthy, ServiceState.Stopping, ServiceState.Starting, ServiceState.Waiting,
        ServiceState.Stopped, ServiceState.Healthy, ServiceState.Running, ServiceState.Completed,
    ];

    public static ServiceState StateOf(ServiceLife life)
    {
        if (life.Replicas.Count == 0) return ServiceState.Stopped;
        foreach (var state in ByWeight)
        {
            foreach (var replica in life.Replicas)
            {
                if (replica.State == state) return state;
            }
        }

        return ServiceState.Stopped;
    }

    public static ServiceStatus Of(ServiceLife life)
    {
        var plan = life.Plan;
        var state = StateOf(life);
        var leading = life.Replicas.FirstOrDefault(r => r.State == state);
        return new ServiceStatus(plan.Name, state, leading?.Since ?? default)
        {
            Group = plan.Spec.Group?.Value.Value,
            Host = plan.Host?.Value,
            StartsOnRequest = plan.Spec.StartsOnRequest,
            StandIn = plan.StandIn,
            Reason = ReasonOf(life, leading),
            WaitsFor = state == ServiceState.Waiting ? [.. Gates.Closed(life).Select(c => c.Dependency.Service)] : [],
            Gpus = plan.Gpus,
            NotEnforced = plan.NotEnforced,
            Replicas = [.. life.Replicas.Select(ReplicaOf)],
        };
    }

    private static string? ReasonOf(ServiceLife life, ReplicaLife? leading)
    {
        if (leading is null) return life.Plan.Replicas.Count == 0 ? "scaled to 0" : null;
        var same = life.Replicas.Count(r => r.State == leading.State);
        return life.Replicas.Count > 1 && same < life.Replicas.Count && leading.Reason is { } reason
            ? $"{same} of {life.Replicas.Count}: {reason}"
            : leading.Reason;
    }

    private static ReplicaStatus ReplicaOf(ReplicaLife replica) => new(replica.Index, replica.State, replica.Since)
    {
        Reason = replica.Reason,
        Pid = replica.Pid,
        Restarts = replica.Restarts,
        Ports = replica.Ports,
        StartedAt = replica.StartedAt,
        StartTook = replica.StartTook,
        LastExit = replica.LastExit,
        RetryAt = replica.RetryAt,
        LastProbe = replica.Health.Reason,
        OwnStatus = replica.OwnStatus,
    };
}
