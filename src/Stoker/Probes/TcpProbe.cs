namespace Stoker.Probes;

/// <summary>Healthy when the port accepts a connection, which is closed at once.</summary>
internal sealed class TcpProbe(IReadOnlyList<string> hosts, int port, TimeSpan timeout, TimeProvider clock) : IProbe
{
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

        connected.Exchange.Dispose();
        return deadline.Healthy($"{connected.Authority} accepts connections");
    }
}
