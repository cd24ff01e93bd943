using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>Which part of the estate this machine takes.</summary>
internal abstract record HostChoice
{
    /// <summary>No hosts are declared: the estate is this machine.</summary>
    internal sealed record Undeclared : HostChoice;

    /// <summary>This machine is the host; only its services run here.</summary>
    internal sealed record One(HostSpec Host) : HostChoice;

    /// <summary>A rehearsal of all hosts on this machine.</summary>
    internal sealed record All : HostChoice;

    /// <summary>It cannot be said which, and a diagnostic says so: nothing runs here.</summary>
    internal sealed record Nowhere : HostChoice;

    public HostName? Name => (this as One)?.Host.Name;

    public bool Takes(HostSpec? host) => this switch
    {
        Undeclared or All => true,
        One one => host is not null && one.Host.Name == host.Name,
        _ => false,
    };

    public static HostChoice For(EstateSpec estate, PlanRequest request, Observed observed, DiagnosticBag bag)
    {
        if (request.Host is { } asked) return Asked(estate, asked, bag);
        if (estate.Hosts.Count == 0) return new Undeclared();
        if (estate.Hosts.Count == 1) return new One(estate.Hosts.Values.First());

        var mine = estate.Hosts.Values.Where(h => IsThisMachine(h, observed)).ToList();
        if (mine.Count == 1) return new One(mine[0]);
        if (request.Rehearse) return new All();

        bag.Add(
            PlanDiagnostics.NoHostChosen,
            SourcePosition.Whole(estate.File),
            mine.Count == 0
                ? $"none of the hosts {Words.List(Names(estate))} is this machine"
                : $"several hosts are this machine: {Words.List(mine.Select(h => h.Name.Value).Order(StringComparer.Ordinal))}",
            $"say which one it is: `--host {Names(estate).First()}`, or rehearse all of them here: `--rehearse`");
        return new Nowhere();
    }

    /// <summary>By name or address, as the machine knows itself.</summary>
    public static bool IsThisMachine(HostSpec host, Observed observed) =>
        observed.Identities.Contains(host.Name.Value, StringComparer.OrdinalIgnoreCase)
        || (host.Address is { } address && observed.Identities.Contains(address, StringComparer.OrdinalIgnoreCase));

    private static HostChoice Asked(EstateSpec estate, HostName asked, DiagnosticBag bag)
    {
        if (estate.Hosts.TryGetValue(asked, out var host)) return new One(host);
        var hint = Suggestion.For(asked.Value, Names(estate))
            ?? (estate.Hosts.Count == 0 ? "the estate declares no `hosts:`: leave `--host` out" : $"the hosts are {Words.List(Names(estate))}");
        bag.Add(PlanDiagnostics.UnknownHost, SourcePosition.Whole(estate.File), $"host `{asked}` is not declared", hint);
        return new Nowhere();
    }

    private static IEnumerable<string> Names(EstateSpec estate) => estate.Hosts.Keys.Select(h => h.Value).Order(StringComparer.Ordinal);
}
