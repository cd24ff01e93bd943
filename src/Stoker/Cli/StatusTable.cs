using System.Text;
using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>
/// <c>stoker status</c> for people: services under their groups, a line for each replica where there are several, and the count
/// below. A stand-in carries a star behind its state.
/// </summary>
internal static class StatusTable
{
    public static IReadOnlyList<TableColumn> Columns { get; } =
    [
        new("NAME", Most: 32),
        new("STATE"),
        new("FOR", Right: true, Sacrifice: 1),
        new("RESTARTS", Right: true, Sacrifice: 3),
        new("PID", Right: true, Sacrifice: 4),
        new("PORTS", Sacrifice: 2, Most: 24),
        new("REASON"),
    ];

    public static IReadOnlyList<string> Lay(StatusDocument status, DateTimeOffset now, int width, Style style)
    {
        // Loops here and below: a query over pairs or numbers has its code made at each start.
        var rows = new List<TableRow>();
        foreach (var (row, _) in Rows(status, now)) rows.Add(row);
        var lines = rows.Count > 0 ? Table.Lay(Columns, rows, width, style) : [];
        return [.. lines, "", TextWidth.Cut(Summary(status), width)];
    }

    /// <summary><c>ai-system on mainpc: 43 healthy, 2 running (* 12 stand-ins)</c></summary>
    public static string Summary(StatusDocument status)
    {
        var where = status.Host is { } host ? $"{status.Estate} on {host}" : status.Estate;
        return status.Services.Count == 0 ? $"{where}: no services" : $"{where}: {States.Count(status.Services)}{StandIns(status, " (* ", ")")}";
    }

    /// <summary>How many stand-ins there are, between marks; empty for none.</summary>
    public static string StandIns(StatusDocument status, string before, string after)
    {
        var count = status.Services.Count(s => s.StandIn is not null);
        return count == 0 ? "" : $"{before}{count} stand-in{(count == 1 ? "" : "s")}{after}";
    }

    /// <summary>Rows with the service each belongs to; null for headings.</summary>
    public static IEnumerable<(TableRow Row, ServiceDocument? Service)> Rows(StatusDocument status, DateTimeOffset now)
    {
        foreach (var group in status.Services.GroupBy(s => s.Group))
        {
            if (group.Key is not null) yield return (new TableRow([]) { Heading = Heading(group, status) }, null);
            var indent = group.Key is not null ? "  " : "";
            foreach (var service in group)
            {
                yield return (ServiceRow(service, indent, now), service);
                if (service.Replicas.Count < 2) continue;
                foreach (var replica in service.Replicas) yield return (ReplicaRow(replica, indent + "  ", now), service);
            }
        }
    }

    private static string Heading(IGrouping<string?, ServiceDocument> group, StatusDocument status)
    {
        var hosts = group.Select(s => s.Host).OfType<string>().Distinct().ToList();
        return hosts.Count == 0 || (hosts.Count == 1 && hosts[0] == status.Host) ? group.Key! : $"{group.Key} on {string.Join(", ", hosts)}";
    }

    private static TableRow ServiceRow(ServiceDocument service, string indent, DateTimeOffset now) => new(
    [
        new(indent + service.Name, Tone.Name),
        new(StateWords.Of(service.State) + (service.StandIn is null ? "" : "*"), States.Tone(service.State)),
        new(Durations.Short(now - service.Since)),
        new($"{service.Restarts}", service.Restarts > 0 ? Tone.Busy : Tone.Dim),
        new(service.Replicas.Count < 2 ? $"{service.Pid}" : $"×{service.Replicas.Count}"),
        new(Ports(PortsOf(service))),
        new(States.Reason(service)),
    ]);

    private static List<int> PortsOf(ServiceDocument service)
    {
        var ports = new List<int>();
        foreach (var replica in service.Replicas) ports.AddRange(replica.Ports);
        return ports;
    }

    private static TableRow ReplicaRow(ReplicaDocument replica, string indent, DateTimeOffset now) => new(
    [
        new($"{indent}.{replica.Index}", Tone.Dim),
        new(StateWords.Of(replica.State), States.Tone(replica.State)),
        new(Durations.Short(now - replica.Since)),
        new($"{replica.Restarts}", replica.Restarts > 0 ? Tone.Busy : Tone.Dim),
        new($"{replica.Pid}"),
        new(Ports(replica.Ports)),
        new(replica.Reason ?? replica.OwnStatus ?? ""),
    ]);

    /// <summary>In order, neighbours as a range: <c>7300-7302,9100</c>.</summary>
    internal static string Ports(IReadOnlyList<int> ports)
    {
        var sorted = new int[ports.Count];
        for (var i = 0; i < sorted.Length; i++) sorted[i] = ports[i];
        Array.Sort(sorted);
        var text = new StringBuilder();
        for (var i = 0; i < sorted.Length;)
        {
            var end = i;
            while (end + 1 < sorted.Length && sorted[end + 1] <= sorted[end] + 1) end++;
            if (text.Length > 0) text.Append(',');
            text.Append(sorted[i]);
            if (sorted[end] > sorted[i]) text.Append(sorted[end] == sorted[i] + 1 ? ',' : '-').Append(sorted[end]);
            i = end + 1;
        }

        return text.ToString();
    }
}
