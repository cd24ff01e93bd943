using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Keys;

namespace Stoker.Hosts.Checks;

/// <summary>
/// What must be so on a machine, and whether it is: <c>hosts.NAME.checks</c>, and lists of checks under a name in <c>doctor:</c>.
/// <code>
///  hosts: doctor: ─→ CheckReader ─→ CheckSpec… ─→ CheckRun: by needs, side by side, again while they do not pass ─→ CheckResult…
///  hosts.NAME.cpus, memory, gpus ─→ DeclaredCheck ─┘        └─ each kind its maker, over the doors of facts      └─→ table, JSON, JUnit, TAP
/// </code>
/// Promises: every line has what was expected, what was found, where, and a way to mend it; nothing is changed on the machine, but for what a command of one's own does.
/// What cannot be looked at is unknown, and unknown is never passed. Refuses: a check of no kind or of two, needs that lead in a circle.
/// </summary>
internal static class ChecksModule
{
    public static SectionSpec Section { get; } = new(
        "doctor",
        "Lists of checks by name, for `stoker doctor --profile NAME`; `onboarding`, `gpu` and `gateway` are there without.",
        IsActedOn: true)
    {
        Shape = CheckKeys.Profiles,
        Expand = Expand,
    };

    private static EstateSpec Expand(EstateSpec estate, SectionSource source)
    {
        if (source.Section is null && estate.Hosts.Values.All(h => h.Checks is null)) return estate;
        var reader = new CheckReader(source.Context.PathAt, source.Bag);
        var hosts = new Dictionary<HostName, IReadOnlyList<CheckSpec>>();
        foreach (var host in estate.Hosts.Values)
        {
            var checks = reader.Read(host.Checks, $"hosts.{host.Name}.checks");
            reader.CheckNeeds(checks);
            hosts[host.Name] = checks;
        }

        var profiles = source.Section is null ? new Dictionary<string, ProfileSpec>() : ProfileReader.Read(source.Section, reader, source.Bag);
        return estate with { Parts = [.. estate.Parts, new ChecksSpec(hosts, profiles)] };
    }
}
