using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;
using Stoker.Supervision;

namespace Stoker.Gateway;

/// <summary>
/// What the gateway and the daemon tell each other. From the daemon: which replicas serve, load or sleep, as soon as it knows. To it: load this model,
/// somebody waits; unload that one, nobody has asked for long. Without a daemon what was known last holds, and health is the gateway's own to find out.
/// </summary>
internal sealed class DaemonLink(GatewayState state, string directory)
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(10);

    private readonly ControlClient _control = new(new StateDirectory(directory), Patience);

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(FollowAsync(stop), WakeAsync(stop), UnloadIdleAsync(stop));

    private async Task FollowAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (await _control.FollowStatusAsync(stop) is ControlReply<ControlStream<StatusDocument>>.Answered { Document: var stream })
            {
                using (stream)
                {
                    while (await stream.NextAsync(stop) is { } status) Learn(status);
                }
            }

            await Task.Delay(Again, stop);
        }
    }

    private void Learn(StatusDocument status)
    {
        var services = status.Services.ToDictionary(s => s.Name);
        foreach (var route in state.Tables.Router.Table.Routes)
        {
            var onRequest = state.Tables.PlanOf(route).LoadsOnRequest;
            foreach (var replica in route.Replicas)
            {
                replica.SetMode(ModeOf(services.GetValueOrDefault(replica.Id.Service), replica.Id.Index, onRequest), GatewayLoop.Steady);
            }
        }
    }

    private static ReplicaMode ModeOf(ServiceDocument? service, int index, bool onRequest)
    {
        // A model of another host, or one that nobody supervises: its answers tell how it is.
        if (service is null) return ReplicaMode.Serving;
        return ModeOf(service.Replicas.FirstOrDefault(r => r.Index == index)?.State ?? service.State, onRequest);
    }

    /// <summary>An unhealthy replica stays in: whether it answers is seen at its answers, and faster.</summary>
    private static ReplicaMode ModeOf(ServiceState service, bool onRequest) => service switch
    {
        ServiceState.Healthy or ServiceState.Running or ServiceState.Unhealthy => ReplicaMode.Serving,
        ServiceState.Waiting or ServiceState.Starting or ServiceState.Backoff => ReplicaMode.Loading,
        ServiceState.Stopping => ReplicaMode.Draining,
        ServiceState.Stopped or ServiceState.Completed or ServiceState.Failed => onRequest ? ReplicaMode.Asleep : ReplicaMode.Draining,
    };

    /// <summary>Asks for a model that somebody waits for; once at a time for each.</summary>
    private async Task WakeAsync(CancellationToken stop)
    {
        await foreach (var route in state.Waking.ReadAllAsync(stop))
        {
            if (state.Tables.PlanOf(route).Service is not { } service || IsLoading(route)) continue;
            if (await Task.Run(() => _control.Request(service, "start"), stop) is not ControlReply<AcceptedDocument>.Answered) continue;
            foreach (var replica in route.Replicas) replica.SetMode(ReplicaMode.Loading, GatewayLoop.Steady);
        }
    }

    private static bool IsLoading(Route route)
    {
        foreach (var replica in route.Replicas)
        {
            if (replica.Mode == ReplicaMode.Loading) return true;
        }

        return false;
    }

    private async Task UnloadIdleAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Again);
        while (await timer.WaitForNextTickAsync(stop))
        {
            foreach (var route in state.Tables.Router.Table.Routes)
            {
                var plan = state.Tables.PlanOf(route);
                if (plan is not { UnloadAfter: { } after, Service: { } service } || !IsIdle(route, TimeSpan.FromMilliseconds(after))) continue;

                // Nothing new goes there from here on; who comes meanwhile waits, and wakes it again.
                foreach (var replica in route.Replicas) replica.SetMode(ReplicaMode.Asleep, GatewayLoop.Steady);
                _ = await Task.Run(() => _control.Request(service, "stop"), stop);
            }
        }
    }

    private static bool IsIdle(Route route, TimeSpan after)
    {
        var serving = false;
        foreach (var replica in route.Replicas)
        {
            if (replica.Requests > 0 || GatewayLoop.Steady - replica.LastUsed < after.Ticks) return false;
            serving |= replica.Mode == ReplicaMode.Serving;
        }

        return serving && route.Life.Queue.Waiting == 0;
    }
}
