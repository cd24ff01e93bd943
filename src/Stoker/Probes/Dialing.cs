using System.Net;
using System.Net.Sockets;

namespace Stoker.Probes;

/// <summary>What came of trying to reach a service.</summary>
internal abstract record DialOutcome
{
    /// <param name="Exchange">Connected; the caller disposes it.</param>
    internal sealed record Connected(SocketExchange Exchange, string Authority) : DialOutcome;

    /// <param name="Why"><c>connection refused by 127.0.0.1:6379</c>.</param>
    internal sealed record Failed(string Why) : DialOutcome;

    internal sealed record TooLate : DialOutcome;
}

/// <summary>Connects to the first address that accepts: <c>localhost</c> may be served on 127.0.0.1 or on ::1.</summary>
internal static class Dialing
{
    // A name with many addresses must not turn one question into many.
    private const int MostAddresses = 4;

    public static async ValueTask<DialOutcome> ConnectAsync(IReadOnlyList<string> hosts, int port, CancellationToken end)
    {
        var failure = "no address to ask";
        foreach (var host in hosts)
        {
            var (addresses, problem) = await ResolveAsync(host, end);
            failure = problem ?? failure;
            foreach (var address in addresses)
            {
                if (end.IsCancellationRequested) return new DialOutcome.TooLate();

                var (outcome, why) = await ConnectAsync(new IPEndPoint(address, port), end);
                if (outcome is not null) return outcome;
                failure = why;
            }
        }

        return end.IsCancellationRequested ? new DialOutcome.TooLate() : new DialOutcome.Failed(failure);
    }

    /// <summary>A socket error of a conversation in words, with the peer.</summary>
    public static string Words(SocketError error, string authority) => error switch
    {
        SocketError.ConnectionRefused => $"connection refused by {authority}",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => $"connection reset by {authority}",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown => $"no route to {authority}",
        SocketError.TimedOut => $"{authority} did not answer the connection",
        SocketError.TooManyOpenSockets => "no file descriptor left in this process to ask with",
        _ => $"{authority}: {new SocketException((int)error).Message}",
    };

    private static async ValueTask<(DialOutcome? Outcome, string Why)> ConnectAsync(IPEndPoint remote, CancellationToken end)
    {
        var authority = remote.ToString();
        SocketExchange exchange;
        try
        {
            exchange = new SocketExchange(remote);
        }
        catch (SocketException e)
        {
            return (null, Words(e.SocketErrorCode, authority));
        }

        SocketError error;
        await using (end.UnsafeRegister(static x => ((SocketExchange)x!).Abort(), exchange))
        {
            error = await exchange.ConnectAsync();
        }

        if (error == SocketError.Success) return (new DialOutcome.Connected(exchange, authority), "");

        exchange.Dispose();
        return error == SocketError.OperationAborted ? (new DialOutcome.TooLate(), "") : (null, Words(error, authority));
    }

    private static async ValueTask<(IReadOnlyList<IPAddress> Addresses, string? Problem)> ResolveAsync(string host, CancellationToken end)
    {
        if (IPAddress.TryParse(host, out var literal)) return ([literal], null);

        try
        {
            var found = await Dns.GetHostAddressesAsync(host, end);
            return (found.Length > MostAddresses ? found[..MostAddresses] : found, null);
        }
        catch (SocketException e)
        {
            return ([], $"cannot resolve `{host}`: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            return ([], $"resolving `{host}` took too long");
        }
    }
}
