using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>How states are said, painted and judged.</summary>
internal static class States
{
    /// <summary>Well first, then what is on its way, then what is not well.</summary>
    private static readonly ServiceState[] WellFirst =
    [
        ServiceState.Healthy, ServiceState.Running, ServiceState.Completed, ServiceState.Starting, ServiceState.Waiting,
        ServiceState.Stopping, ServiceState.Stopped, ServiceState.Unhealthy, ServiceState.Backoff, ServiceState.Failed,
    ];

    public static Tone Tone(ServiceState state) => state switch
    {
        ServiceState.Healthy or ServiceState.Running => Cli.Tone.Good,
        ServiceState.Waiting or ServiceState.Starting or ServiceState.Stopping => Cli.Tone.Busy,
        ServiceState.Unhealthy or ServiceState.Backoff or ServiceState.Failed => Cli.Tone.Bad,
        ServiceState.Stopped or ServiceState.Completed => Cli.Tone.Dim,
    };

    /// <summary>As its owner wants it: up, or done with what it was for.</summary>
    public static bool IsUp(ServiceState state) => state is ServiceState.Healthy or ServiceState.Running or ServiceState.Completed;

    /// <summary>Has no process and will have none by itself.</summary>
    public static bool IsOver(ServiceState state) => state is ServiceState.Stopped or ServiceState.Completed or ServiceState.Failed;

    /// <summary>Of how many there are of each, in the order of the enumeration: <c>43 healthy, 2 running, 1 backoff</c>.</summary>
    public static string Count(IEnumerable<ServiceDocument> services)
    {
        var all = services.ToList();
        var parts = new List<string>();
        foreach (var state in WellFirst)
        {
            if (all.Count(s => s.State == state) is var count and > 0) parts.Add($"{count} {StateWords.Of(state)}");
        }

        return string.Join(", ", parts);
    }

    /// <summary>In words, why a service is in its state; empty where there is nothing to say.</summary>
    public static string Reason(ServiceDocument service)
    {
        var parts = new List<string>();
        if (service.Reason is { Length: > 0 } reason) parts.Add(reason);
        else if (service.State == ServiceState.Waiting && service.WaitsFor.Count > 0) parts.Add($"for {string.Join(", ", service.WaitsFor)}");
        else if (service.Replicas is [{ Reason: { Length: > 0 } own }]) parts.Add(own);
        else if (service.Replicas is [{ OwnStatus: { Length: > 0 } said }]) parts.Add(said);
        if (service.StandIn is { } standIn) parts.Add($"stand-in: {standIn}");
        if (service.NotEnforced.Count > 0) parts.Add($"not enforced: {string.Join(", ", service.NotEnforced)}");
        return string.Join("; ", parts);
    }
}
