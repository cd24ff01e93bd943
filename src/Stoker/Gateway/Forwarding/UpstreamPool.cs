using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>The outcome of asking for a connection: it, or an error.</summary>
/// <param name="Why">In words, where the error's number alone would not tell.</param>
internal readonly record struct Connected(UpstreamConnection? Connection, int Error, string? Why = null);

/// <summary>
/// One loop's connections to the replicas, kept open between requests. The one used last is used next, so that those beyond the
/// need grow old and are closed.
/// </summary>
internal sealed class UpstreamPool(EventLoop loop) : IDisposable
{
    /// <summary>Below the 5 s after which uvicorn, under vLLM and others, closes an idle connection.</summary>
    private const long MaxIdle = 4_000;

    private readonly Dictionary<UpstreamTarget, Stack<UpstreamConnection>> _idle = [];

    /// <summary>An idle connection that is good as far as can be told, or a new one.</summary>
    /// <param name="fresh">Only a new one: an idle one was found broken just now.</param>
    /// <param name="exchange">Is told what is being connected, to end it when the client leaves.</param>
    public ValueTask<Connected> ConnectAsync(UpstreamTarget target, long deadline, bool fresh, Exchange exchange)
    {
        if (!fresh && _idle.TryGetValue(target, out var idle))
        {
            while (idle.TryPop(out var connection))
            {
                connection.Wire.OnPeerLeft = null;
                if (IsGood(connection)) return new ValueTask<Connected>(new Connected(connection, 0));
                connection.Dispose();
            }
        }

        return DialAsync(target, deadline, exchange);
    }

    /// <summary>The answer was read to its end and the server keeps the connection open.</summary>
    public void Return(UpstreamConnection connection)
    {
        if (connection.Wire.PeerLeft || connection.Input.Length > 0)
        {
            connection.Dispose();
            return;
        }

        connection.Rest();
        connection.IsReused = true;
        connection.IdleSince = loop.Now;
        if (!_idle.TryGetValue(connection.Target, out var idle)) _idle[connection.Target] = idle = new Stack<UpstreamConnection>();
        idle.Push(connection);
    }

    /// <summary>Closes what has been idle too long, and what a reload has left without a replica.</summary>
    public void Sweep(IReadOnlySet<UpstreamTarget> wanted)
    {
        foreach (var (target, idle) in _idle.ToList())
        {
            var kept = idle.Where(c => wanted.Contains(target) && IsGood(c)).Reverse().ToList();
            foreach (var connection in idle.Except(kept)) connection.Dispose();
            if (kept.Count > 0) _idle[target] = new Stack<UpstreamConnection>(kept);
            else _idle.Remove(target);
        }
    }

    public void Dispose()
    {
        foreach (var connection in _idle.Values.SelectMany(c => c)) connection.Dispose();
        _idle.Clear();
    }

    /// <summary>Bytes that came while nobody had asked would be taken for the answer to the next request: such a connection is never used again.</summary>
    private bool IsGood(UpstreamConnection connection) =>
        !connection.Wire.PeerLeft && !connection.Wire.MayReceive && loop.Now - connection.IdleSince < MaxIdle;

    private async ValueTask<Connected> DialAsync(UpstreamTarget target, long deadline, Exchange exchange)
    {
        var (socket, error) = await LoopSocket.ConnectAsync(loop, target.Endpoint, deadline, exchange.OnConnecting);
        if (socket is null) return new Connected(null, error);
        if (!target.Tls) return new Connected(new UpstreamConnection(target, socket), 0);
        var secured = await TlsWire.ConnectAsync(socket, target.ServerName, deadline);
        return secured.Wire is { } wire ? new Connected(new UpstreamConnection(target, wire), 0) : new Connected(null, secured.Error, secured.Why);
    }
}
