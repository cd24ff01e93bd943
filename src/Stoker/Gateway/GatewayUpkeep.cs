using Stoker.Gateway.Forwarding;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>What has to be done from time to time beside requests: deadlines of those that wait, connections that grew old, counts that are over.</summary>
/// <param name="clock">The one that limits are counted by.</param>
internal sealed class GatewayUpkeep(GatewayState state, IReadOnlyList<GatewayLoop> loops, SteadyClock clock)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Step);
        for (var turn = 1; await timer.WaitForNextTickAsync(stop); turn++)
        {
            // Nobody waits: nothing is done ten times a second.
            foreach (var route in state.Tables.Router.Table.Routes)
            {
                if (route.Life.Queue.Waiting > 0) route.Life.Queue.Expire(GatewayLoop.Steady);
            }

            if (turn % 20 == 0) SweepPools();
            if (turn % 600 == 0) state.Limiter.Prune(clock.GetUtcNow().UtcTicks);
        }
    }

    private void SweepPools()
    {
        var wanted = state.Tables.Targets.ToHashSet();
        foreach (var loop in loops) loop.Events.Post(() => loop.Pool.Sweep(wanted));
    }
}
