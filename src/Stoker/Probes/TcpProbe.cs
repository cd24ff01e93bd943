using System.Net.Sockets;

namespace Stoker.Probes;

/// <summary>Healthy when the port accepts a connection, which is closed at once; or, where it has to be held, when whoever is behind the port does not end it.</summary>
internal sealed class TcpProbe(IReadOnlyList<string> hosts, int port, TimeSpan timeout, TimeProvider clock) : IProbe
{
    /// <summary>How long the connection has to stay open, unless something is said on it before.</summary>
    public TimeSpan? Held { get; init; }

    private readonly string _subject = ProbeTarget.Authority(hosts[0], port);

    public async ValueTask<ProbeOutcome> AskAsync(CancellationToken cancel)
    {
        using var deadline = new ProbeDeadline(timeout, clock, cancel);
        var dialed = await Dialing.ConnectAsync(hosts, port, deadline.Token);
        if (dialed is not DialOutcome.Connected connected)
        {
            return dialed is DialOutcome.Failed failed
                ? deadline.Unhealthy(failed.Why)
                : deadline.TimedOut(_subject, "no connection");
        }

        using var exchange = connected.Exchange;
        return Held is { } time ? await HoldAsync(exchange, connected.Authority, time, deadline) : deadline.Healthy($"{connected.Authority} accepts connections");
    }

    /// <summary>What passes connections on accepts any, and ends it when nobody takes it at the other end.</summary>
    private async ValueTask<ProbeOutcome> HoldAsync(SocketExchange exchange, string authority, TimeSpan time, ProbeDeadline deadline)
    {
        using var enough = new CancellationTokenSource(time, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, deadline.Token);
        SocketError error;
        await using (either.Token.UnsafeRegister(static x => ((SocketExchange)x!).Abort(), exchange))
        {
            error = await exchange.ReceiveAsync(new byte[1]);
        }

        if (error == SocketError.Success && exchange.Received > 0) return deadline.Healthy($"{authority} speaks");
        if (enough.IsCancellationRequested) return deadline.Healthy($"{authority} holds connections");
        return either.IsCancellationRequested ? deadline.TimedOut(authority, "connected, but not held for long enough to tell")
            : deadline.Unhealthy(error == SocketError.Success ? $"{authority} accepts connections and ends them: nobody takes them at the other end" : Dialing.Words(error, authority));
    }
}
