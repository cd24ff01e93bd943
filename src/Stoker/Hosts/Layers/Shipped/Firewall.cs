using System.Text;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// A firewall of nftables in a table of its own, that is replaced at once and never flushes the tables of others: Docker, Podman and fail2ban keep theirs. What comes to the machine is
/// closed but for SSH as it is in use, the ports that the estate's services publish, and those that are told. What Docker forwards to a container goes past a host's input rules
/// (https://github.com/moby/moby/issues/4737), so that it is held to the same ports on its way; containers reach out as before.
/// </summary>
internal static class Firewall
{
    private const string Rules = "/etc/stoker/firewall.nft", Unit = "stoker-firewall.service";

    /// <summary>Not Debian's nftables.service: that flushes everybody's tables.</summary>
    private const string UnitText = $"""
        [Unit]
        Description=Firewall written by Stoker
        Wants=network-pre.target
        Before=network-pre.target
        After=nftables.service
        DefaultDependencies=no
        Conflicts=shutdown.target

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/sbin/nft -f {Rules}
        ExecReload=/usr/sbin/nft -f {Rules}
        ExecStop=/usr/sbin/nft delete table inet stoker

        [Install]
        WantedBy=sysinit.target

        """;

    public static ShippedLayer Layer { get; } = new(
        "firewall",
        "closed but for SSH as it is in use, what the estate's services publish, and what is told; leaves Docker's own rules, and holds the ports of containers to the same list",
        [
            new("open", ParameterKind.Ports, "further ports that anybody may reach; default none"),
            new("services", ParameterKind.OneOf("open", "closed"), "whether ports that the estate's services on this host publish (not those of 127.0.0.1) are open; default `open`"),
            new("trust", ParameterKind.Addresses, "addresses and networks from which everything is open; default none"),
        ],
        call => new LayerContent(
            [
                ShippedCall.Packages("nftables"),
                new LayerStep.OnMachine(async doors => [ShippedCall.File(Rules, await TextAsync(call, doors))]),
                ShippedCall.File($"/etc/systemd/system/{Unit}", UnitText),
                ShippedCall.Run("nft", "-c", "-f", Rules),
                ShippedCall.Run(["sh", "-c", $"systemctl daemon-reload && systemctl enable -q {Unit} && systemctl restart {Unit}"],
                    ["sh", "-c", $"systemctl is-enabled -q {Unit} && systemctl is-active -q {Unit} && nft list table inet stoker >/dev/null 2>&1"], ["systemctl", "disable", "-q", "--now", Unit]),
                ShippedCall.Run("systemctl", "reload", Unit),
            ],
            [
                call.Says("rules", ["nft", "list", "table", "inet", "stoker"], "policy drop"),
                call.Service("at-boot", Unit, isEnabled: true),
            ],
            [ShippedCall.Run("systemctl", "daemon-reload")]));

    private static async Task<string> TextAsync(ShippedCall call, LayerDoors doors)
    {
        var open = call.List("open").Select(p => PortRange.Parse(p)!);
        if (call.Text("services") != "closed") open = open.Concat(DeclaredPorts.Of(call.Estate, doors.Host));
        return TextOf(await SshServer.PortsAsync(doors), [.. open], call.List("trust"));
    }

    /// <summary>The table, in words of nft.</summary>
    internal static string TextOf(IReadOnlyList<int> ssh, IReadOnlyList<PortRange> open, IReadOnlyList<string> trusted)
    {
        var text = new StringBuilder("""
            # Written by Stoker. The table is replaced whole; tables of others are left.
            table inet stoker
            delete table inet stoker
            table inet stoker {

            """);
        Set("open_tcp", "inet_service", [.. ssh.Select(p => new PortRange(p, p, "tcp")).Concat(open).Where(p => p.Protocol == "tcp").Distinct().OrderBy(p => p.First).Select(p => $"{p}")]);
        Set("open_udp", "inet_service", [.. open.Where(p => p.Protocol == "udp").Distinct().OrderBy(p => p.First).Select(p => $"{p}")]);
        Set("trusted4", "ipv4_addr", [.. trusted.Where(t => !t.Contains(':'))]);
        Set("trusted6", "ipv6_addr", [.. trusted.Where(t => t.Contains(':'))]);
        text.Append("""
              chain input {
                type filter hook input priority filter; policy drop;
                ct state established,related accept
                ct state invalid drop
                iifname "lo" accept
                # Containers reach services of their host.
                iifname { "docker0", "podman0", "cni0" } accept
                iifname "br-*" accept
                # ICMP of both, by number: a small system has no /etc/protocols.
                meta l4proto { 1, 58 } accept
                # Answers to DHCP for IPv6 come to a multicast, and belong to no connection.
                udp sport 547 udp dport 546 accept
                ip saddr @trusted4 accept
                ip6 saddr @trusted6 accept
                tcp dport @open_tcp accept
                udp dport @open_udp accept
              }
              # Nothing is dropped here but what comes from outside to a published port of a container that is not open.
              chain forward {
                type filter hook forward priority filter - 5; policy accept;
                ct state established,related accept
                iifname { "docker0", "podman0", "cni0" } accept
                iifname "br-*" accept
                ip saddr @trusted4 accept
                ip6 saddr @trusted6 accept
                ct status dnat meta l4proto 6 ct original proto-dst != @open_tcp drop
                ct status dnat meta l4proto 17 ct original proto-dst != @open_udp drop
              }
            }

            """);
        return text.ToString();

        void Set(string name, string type, IReadOnlyList<string> elements) => text.Append(
            $"  set {name} {{\n    type {type}\n    flags interval\n    auto-merge\n{(elements.Count > 0 ? $"    elements = {{ {string.Join(", ", elements)} }}\n" : "")}  }}\n");
    }
}
