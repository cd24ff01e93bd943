using System.Net;
using System.Net.Sockets;
using Stoker.Platform;

namespace Stoker.Probes;

/// <summary>Which replica is asked, and where it is.</summary>
/// <param name="Address"><c>127.0.0.1</c>, or the address or name of the other host that runs the service.</param>
/// <param name="Ports">A declared port that this replica has moved elsewhere is asked there.</param>
internal sealed record ProbeTarget(string Address, IReadOnlyList<(int Declared, int Actual)> Ports)
{
    /// <summary>A replica on this machine that listens where it was declared to.</summary>
    public static ProbeTarget Here { get; } = new("127.0.0.1", []);

    /// <summary>Of commands; the service's own, so that a check sees what the service sees.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Of commands; the service's own.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>Who runs commands; null: the daemon's user.</summary>
    public UserIdentity? User { get; init; }

    /// <summary>What commands are put behind, as in <c>podman exec NAME</c>; empty: they run on this machine.</summary>
    public IReadOnlyList<string> Through { get; init; } = [];

    /// <summary>What its processes have on its GPUs; null where nobody looks at GPUs.</summary>
    public GpuUseLookup? GpuUse { get; init; }

    public int PortFor(int declared)
    {
        foreach (var (from, to) in Ports)
        {
            if (from == declared) return to;
        }

        return declared;
    }

    /// <summary>
    /// The hosts to try in order. What the file calls this machine (<c>localhost</c>, a loopback or the unspecified address)
    /// is the machine of the service, which may be another one; every other name stands as it is.
    /// </summary>
    public IReadOnlyList<string> HostsFor(string declared)
    {
        var bare = declared.Trim('[', ']');
        if (!IsThisMachine(bare)) return [bare];
        if (!IsThisMachine(Address)) return [Address];
        if (!IPAddress.TryParse(bare, out var address)) return ["127.0.0.1", "::1"];
        return address.Equals(IPAddress.Any) ? ["127.0.0.1"]
            : address.Equals(IPAddress.IPv6Any) ? ["::1"]
            : [bare];
    }

    /// <summary>A name or address that can only mean the machine it is read on.</summary>
    public static bool IsThisMachine(string host) =>
        host.Length == 0
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address)
            && (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)));

    /// <summary><c>127.0.0.1:6379</c>, <c>[::1]:6379</c>.</summary>
    public static string Authority(string host, int port) =>
        IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
            ? $"[{host}]:{port}"
            : $"{host}:{port}";
}
