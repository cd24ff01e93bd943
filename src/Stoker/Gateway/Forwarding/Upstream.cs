using System.Net;
using System.Text;
using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>Where a replica is reached, and what it wants to hear. Two with the same value share connections.</summary>
/// <param name="name">The replica's, as in <c>phi-3-mini.1</c>.</param>
/// <param name="host">What the <c>Host</c> field and, for TLS, the certificate say.</param>
/// <param name="prefix">What its paths begin with, as in <c>/v1</c>.</param>
/// <param name="names">The model's names that it answers to; a request under another has the first put into its body.</param>
/// <param name="key">The key that the engine wants; null: none.</param>
internal sealed class UpstreamTarget(string name, IPEndPoint endpoint, string host, bool tls, string prefix, IReadOnlyList<string> names, string? key, bool tellsRunningUsage)
{
    public string Name => name;

    public IPEndPoint Endpoint => endpoint;

    public string Host => host;

    public string? Key => key;

    public bool Tls => tls;

    public ReadOnlyMemory<byte> Prefix { get; } = Encoding.ASCII.GetBytes(prefix);

    /// <summary>Fields that are the same in each request: <c>Host</c>, and <c>Authorization</c> where the engine wants a key.</summary>
    public ReadOnlyMemory<byte> Fields { get; } = Encoding.UTF8.GetBytes($"host: {host}\r\n{(key is null ? "" : $"authorization: Bearer {key}\r\n")}");

    public ReadOnlyMemory<byte> PlainName { get; } = Encoding.UTF8.GetBytes(names.Count > 0 ? names[0] : "");

    public ReadOnlyMemory<byte> QuotedName { get; } = Encoding.UTF8.GetBytes(names.Count > 0 ? $"\"{System.Text.Json.JsonEncodedText.Encode(names[0])}\"" : "\"\"");

    /// <summary>The engine knows vLLM's <c>continuous_usage_stats</c>.</summary>
    public bool TellsRunningUsage => tellsRunningUsage;

    public bool AnswersTo(string model)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (string.Equals(names[i], model, StringComparison.Ordinal)) return true;
        }

        return names.Count == 0;
    }
}

/// <summary>One connection to a replica, with what it has received.</summary>
internal sealed class UpstreamConnection(UpstreamTarget target, IWire wire) : IDisposable
{
    private readonly OutputBuffer _head = new();

    public UpstreamTarget Target => target;

    public IWire Wire => wire;

    public HttpInput Input { get; } = new(wire);

    /// <summary>The head of the present answer, kept apart: it is passed on when what was received with it may be gone.</summary>
    public MessageHead Head { get; } = new();

    /// <summary>It has carried a request before: a break before the answer may only mean that the server had closed it meanwhile.</summary>
    public bool IsReused { get; set; }

    /// <summary>The request was sent to its end: else what is sent next would be taken for the rest of it.</summary>
    public bool IsSound { get; set; } = true;

    /// <summary>When it was put back, in the loop's milliseconds.</summary>
    public long IdleSince { get; set; }

    /// <summary>Takes the head out of what was received.</summary>
    public HeadFault TakeHead(int length)
    {
        _head.Clear();
        _head.Write(Input.Unread[..length]);
        Input.Consume(length);
        return Head.ReadAnswer(_head.Memory);
    }

    /// <summary>Gives back what is only needed while it is used.</summary>
    public void Rest()
    {
        Input.Release();
        _head.Clear();
        _head.Release();
    }

    public void Dispose()
    {
        Rest();
        wire.Dispose();
    }
}

/// <summary>The outcome of asking for a connection: one of the two.</summary>
internal readonly record struct Connected(UpstreamConnection? Connection, int Error);

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
        var secured = await TlsWire.ConnectAsync(socket, target.Host, deadline);
        return secured.Wire is { } wire ? new Connected(new UpstreamConnection(target, wire), 0) : new Connected(null, secured.Error);
    }
}
