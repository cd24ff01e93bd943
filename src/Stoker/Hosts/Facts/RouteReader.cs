using System.Globalization;
using System.Net;
using System.Numerics;

namespace Stoker.Hosts.Facts;

/// <summary>Routes of the main tables, from <c>/proc/net/route</c> and <c>/proc/net/ipv6_route</c>, and where names are looked up.</summary>
internal static class RouteReader
{
    private const int IsUp = 1, IsRejected = 0x200, IsLocal = unchecked((int)0x80000000);

    public static IReadOnlyList<RouteFacts> Read(FactSource source) =>
        [.. Version4(source.Text("/proc/net/route", "network.routes") ?? ""), .. Version6(source.Text("/proc/net/ipv6_route") ?? "")];

    public static NameFacts ReadNames(FactSource source)
    {
        List<string> servers = [], search = [], sources = [];
        foreach (var line in (source.Text("/etc/resolv.conf", "network.names.servers") ?? "").Split('\n'))
        {
            var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var server, ..]) servers.Add(server);
            if (words is ["search" or "domain", .. var domains]) search = [.. domains];
        }

        foreach (var line in (source.Text("/etc/nsswitch.conf") ?? "hosts: files dns").Split('\n'))
        {
            if (line.StartsWith("hosts:", StringComparison.Ordinal)) sources.AddRange(line[6..].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Where(w => w[0] != '['));
        }

        return new NameFacts(servers, search, sources);
    }

    /// <summary><c>eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0</c>: link, network, gateway, flags, …, metric, mask; little-endian hexadecimal.</summary>
    private static IEnumerable<RouteFacts> Version4(string table)
    {
        foreach (var line in table.Split('\n').Skip(1))
        {
            var fields = line.Split((char[])['\t', ' '], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 8 || !Hex(fields[1], out var network) || !Hex(fields[2], out var gateway) || !Hex(fields[3], out var flags) || !Hex(fields[7], out var mask)) continue;
            if (((int)flags & IsUp) == 0 || ((int)flags & IsRejected) != 0) continue;
            yield return new RouteFacts(
                mask == 0 ? "default" : $"{new IPAddress(network)}/{BitOperations.PopCount(mask)}",
                gateway == 0 ? null : new IPAddress(gateway).ToString(),
                fields[0],
                long.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out var metric) ? metric : 0);
        }
    }

    /// <summary><c>fd00…00 40 00…00 00 00…00 00000100 00000001 00000000 00000001 eth0</c>: network, its bits, source, its bits, gateway, metric, uses, references, flags, link.</summary>
    private static IEnumerable<RouteFacts> Version6(string table)
    {
        foreach (var line in table.Split('\n'))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 10 || fields[0].Length != 32 || !Hex(fields[1], out var bits) || !Hex(fields[5], out var metric) || !Hex(fields[8], out var flags)) continue;
            // The kernel's own addresses, multicast and what it rejects are no ways to anywhere.
            if (((int)flags & IsUp) == 0 || ((int)flags & (IsRejected | IsLocal)) != 0 || fields[9] == "lo" || fields[0].StartsWith("ff", StringComparison.Ordinal)) continue;
            var gateway = new IPAddress(Convert.FromHexString(fields[4]));
            yield return new RouteFacts(
                bits == 0 ? "default" : $"{new IPAddress(Convert.FromHexString(fields[0]))}/{bits}",
                gateway.Equals(IPAddress.IPv6Any) ? null : gateway.ToString(),
                fields[9],
                metric);
        }
    }

    private static bool Hex(string text, out uint value) => uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
