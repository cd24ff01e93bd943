using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>Finds ports of this machine that two services take, or that something outside the estate holds.</summary>
internal static class PortClashes
{
    /// <param name="services">Services of this machine that will run.</param>
    public static void Check(
        IEnumerable<PlacedService> services, Func<PlacedService, IReadOnlyList<ReplicaPlan>> replicas, HostChoice here, Observed observed, DiagnosticBag bag)
    {
        var byPort = services
            .SelectMany(s => replicas(s).SelectMany(r => r.Ports.Select((p, i) => new Claim(s, r.Index, p, s.Spec.Ports[i]))))
            .Where(c => c.Plan.Published != 0)
            .GroupBy(c => new Taken(c.Plan.Protocol, c.Plan.Published))
            .OrderBy(g => g.Key.Port).ThenBy(g => g.Key.Protocol, StringComparer.Ordinal);
        var held = observed.Listening.ToLookup(h => new Taken(h.Protocol, h.Port));
        var reported = new HashSet<(ServiceName, ServiceName)>();
        foreach (var taken in byPort)
        {
            var inOrder = taken
                .OrderBy(c => c.Spec.Where.File, StringComparer.Ordinal).ThenBy(c => c.Spec.Where.Line).ThenBy(c => c.Spec.Where.Column)
                .ThenBy(c => c.Service.Name).ThenBy(c => c.Replica)
                .ToList();
            ReportClashes(inOrder, here, reported, bag);
            ReportHolders(inOrder, held[taken.Key], observed, bag);
        }
    }

    private static void ReportClashes(List<Claim> claims, HostChoice here, HashSet<(ServiceName, ServiceName)> reported, DiagnosticBag bag)
    {
        for (var i = 1; i < claims.Count; i++)
        {
            var later = claims[i];
            var first = claims.FindIndex(0, i, c => Overlap(c.Address, later.Address));
            if (first < 0 || !reported.Add((claims[first].Service.Name, later.Service.Name))) continue;
            bag.Add(
                PlanDiagnostics.PortClash,
                later.Spec.Where,
                $"{later.Label} and {claims[first].Label} ({claims[first].Spec.Where}) both take port {later.PortText}"
                    + OnOneMachine(claims[first], later, here),
                later.Plan.Published == later.Plan.Declared
                    ? "give one of them another port"
                    : $"replicas count up from port {later.Plan.Declared}: leave room between the first ports, or publish a range");
        }
    }

    private static string OnOneMachine(Claim first, Claim second, HostChoice here) =>
        here is HostChoice.All && first.Service.Host?.Name != second.Service.Host?.Name
            ? $": in this rehearsal the hosts `{first.Service.Host?.Name}` and `{second.Service.Host?.Name}` are one machine"
            : "";

    private static void ReportHolders(List<Claim> claims, IEnumerable<PortHolder> held, Observed observed, DiagnosticBag bag)
    {
        foreach (var claim in claims)
        {
            // A service that is up holds its ports itself, through a proxy of the container tool too.
            if (observed.Running.TryGetValue(claim.Service.Name, out var running) && running.IsUp) continue;
            if (held.FirstOrDefault(h => Overlap(Parse(h.Address), claim.Address)) is not { } holder) continue;
            bag.Add(
                PlanDiagnostics.PortHeld,
                claim.Spec.Where,
                $"port {claim.PortText} of {claim.Label} is held by {holder.Holder ?? "a process that may not be looked at"} on {holder.Address}",
                "stop it, or give the service another port");
        }
    }

    private static bool Overlap(object? one, object? other) => one is null || other is null || one.Equals(other);

    /// <summary>Null for no address, <c>0.0.0.0</c> and <c>::</c>, which overlap everything; else something to compare.</summary>
    private static object? Parse(string? address)
    {
        if (string.IsNullOrEmpty(address) || address == "*") return null;
        if (address == "localhost") return IPAddress.Loopback;
        if (!IPAddress.TryParse(address, out var parsed)) return address;
        if (parsed.IsIPv4MappedToIPv6) parsed = parsed.MapToIPv4();
        return parsed.Equals(IPAddress.Any) || parsed.Equals(IPAddress.IPv6Any) ? null : parsed;
    }

    private sealed record Taken(string Protocol, int Port);

    private sealed record Claim(PlacedService Service, int Replica, PortPlan Plan, PortSpec Spec)
    {
        public object? Address { get; } = Parse(Plan.HostIp);

        public string Label => Service.Replicas > 1 ? $"replica {Replica} of service `{Service.Name}`" : $"service `{Service.Name}`";

        public string PortText => Plan.Protocol == "tcp" ? $"{Plan.Published}" : $"{Plan.Published}/{Plan.Protocol}";
    }
}
