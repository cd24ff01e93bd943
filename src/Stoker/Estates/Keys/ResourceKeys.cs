using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of top-level networks, volumes, secrets and configs.</summary>
internal static class ResourceKeys
{
    private static readonly Shape DriverOptions = Map(TextOrEmpty);

    private static Shape External(string noun) => OneOf(Flag, Keyed(new KeyTable($"external-{noun}", $"Which {noun} that already exists is meant.",
        new KeyRow("name", $"Its name outside the estate; the {noun}'s own `name` is the better place.", Text, Honoured))));

    private static readonly KeyTable Pool = new("ipam-pool", "A range of addresses of a network.",
        new("subnet", "Subnet in CIDR form, as in `10.5.0.0/16`.", Text, Honoured),
        new("ip_range", "Part of the subnet that containers get their addresses from.", Text, Honoured),
        new("gateway", "Address of the gateway within the subnet.", Text, Honoured),
        new("aux_addresses", "Addresses kept free, by host name.", TextMap, Warned("addresses are not kept free: choose an `ip_range` without them")));

    private static readonly KeyTable AddressManagement = new("ipam", "How addresses of a network are given out.",
        new("driver", "What gives out addresses; default: the container tool's own.", Text, Honoured),
        new("config", "Ranges of addresses.", List(Keyed(Pool)), Honoured),
        new("options", "Options of the address driver.", TextMap, Warned("Podman and Docker name these options differently: they are not passed on")));

    public static readonly KeyTable Network = new("network", "A network that containers join.",
        new("name", "What the container tool calls it; default: the estate's name, `_` and the key.", Text, Honoured),
        new("driver", "Network driver; default `bridge`.", Text, Honoured),
        new("driver_opts", "Options of the driver.", DriverOptions, Honoured),
        new("ipam", "Addresses of the network.", Keyed(AddressManagement), Honoured),
        new("external", "It exists already and is not created; default `false`.", External("network"), Honoured),
        new("internal", "Without a way out; default `false`.", Flag, Honoured),
        new("enable_ipv4", "Give out IPv4 addresses; default `true`.", Flag, Warned("Podman cannot switch IPv4 off: it stays on")) { Harmless = "true" },
        new("enable_ipv6", "Give out IPv6 addresses too; default `false`.", Flag, Honoured),
        new("attachable", "Containers from outside may join, as they always may on one host.", Flag, Honoured),
        new("labels", "Labels of the network.", Pairs, Honoured));

    public static readonly KeyTable Volume = new("volume", "A volume that containers share and keep.",
        new("name", "What the container tool calls it; default: the estate's name, `_` and the key.", Text, Honoured),
        new("driver", "Volume driver; default `local`.", Text, Honoured),
        new("driver_opts", "Options of the driver.", DriverOptions, Honoured),
        new("external", "It exists already and is not created; default `false`.", External("volume"), Honoured),
        new("labels", "Labels of the volume.", Pairs, Honoured));

    private static KeyRow[] Material(string noun) =>
    [
        new("name", $"What the container tool calls it, for `external`; default: the {noun}'s key.", Text, Honoured),
        new("file", $"Path of the file that holds the {noun}.", Text, Honoured),
        new("environment", $"Name of the variable of the daemon's environment that holds the {noun}.", Text, Honoured),
        new("external", "The container tool keeps it already; default `false`.", External(noun), Honoured),
        new("labels", "Labels in the container tool's store, which Stoker does not use.", Pairs, Warned("nothing is put into the container tool's store")),
        new("template_driver", "Engine of Docker Swarm that fills in templates.", Text, Refused("values are not templates here", "write the value as it is to be")),
    ];

    public static readonly KeyTable Secret = new("secret", "A secret value from exactly one source.",
    [
        .. Material("secret"),
        new("driver", "Secret driver of Docker Swarm.", Text, Refused("secrets come from `file`, `environment` or `external`")),
        new("driver_opts", "Options of the Swarm driver.", DriverOptions, Warned("there is no driver that would read them")),
    ]);

    public static readonly KeyTable Config = new("config", "A configuration file from exactly one source.",
    [
        .. Material("config"),
        new("content", "The content itself, after interpolation.", TextOrEmpty, Honoured),
    ]);
}
