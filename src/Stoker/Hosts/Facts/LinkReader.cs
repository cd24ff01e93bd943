using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>Network links, from <c>/sys/class/net</c>.</summary>
internal static class LinkReader
{
    private const string Place = "/sys/class/net";

    public static IReadOnlyList<LinkFacts> Read(FactSource source, IReadOnlyList<LinkAddress> addresses)
    {
        var links = new List<LinkFacts>();
        foreach (var name in source.List(Place))
        {
            // A file, bonding_masters, lies among the links.
            if (source.Text($"{Place}/{name}/operstate") is not { } state) continue;
            var kind = Kind(source, name);
            // The kernel refuses to tell the speed of what is down, and says -1 for what has none.
            var speed = source.Number($"{Place}/{name}/speed") is { } told and > 0 ? (int)told : (int?)null;
            if (speed is null && kind == "ethernet" && state == "up") source.Note($"network.links.{name}.speed_mbits", "its driver does not tell, as those of virtual machines do not");
            links.Add(new LinkFacts(
                name,
                kind,
                state,
                speed,
                source.Text($"{Place}/{name}/duplex") is { } duplex and not "unknown" ? duplex : null,
                (int?)source.Number($"{Place}/{name}/mtu"),
                source.Text($"{Place}/{name}/address") is { } mac and not "00:00:00:00:00:00" ? mac : null,
                source.NameOf($"{Place}/{name}/device/driver"),
                [.. addresses.Where(a => a.Link == name).Select(a => $"{a.Address}/{a.Prefix}")]));
        }

        if (links.Count == 0) source.Note("network.links", $"`{Place}` lists none");
        return links;
    }

    /// <summary>Loopback is 772 of ARPHRD; kinds beside Ethernet name themselves in <c>uevent</c>: <c>DEVTYPE=bridge</c>.</summary>
    private static string Kind(FactSource source, string name)
    {
        if (source.Text($"{Place}/{name}/type") == "772") return "loopback";
        if (TextFields.Assignments(source.Text($"{Place}/{name}/uevent") ?? "").GetValueOrDefault("DEVTYPE") is { Length: > 0 } kind) return kind;
        return source.Has($"{Place}/{name}/device") ? "ethernet" : "virtual";
    }
}
