using System.Globalization;
using System.Net;
using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>
/// Ports in Compose's short form <c>[[IP:]HOST:]CONTAINER[/PROTOCOL]</c>, with ranges, and in the long form. A plain process
/// listens on its published port itself: <c>"7300"</c> is port 7300, <c>"7300-7309"</c> is a port for each of ten replicas.
/// </summary>
internal static class PortReader
{
    private static readonly string[] Protocols = ["tcp", "udp", "sctp"];

    private readonly record struct PortRange(int First, int Last)
    {
        public int Count => Last - First + 1;
    }

    public static IReadOnlyList<PortSpec> Read(ServiceSource source)
    {
        var ports = new List<PortSpec>();
        foreach (var item in source.Map.Items("ports"))
        {
            var read = item switch
            {
                ScalarNode { Value: { Length: > 0 } text } => ReadShort(source, text, item.Where),
                MappingNode map => ReadLong(source, map),
                _ => [],
            };
            foreach (var port in read)
            {
                if (ports.Find(p => Overlap(p, port)) is { } other)
                    source.Report(EstateDiagnostics.RepeatedPort, item.Where, $"publishes port {Overlapping(other, port)}/{port.Protocol} twice", $"first at {other.Where}");
                ports.Add(port);
            }
        }

        return ports;
    }

    private static IEnumerable<PortSpec> ReadShort(ServiceSource source, string text, SourcePosition where)
    {
        var slash = text.LastIndexOf('/');
        var protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
        var rest = slash < 0 ? text : text[..slash];
        var colon = rest.LastIndexOf(':');
        var host = colon < 0 ? "" : rest[..colon];
        var address = "";
        if (host.LastIndexOf(':') is >= 0 and var last)
        {
            address = host[..last];
            host = host[(last + 1)..];
        }

        if (!Protocols.Contains(protocol)) return Invalid(source, text, where, Suggestion.For(protocol, Protocols) ?? "the protocol is `tcp`, `udp` or `sctp`");
        if (ParseRange(rest[(colon + 1)..]) is not { } target) return Invalid(source, text, where, null);
        PortRange? published = host.Length == 0 ? null : ParseRange(host);
        if (host.Length > 0 && published is null)
        {
            return Invalid(source, text, where, IPAddress.TryParse(host, out _)
                ? $"with an address both ports are needed: `{host}:{target.First}:{target.First}`"
                : null);
        }

        if (address.Length > 0 && !IPAddress.TryParse(address.Trim('[', ']'), out _)) return Invalid(source, text, where, $"`{address}` is no IP address");
        return Expand(source, new PortSpec(address.Length == 0 ? null : address.Trim('[', ']'), null, null, 0, protocol, where), published, target);
    }

    private static IEnumerable<PortSpec> ReadLong(ServiceSource source, MappingNode map)
    {
        if (map.Int("target") is not { } target) return [];
        var address = map.PositionedText("host_ip");
        if (address is { } ip && !IPAddress.TryParse(ip.Value.Trim('[', ']'), out _)) return Invalid(source, "host_ip", ip, "an IP address");
        var published = map.PositionedText("published");
        var range = published is { Value.Length: > 0 } written ? ParseRange(written.Value) : null;
        if (published is { } unreadable && range is null) return Invalid(source, "published", unreadable, "a port from 1 to 65535 or a range of them");
        var port = new PortSpec(address?.Value.Trim('[', ']'), null, null, 0, map.Text("protocol") ?? "tcp", map.Where)
        {
            Purpose = map.Text("name"),
            ApplicationProtocol = map.Text("app_protocol"),
        };
        return Expand(source, port, range, new PortRange(target, target));
    }

    private static IEnumerable<PortSpec> Expand(ServiceSource source, PortSpec port, PortRange? published, PortRange target)
    {
        if (source.IsContainer)
        {
            if (published is null) return Each(target, i => port with { Target = target.First + i });
        }
        else if (published is null || published == target)
        {
            // Replicas of a process share the range out.
            return [port with { Published = target.First, PublishedEnd = target.Count > 1 ? target.Last : null, Target = target.First }];
        }
        else
        {
            source.Report(EstateDiagnostics.NoPortMapping, port.Where, $"is a plain process and must listen on {published.Value.First} itself: nothing maps that to {target.First}",
                $"`\"{published.Value.First}\"`");
        }

        var host = published!.Value;
        if (target.Count == 1) return [port with { Published = host.First, PublishedEnd = host.Count > 1 ? host.Last : null, Target = target.First }];
        if (host.Count == target.Count) return Each(target, i => port with { Published = host.First + i, Target = target.First + i });
        source.Report(EstateDiagnostics.UnequalRanges, port.Where, $"publishes {host.Count} ports for {target.Count} ports of the container", "make both ranges equally long");
        return [];
    }

    private static IEnumerable<PortSpec> Each(PortRange range, Func<int, PortSpec> make) => Enumerable.Range(0, range.Count).Select(make);

    private static IEnumerable<PortSpec> Invalid(ServiceSource source, string text, SourcePosition where, string? hint)
    {
        source.Report(EstateDiagnostics.InvalidPort, where, $"has port `{text}`, which is not `[[IP:]HOST:]CONTAINER[/PROTOCOL]` with ports from 1 to 65535", hint);
        return [];
    }

    private static IEnumerable<PortSpec> Invalid(ServiceSource source, string key, Positioned<string> value, string expected)
    {
        source.Report(EstateDiagnostics.InvalidPort, value.Where, $"has a port with `{key}` `{value.Value}`, which is not {expected}");
        return [];
    }

    private static PortRange? ParseRange(string text)
    {
        var dash = text.IndexOf('-');
        if (dash < 0) return ParsePort(text) is { } port ? new PortRange(port, port) : null;
        return ParsePort(text[..dash]) is { } first && ParsePort(text[(dash + 1)..]) is { } last && first <= last ? new PortRange(first, last) : null;
    }

    private static int? ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : null;

    private static bool Overlap(PortSpec one, PortSpec other) =>
        one.Published is { } a && other.Published is { } b && one.Protocol == other.Protocol
        && a <= (other.PublishedEnd ?? b) && b <= (one.PublishedEnd ?? a)
        && (IsAny(one.HostIp) || IsAny(other.HostIp) || one.HostIp == other.HostIp);

    private static int Overlapping(PortSpec one, PortSpec other) => Math.Max(one.Published!.Value, other.Published!.Value);

    private static bool IsAny(string? address) => address is null or "0.0.0.0" or "::";
}
