using Stoker.Estates;

namespace Stoker.Runtimes;

/// <summary>What is mounted into a container: its volumes, and its secrets and configs as files that it can only read.</summary>
internal static class ContainerMounts
{
    public static ContainerPart Of(ServiceSpec spec, ContainerHandle handle, LaunchSurroundings around)
    {
        var steps = new List<ContainerStep>();
        var options = new List<string>();
        foreach (var mount in spec.Mounts)
        {
            if (mount is { Kind: MountKind.Bind, CreatesHostPath: true }) steps.Add(ContainerStep.Directory(mount.Source!));
            if (mount is { Kind: MountKind.Volume, Source: { } volume } && Step(volume, handle, around) is { } step) steps.Add(step);
            options.AddRange(Option(mount, around));
        }

        foreach (var (target, file) in around.Materials) options.AddRange(["-v", $"{file}:{target}:ro"]);
        AddExternal(spec.Secrets, around.Declared?.Secrets, "secret");
        AddExternal(spec.Configs, around.Declared?.Configs, "config");
        if (around.NotifySocket is { } socket) options.AddRange(["-v", $"{socket}:/run/stoker-notify.sock"]);
        return new ContainerPart(steps, options);

        void AddExternal(IReadOnlyList<MaterialUse> uses, IReadOnlyDictionary<string, MaterialSpec>? declared, string noun)
        {
            foreach (var use in uses)
            {
                if (declared?.GetValueOrDefault(use.Source) is not { External: true } material) continue;
                var name = material.GivenName ?? material.Name;
                var tool = Path.GetFileName(handle.Tool);
                steps.Add(ContainerStep.Need([handle.Tool, "secret", "inspect", name], $"external {noun} `{name}` does not exist; make it with `{tool} secret create {name} FILE`"));
                options.Add(External(use, name, Materials.TargetOf(use, noun == "secret")));
            }
        }
    }

    private static string NameOf(string key, LaunchSurroundings around) => around.Declared?.Volumes.GetValueOrDefault(key) switch
    {
        { GivenName: { } name } => name,
        { External: true } => key,
        _ => $"{around.Estate}_{key}",
    };

    /// <summary>Null for a plain volume: the tool makes it with the first container that mounts it.</summary>
    private static ContainerStep? Step(string key, ContainerHandle handle, LaunchSurroundings around)
    {
        var name = NameOf(key, around);
        string[] check = [handle.Tool, "volume", "inspect", name];
        return around.Declared?.Volumes.GetValueOrDefault(key) switch
        {
            { External: true } => ContainerStep.Need(check, $"external volume `{name}` does not exist; make it with `{Path.GetFileName(handle.Tool)} volume create {name}`"),
            { } volume when volume.Driver is not null || volume.DriverOptions.Count + volume.Labels.Count > 0 => ContainerStep.Unless(check,
            [
                handle.Tool, "volume", "create",
                $"--label={ContainerCommand.EstateLabel}={around.Estate}",
                .. ContainerNetworks.Pairs("--label=", volume.Labels),
                .. volume.Driver is { } driver ? (string[])[$"--driver={driver}"] : [],
                .. ContainerNetworks.Pairs("--opt=", volume.DriverOptions),
                name,
            ]),
            _ => null,
        };
    }

    private static string[] Option(MountSpec mount, LaunchSurroundings around)
    {
        var settings = mount.Options.Count > 0 ? $":{string.Join(',', mount.Options)}" : "";
        return mount.Kind switch
        {
            MountKind.Bind => ["-v", $"{mount.Source}:{mount.Target}{settings}"],
            MountKind.Volume => ["-v", mount.Source is { } volume ? $"{NameOf(volume, around)}:{mount.Target}{settings}" : $"{mount.Target}{settings}"],
            MountKind.Tmpfs => [$"--tmpfs={mount.Target}{settings}"],
        };
    }

    /// <summary>Podman keeps secrets by itself, and configs are secrets with another place; with Docker the plan has refused them.</summary>
    private static string External(MaterialUse use, string name, string target)
    {
        var settings = $"{name},target={target}";
        if (use.Uid is { } uid) settings += $",uid={uid}";
        if (use.Gid is { } gid) settings += $",gid={gid}";
        if (use.Mode is { } mode) settings += $",mode={Convert.ToString(mode, 8).PadLeft(4, '0')}";
        return $"--secret={settings}";
    }
}
