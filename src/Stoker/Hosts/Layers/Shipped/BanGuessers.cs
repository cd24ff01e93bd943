namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// Addresses that guess at SSH are shut out for a time, by fail2ban. It reads the journal, because a Debian without rsyslog has no auth.log, for want of which Debian's own jail does not start;
/// it bans by nftables in a table of its own.
/// </summary>
internal static class BanGuessers
{
    private const string Place = "/etc/fail2ban/jail.d/stoker.local";

    public static ShippedLayer Layer { get; } = new(
        "fail2ban",
        "addresses that guess at SSH are shut out for a time",
        [
            new("tries", ParameterKind.Number, "failures within `within` after which an address is banned; default 5"),
            new("within", ParameterKind.Interval, "default 10m"),
            new("ban", ParameterKind.Interval, "how long it is banned; default 1h"),
            new("never", ParameterKind.Addresses, "addresses and networks that are never banned, beside the loopback; default none"),
        ],
        call => new LayerContent(
            [
                ShippedCall.Packages("fail2ban", "python3-systemd", "nftables"),
                new LayerStep.OnMachine(async doors => [ShippedCall.File(Place, Text(call, await SshServer.PortsAsync(doors)))]),
                ShippedCall.Run("systemctl", "restart", "fail2ban.service"),
            ],
            [
                call.Service("running", "fail2ban.service", isEnabled: true),
                call.Says("jail", ["fail2ban-client", "status", "sshd"], "Status for the jail: sshd") with { Retries = 20 },
            ],
            [ShippedCall.ReloadIfThere("fail2ban.service")]));

    private static string Text(ShippedCall call, IReadOnlyList<int> ports) => $"""
        # Written by Stoker.
        [DEFAULT]
        ignoreip = {string.Join(' ', ["127.0.0.1/8", "::1", .. call.List("never")])}
        banaction = nftables-multiport
        banaction_allports = nftables-allports

        [sshd]
        enabled = true
        backend = systemd
        # Where passwords are off, a guesser only closes its connection: the ordinary mode does not count that.
        mode = aggressive
        port = {(ports.Count == 0 ? "ssh" : string.Join(',', ports))}
        maxretry = {call.Text("tries") ?? "5"}
        findtime = {call.Text("within") ?? "10m"}
        bantime = {call.Text("ban") ?? "1h"}

        """;
}
