using System.Globalization;
using Stoker.Estates;
using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>The users that services run as, with their groups, and directories with owners and modes.</summary>
internal static class Accounts
{
    public static ShippedLayer Layer { get; } = new(
        "accounts",
        "system users without a password and without a shell, their groups, and directories with owners and modes",
        [
            new("users", ParameterKind.Accounts, "the users; default: those that the estate's processes on this host run as"),
            new("group", ParameterKind.Account1, "a group that all of them are in; default none"),
            new("groups", ParameterKind.Accounts, "groups that are there already and that all of them are in, as in `video`; default none"),
            new("directories", ParameterKind.Directories, "directories, each with owner, group and mode, as in `/srv/models root:models 2775`; default none"),
        ],
        call =>
        {
            var group = call.Text("group");
            return new LayerContent(
                [
                    .. group is null ? (LayerStep[])[] : [new LayerStep.UserGroup(group, null)],
                    new LayerStep.OnMachine(doors => Task.FromResult<IReadOnlyList<LayerStep>>(
                        [.. Users(call, doors).Select(u => SystemUser(call, u, group))])),
                    .. call.List("directories").Select(Directory),
                ],
                [
                    .. call.List("users").Select(u => call.Check($"user-{u}", new CheckSubject.User(u, true, null, null, group is null ? [] : [group], null, null))),
                    .. call.List("directories").Select(Directory).Select(d => call.Check(
                        $"directory-{d.Path}", new CheckSubject.File(d.Path, true, "directory", d.Mode, d.Owner, d.Group, null, [], null, null))),
                ],
                []);
        });

    /// <summary>Those of processes by name; a number needs no entry, and a container has users of its own.</summary>
    private static IEnumerable<string> Users(ShippedCall call, LayerDoors doors) =>
        call.List("users") is { Count: > 0 } told ? told
        : call.Estate.Services.Values.Where(s => s.Image is null && s.Build is null && DeclaredPorts.IsOn(s, call.Estate, doors.Host)).Select(s => s.User?.Value.Split(':')[0]).OfType<string>()
            .Where(u => u != "root" && ParameterKind.Account1.IsValid(u)).Distinct().Order(StringComparer.Ordinal);

    private static LayerStep.User SystemUser(ShippedCall call, string name, string? group) =>
        new(name, null, null, [.. call.List("groups"), .. group is null ? (string[])[] : [group]], null, "/usr/sbin/nologin", IsSystem: true);

    private static LayerStep.Directory Directory(string line)
    {
        var words = line.Split(' ');
        var owner = Array.Find(words[1..], w => w.Contains(':'))?.Split(':') ?? ["root", "root"];
        var mode = Array.Find(words[1..], w => !w.Contains(':')) ?? "0755";
        return new LayerStep.Directory(words[0], owner[0], owner[1], Convert.ToInt32(mode, 8));
    }
}

/// <summary>What the estate's services on a host are reached at from outside.</summary>
internal static class DeclaredPorts
{
    public static bool IsOn(ServiceSpec service, EstateSpec estate, HostName? host) =>
        host is null || (service.Host?.Value ?? (service.Group is { } group && estate.Groups.TryGetValue(group.Value, out var spec) ? spec.Host : null) ?? host) == host;

    /// <summary>Without those that are for this machine alone.</summary>
    public static IReadOnlyList<PortRange> Of(EstateSpec estate, HostName? host) =>
    [
        .. estate.Services.Values.Where(s => IsOn(s, estate, host)).SelectMany(PortsOf)
            .Distinct().OrderBy(p => p.Protocol, StringComparer.Ordinal).ThenBy(p => p.First),
    ];

    private static IEnumerable<PortRange> PortsOf(ServiceSpec service) =>
        service.Ports.Where(p => p.Published is not null && !IsLoopback(p.HostIp))
            .Select(p => new PortRange(p.Published!.Value, p.PublishedEnd ?? (p.Published.Value + Math.Max(service.Replicas, 1) - 1), p.Protocol));

    private static bool IsLoopback(string? address) => address is "localhost" || (address is not null && System.Net.IPAddress.TryParse(address, out var ip) && System.Net.IPAddress.IsLoopback(ip));
}
