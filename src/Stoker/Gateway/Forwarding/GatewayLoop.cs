using System.Buffers;
using System.Diagnostics;
using System.Net;
using Stoker.Gateway.Answers;
using Stoker.Keys;
using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>One event loop of the gateway with the connections on it.</summary>
internal sealed class GatewayLoop
{
    private static readonly long PerTick = Stopwatch.Frequency / TimeSpan.TicksPerSecond;

    private readonly ServerConnections _clients;
    private readonly long _utcOfZero;

    /// <param name="utcOfZero">Ticks of UTC when the monotonic clock was zero: from there on limits count steadily, whatever the wall clock does.</param>
    public GatewayLoop(GatewayState gateway, EventLoop events, long utcOfZero)
    {
        (Gateway, Events, _utcOfZero) = (gateway, events, utcOfZero);
        _clients = new ServerConnections(events);
        Pool = new UpstreamPool(events);
    }

    public GatewayState Gateway { get; }

    public EventLoop Events { get; }

    public UpstreamPool Pool { get; }

    public RequestIds Ids { get; } = new();

    /// <summary>Where a decision is written that goes to the log; used within one step.</summary>
    public ArrayBufferWriter<byte> DecisionBuffer { get; } = new(1024);

    /// <summary>Milliseconds of this turn of the loop, for deadlines.</summary>
    public long Now => Events.Now;

    /// <summary>Ticks of 100 ns of the monotonic clock, for routing.</summary>
    public static long Steady => Stopwatch.GetTimestamp() / PerTick;

    /// <summary>Ticks of UTC of this turn of the loop, for keys and limits.</summary>
    public long Utc => _utcOfZero + (Events.Now * TimeSpan.TicksPerMillisecond);

    public void Accept(LoopSocket socket, IPEndPoint peer)
    {
        Gateway.Metrics.Connections(1);
        _clients.Add(new ClientConnection(this, socket, peer));
    }

    /// <summary>Ends idle connections now and busy ones after their answer; from any thread.</summary>
    /// <returns>Completes when none is left.</returns>
    public Task DrainAsync() => _clients.DrainAsync();

    /// <summary>Whose request it is; null: it may go on.</summary>
    public ApiError? Authorize(ClientConnection client, out KeyState key)
    {
        key = KeyState.Anonymous;
        if (!Gateway.Settings.RequiresKeys) return null;
        var authorization = client.Head.Find("authorization"u8);
        if (client.KnownKey.Find(authorization, Gateway.Keys.Ring, Utc) is { } known)
        {
            key = known;
            return null;
        }

        var ring = Gateway.Keys.Ring;
        var verdict = ring.Find(KeyRing.Bearer(authorization), Utc, out var found);
        if (verdict != KeyVerdict.Valid) return KeyErrors.Of(verdict, authorization);
        key = found!;
        client.KnownKey.Learn(authorization, ring, key, Utc);
        return null;
    }
}
