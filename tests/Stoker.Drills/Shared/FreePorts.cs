using System.Net;
using System.Net.Sockets;

namespace Stoker.Drills.Shared;

/// <summary>Ports that nobody listens on.</summary>
internal static class FreePorts
{
    public static IReadOnlyList<int> Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToList();
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }
}
