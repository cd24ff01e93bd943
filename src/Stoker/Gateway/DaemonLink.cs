using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
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
[SuppressMessage("Design", "CA1001", Justification = "There is one, and it lives as long as the process.")]
internal sealed class DaemonLink(GatewayState state, string directory)
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(10), OldStatus = TimeSpan.FromSeconds(5);

    private readonly ControlClient _control = new(new StateDirectory(directory), Patience);
    private readonly SemaphoreSlim _turn = new(1, 1);

    // Services that were told to stop, and until when (steady ticks) a status by which they still serve is taken for an old one.
    private readonly ConcurrentDictionary<string, long> _unloading = new();
    private StatusDocument? _last;

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(FollowAsync(stop), WakeAsync(stop), UnloadIdleAsync(stop));

    private async Task FollowAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (await _control.FollowStatusAsync(stop) is ControlReply<ControlStream<StatusDocument>>.Answered { Document: var stream })
            {
                using (stream)
                {
                    while (await stream.NextAsync(stop) is { } status)
                    {
                        _last = status;
                        Learn(status);
                    }
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
            foreach (var replica in route.Replicas)
            {
                var mode = ModeOf(services.GetValueOrDefault(replica.Id.Service), replica.Id.Index, state.Tables.WhenStopped(route));
                if (mode != ReplicaMode.Serving) _unloading.TryRemove(replica.Id.Service, out _);
                else if (IsOld(replica.Id.Service)) continue;
                replica.SetMode(mode, GatewayLoop.Steady);
            }
        }
    }

    /// <summary>It was told to stop so lately that a status by which it serves may be from before.</summary>
    private bool IsOld(string service)
    {
        if (!_unloading.TryGetValue(service, out var until)) return false;
        if (GatewayLoop.Steady < until) return true;
        _unloading.TryRemove(service, out _);
        return false;
    }

    private static ReplicaMode ModeOf(ServiceDocument? service, int index, ReplicaMode whenStopped)
    {
        // A model of another host, or one that nobody supervises: its answers tell how it is.
        if (service is null) return ReplicaMode.Serving;
        return ModeOf(service.Replicas.FirstOrDefault(r => r.Index == index)?.State ?? service.State, whenStopped);
    }

    /// <summary>An unhealthy replica stays in: whether it answers is seen at its answers, and faster.</summary>
    private static ReplicaMode ModeOf(ServiceState service, ReplicaMode whenStopped) => service switch
    {
        ServiceState.Healthy or ServiceState.Running or ServiceState.Unhealthy => ReplicaMode.Serving,
        ServiceState.Waiting or ServiceState.Starting or ServiceState.Backoff => ReplicaMode.Loading,
        ServiceState.Stopping or ServiceState.Stopped or ServiceState.Completed or ServiceState.Failed => whenStopped,
    };

    /// <summary>Asks for a model that somebody waits for; once at a time for each.</summary>
    private async Task WakeAsync(CancellationToken stop)
    {
        await foreach (var route in state.Waking.ReadAllAsync(stop))
        {
            if (state.Tables.PlanOf(route).Service is not { } service) continue;
            await _turn.WaitAsync(stop);
            try
            {
                if (IsLoading(route) || await Task.Run(() => _control.Request(service, "start"), stop) is not ControlReply<AcceptedDocument>.Answered) continue;
                foreach (var replica in route.Replicas) replica.SetMode(ReplicaMode.Loading, GatewayLoop.Steady);
            }
            finally
            {
                _turn.Release();
            }
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
                if (plan is { UnloadAfter: { } after, Service: { } service } && IsIdle(route, TimeSpan.FromMilliseconds(after))) await UnloadAsync(route, service, stop);
            }

            // A stop may change nothing that is published, as when a start came right after it: what was said last holds again in time.
            if (!_unloading.IsEmpty && _last is { } status) Learn(status);
        }
    }

    /// <summary>Nothing new goes there from here on; who comes meanwhile waits, and wakes it again, always after it was told to stop.</summary>
    private async Task UnloadAsync(Route route, string service, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            _unloading[service] = GatewayLoop.Steady + OldStatus.Ticks;
            foreach (var replica in route.Replicas) replica.SetMode(ReplicaMode.Asleep, GatewayLoop.Steady);
            if (await Task.Run(() => _control.Request(service, "stop"), stop) is not ControlReply<AcceptedDocument>.Answered) _unloading.TryRemove(service, out _);
        }
        finally
        {
            _turn.Release();
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
