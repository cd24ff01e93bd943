using System.Net.Http.Headers;
using System.Text;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;
using Stoker.Models.Signals;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>
/// Asks each replica how it is, beside the requests: its metrics where its engine has some, else whether it answers. Once a second at most, because
/// asking more often slows engines (llm-d-router#1842); every five seconds where nothing is in flight.
/// </summary>
internal static class EngineWatch
{
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(1), Idle = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromSeconds(3);

    public static async Task RunAsync(GatewayState state, SteadyClock clock, CancellationToken stop)
    {
        using var client = new HttpClient(new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4), UseProxy = false, AllowAutoRedirect = false });
        client.Timeout = Patience;
        var next = new Dictionary<ReplicaState, long>();
        using var timer = new PeriodicTimer(Busy);
        do
        {
            var now = GatewayLoop.Steady;
            var due = new List<(ReplicaState Replica, UpstreamTarget Target, string Engine)>();
            foreach (var route in state.Tables.Router.Table.Routes)
            {
                foreach (var replica in route.Replicas)
                {
                    if (next.GetValueOrDefault(replica) > now) continue;
                    next[replica] = now + (replica.Requests > 0 || !replica.IsUsable ? Busy : Idle).Ticks - TimeSpan.FromMilliseconds(50).Ticks;
                    due.Add((replica, state.Tables.TargetOf(replica), state.Tables.PlanOf(route).Engine));
                }
            }

            await Task.WhenAll(due.Select(each => AskAsync(state, clock, client, each.Replica, each.Target, each.Engine, stop)));
            foreach (var gone in next.Keys.Where(r => !state.Tables.Knows(r)).ToList()) next.Remove(gone);
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private static async Task AskAsync(GatewayState state, SteadyClock clock, HttpClient client, ReplicaState replica, UpstreamTarget target, string engine, CancellationToken stop)
    {
        try
        {
            var path = engine is "ollama" or "openai" ? Encoding.ASCII.GetString(target.Prefix.Span) + "/models" : "/metrics";
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{(target.Tls ? "https" : "http")}://{target.Host}{path}"));
            if (target.Key is { } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, stop);
            var now = GatewayLoop.Steady;

            // Any answer shows that it lives; an engine that is started without metrics says 404.
            replica.Probe((int)answer.StatusCode < 500, now);
            if (path != "/metrics" || !answer.IsSuccessStatusCode) return;
            var signal = EngineSignals.Read(await answer.Content.ReadAsByteArrayAsync(stop));
            replica.Observe(new EngineSignal((int?)signal.Running, (int?)signal.Waiting, signal.CacheUse), now);
            if (signal is { PromptTokensTotal: { } prompt, GenerationTokensTotal: { } generated })
                state.Ledger.RecordEngineCounters(target.Name, (long)prompt, (long)generated, clock.GetUtcNow().UtcTicks);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException || (failed is OperationCanceledException && !stop.IsCancellationRequested))
        {
            replica.Probe(succeeded: false, GatewayLoop.Steady);
        }
    }
}
