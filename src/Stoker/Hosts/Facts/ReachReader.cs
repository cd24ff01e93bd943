using System.Net;
using System.Net.Sockets;

namespace Stoker.Hosts.Facts;

/// <summary>A place that the estate declares and this machine has to reach.</summary>
/// <param name="Name">What declares it: <c>hosts.pc2</c>.</param>
internal sealed record DeclaredEndpoint(string Name, string Host, int Port);

/// <summary>Whether declared places answer: one TCP connection each, all at once.</summary>
internal static class ReachReader
{
    public static async Task<IReadOnlyList<ReachFacts>> AskAsync(IReadOnlyList<DeclaredEndpoint> endpoints, TimeSpan limit, TimeProvider clock) =>
        await Task.WhenAll(endpoints.Select(e => AskAsync(e, limit, clock)));

    public static async Task<ReachFacts> AskAsync(DeclaredEndpoint endpoint, TimeSpan limit, TimeProvider clock)
    {
        var begun = clock.GetTimestamp();
        using var end = new CancellationTokenSource(limit, clock);
        try
        {
            var addresses = IPAddress.TryParse(endpoint.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(endpoint.Host, end.Token);
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(addresses, endpoint.Port, end.Token);
            return Told("open", null);
        }
        catch (OperationCanceledException)
        {
            return Told("no answer", $"not within {limit.TotalSeconds:0.#} s");
        }
        catch (SocketException e)
        {
            return Told(
                e.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "refused",
                    SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "no address",
                    SocketError.TimedOut => "no answer",
                    _ => "unreachable",
                },
                e.Message);
        }

        ReachFacts Told(string outcome, string? detail) =>
            new(endpoint.Name, endpoint.Host, endpoint.Port, outcome, Math.Round(clock.GetElapsedTime(begun).TotalMilliseconds, 1), detail);
    }
}
