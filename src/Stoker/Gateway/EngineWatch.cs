using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;
using Stoker.Models.Signals;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>How often engines are asked.</summary>
/// <param name="Busy">Where something is in flight, or was not there. Asking more often than once a second slows engines (llm-d-router#1842).</param>
/// <param name="Idle">Where nothing is.</param>
/// <param name="Patience">How long an answer is waited for.</param>
internal sealed record EngineWatchPace(TimeSpan Busy, TimeSpan Idle, TimeSpan Patience)
{
    public static EngineWatchPace Default { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(3));
}

/// <summary>
/// Asks each replica how it is, beside the requests: its metrics where its engine has some, else whether it answers. Each is asked by itself, so that one
/// that hangs keeps no other from being heard, and never while it still owes an answer.
/// </summary>
internal sealed class EngineWatch(GatewayState state, SteadyClock clock, EngineWatchPace pace)
{
    /// <summary>A page longer than this is none of an engine's.</summary>
    private const int LongestPage = 16 << 20;

    private static readonly HttpRequestOptionsKey<IPEndPoint> At = new("at");

    private readonly Dictionary<ReplicaState, (Task Answer, long Next)> _asked = [];

    public async Task RunAsync(CancellationToken stop)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4), UseProxy = false, AllowAutoRedirect = false, ConnectCallback = ConnectAsync,
        });
        (client.Timeout, client.MaxResponseContentBufferSize) = (pace.Patience, LongestPage);
        using var timer = new PeriodicTimer(pace.Busy);
        do
        {
            var now = GatewayLoop.Steady;
            foreach (var route in state.Tables.Router.Table.Routes)
            {
                foreach (var replica in route.Replicas)
                {
                    if (_asked.TryGetValue(replica, out var last) && (!last.Answer.IsCompleted || last.Next > now)) continue;
                    var answer = AskAsync(client, replica, state.Tables.TargetOf(replica), state.Tables.PlanOf(route).Engine, stop);
                    var wait = replica.Requests > 0 || !replica.IsUsable ? pace.Busy : pace.Idle;

                    // The timer's ticks are not exact.
                    _asked[replica] = (answer, now + (wait.Ticks * 19 / 20));
                }
            }

            foreach (var (replica, last) in _asked.ToList())
            {
                // What no engine can cause is a bug, and told.
                if (last.Answer.IsFaulted) await last.Answer;
                if (last.Answer.IsCompleted && !state.Tables.Knows(replica)) _asked.Remove(replica);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private async Task AskAsync(HttpClient client, ReplicaState replica, UpstreamTarget target, string engine, CancellationToken stop)
    {
        try
        {
            var hasMetrics = engine is not ("ollama" or "openai");
            var path = hasMetrics ? "/metrics" : Encoding.ASCII.GetString(target.Prefix.Span) + "/models";
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{(target.Tls ? "https" : "http")}://{target.Host}{path}"));
            request.Options.Set(At, target.Endpoint);
            if (target.Key is { } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, stop);
            var now = GatewayLoop.Steady;
            replica.Probe(IsThere(answer.StatusCode, hasMetrics), now);
            if (!hasMetrics || !answer.IsSuccessStatusCode) return;
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

    /// <summary>Where requests go, and not where its name may be by now.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        if (!context.InitialRequestMessage.Options.TryGetValue(At, out var at)) throw new InvalidOperationException("a question has no address");
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(at, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Any answer of its own shows that an engine lives: one that is started without metrics says 404, one whose metrics are broken 500. The rest are a proxy's
    /// words for one that is not there, and an engine's own while it loads.
    /// </summary>
    private static bool IsThere(HttpStatusCode status, bool hasMetrics) =>
        hasMetrics ? status is not (HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout) : (int)status < 500;
}
