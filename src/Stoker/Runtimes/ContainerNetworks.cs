using Stoker.Estates;

namespace Stoker.Runtimes;

/// <summary>What networks or mounts add to the start of a container.</summary>
internal sealed record ContainerPart(IReadOnlyList<ContainerStep> Steps, IReadOnlyList<string> Options)
{
    public static ContainerPart Nothing { get; } = new([], []);
}

/// <summary>
/// The networks of a container. As under Compose: one network of the estate's own unless others are declared, made when it is
/// missing, in which each service is reached by its name. A network that cannot be made ends the start with the tool's reason:
/// the host's network instead would open ports that nobody published.
/// </summary>
internal static class ContainerNetworks
{
    /// <summary>They exist always and know no names.</summary>
    private static readonly string[] BuiltIn = ["host", "none", "bridge", "podman"];

    public static ContainerPart Of(ServiceSpec spec, ContainerHandle handle, LaunchSurroundings around)
    {
        // network_mode.
        if (spec.ContainerOptions.Any(o => o.StartsWith("--network=", StringComparison.Ordinal))) return ContainerPart.Nothing;
        var uses = spec.JoinedNetworks;
        var steps = uses.Where(u => !BuiltIn.Contains(NameOf(u.Network, around))).Select(u => Step(u.Network, handle, around)).ToList();
        return new ContainerPart(steps, uses.Count == 1 ? [.. Single(uses[0], spec, around)] : [.. uses.Select(u => Several(u, spec, handle.Dialect, around))]);
    }

    private static string NameOf(string key, LaunchSurroundings around) => around.Declared?.Networks.GetValueOrDefault(key) switch
    {
        { GivenName: { } name } => name,
        { External: true } => key,
        _ => $"{around.Estate}_{key}",
    };

    private static ContainerStep Step(string key, ContainerHandle handle, LaunchSurroundings around)
    {
        var name = NameOf(key, around);
        var network = around.Declared?.Networks.GetValueOrDefault(key);
        string[] check = [handle.Tool, "network", "inspect", name];
        if (network is { External: true }) return ContainerStep.Need(check, $"external network `{name}` does not exist; make it with `{Path.GetFileName(handle.Tool)} network create {name}`");
        return ContainerStep.Unless(check,
        [
            handle.Tool, "network", "create",
            $"--label={ContainerCommand.EstateLabel}={around.Estate}", $"--label={ContainerCommand.StateLabel}={around.State}",
            .. Pairs("--label=", network?.Labels),
            .. network?.Driver is { } driver ? (string[])[$"--driver={driver}"] : [],
            .. Pairs("--opt=", network?.DriverOptions),
            .. network is { Internal: true } ? (string[])["--internal"] : [],
            .. network?.CreateOptions ?? [],
            name,
        ]);
    }

    internal static IEnumerable<string> Pairs(string option, IReadOnlyDictionary<string, string>? pairs) =>
        (pairs ?? new Dictionary<string, string>()).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{option}{p.Key}={p.Value}");

    private static IEnumerable<string> Single(NetworkUse use, ServiceSpec spec, LaunchSurroundings around)
    {
        var name = NameOf(use.Network, around);
        yield return $"--network={name}";
        if (BuiltIn.Contains(name)) yield break;
        foreach (var alias in Aliases(use, spec)) yield return $"--network-alias={alias}";
        if (use.Ipv4Address is { } address) yield return $"--ip={address}";
        if (use.Ipv6Address is { } longer) yield return $"--ip6={longer}";
        if (use.MacAddress is { } mac) yield return $"--mac-address={mac}";
    }

    /// <summary><c>--network=a:alias=web,ip=10.5.0.2</c> with Podman, <c>--network=name=a,alias=web,ip=10.5.0.2</c> with Docker (25 and later).</summary>
    private static string Several(NetworkUse use, ServiceSpec spec, ContainerDialect dialect, LaunchSurroundings around)
    {
        var docker = dialect == ContainerDialect.Docker;
        List<string> settings = [.. Aliases(use, spec).Select(a => $"alias={a}")];
        if (use.Ipv4Address is { } address) settings.Add($"ip={address}");
        if (use.Ipv6Address is { } longer) settings.Add($"{(docker ? "ip6" : "ip")}={longer}");
        if (use.MacAddress is { } mac) settings.Add($"{(docker ? "mac-address" : "mac")}={mac}");
        var name = NameOf(use.Network, around);
        return docker ? $"--network=name={name},{string.Join(',', settings)}" : $"--network={name}:{string.Join(',', settings)}";
    }

    private static IEnumerable<string> Aliases(NetworkUse use, ServiceSpec spec) => [spec.Name.Value, .. use.Aliases.Where(a => a != spec.Name.Value)];
}
