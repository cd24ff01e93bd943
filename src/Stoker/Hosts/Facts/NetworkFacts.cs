namespace Stoker.Hosts.Facts;

internal sealed record NetworkFacts(IReadOnlyList<LinkFacts> Links, IReadOnlyList<RouteFacts> Routes, NameFacts Names, IReadOnlyList<ReachFacts> Reach);

/// <param name="Kind"><c>ethernet wlan loopback bridge bond vlan wireguard virtual</c>.</param>
/// <param name="State">As the kernel says: <c>up</c>, <c>down</c>, <c>unknown</c>.</param>
/// <param name="SpeedMbits">Null where the link is down, or has no speed.</param>
internal sealed record LinkFacts(string Name, string Kind, string State, int? SpeedMbits, string? Duplex, int? Mtu, string? Mac, string? Driver, IReadOnlyList<string> Addresses);

/// <param name="To">A network, or <c>default</c>.</param>
/// <param name="Via">Null: directly on the link.</param>
internal sealed record RouteFacts(string To, string? Via, string Link, long Metric);

/// <param name="Sources">Where names are looked up, in order, as nsswitch.conf says: <c>files</c>, <c>dns</c>.</param>
internal sealed record NameFacts(IReadOnlyList<string> Servers, IReadOnlyList<string> Search, IReadOnlyList<string> Sources);

/// <param name="Name">What declares it: <c>hosts.pc2</c>, <c>models.large</c>.</param>
/// <param name="Outcome"><c>open</c>; <c>refused</c>: the machine answers and nothing listens there; <c>unreachable</c>, <c>no answer</c>, <c>no address</c>.</param>
/// <param name="Detail">In words where it is not open.</param>
internal sealed record ReachFacts(string Name, string Host, int Port, string Outcome, double TookMs, string? Detail);
