using System.Net;
using System.Net.Sockets;

namespace Stoker.Drills.Shared;

/// <summary>
/// Ports that nobody listens on, each given once. They are below those that the system gives to whoever asks for any (from 32,768 on), so that nobody gets one
/// between here and the server that it is for.
/// </summary>
internal static class FreePorts
{
    private const int First = 20_000, Count = 12_000;

    /// <summary>Two runs side by side begin at different places.</summary>
    private static int _turn = Environment.ProcessId * 97 % Count;

    public static IReadOnlyList<int> Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Take())];

    public static int Take()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + (Interlocked.Increment(ref _turn) % Count);
            if (IsFree(port)) return port;
        }

        throw new InvalidOperationException($"no port from {First} to {First + Count} is free");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Any, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
