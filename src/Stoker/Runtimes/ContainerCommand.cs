using System.Globalization;
using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Runtimes;

/// <summary>What starts a container: its steps, the last of which becomes the tool's client, and the variables it gets.</summary>
internal sealed record ContainerPlan(ContainerHandle Handle, IReadOnlyList<ContainerStep> Steps, IReadOnlyDictionary<string, string> Environment);

/// <summary>
/// A planned container as commands of Podman or Docker. Only options that both have, but for the few where they differ
/// (<see cref="ContainerDialect"/>); no value of a variable and no secret in any argument; pure.
/// </summary>
internal static class ContainerCommand
{
    public const string EstateLabel = "stoker.estate", ServiceLabel = "stoker.service", ReplicaLabel = "stoker.replica", RunLabel = "stoker.run", StateLabel = "stoker.state";

    private const string NotifyTarget = "/run/stoker-notify.sock";

    public static string NameOf(string estate, ServiceSpec spec, int replica) => spec.ContainerName switch
    {
        null => $"{estate}-{spec.Name}-{replica}",
        var name => replica == 1 ? name : $"{name}-{replica}",
    };

    public static ContainerHandle HandleOf(ServicePlan plan, int replica, LaunchSurroundings around) =>
        new(plan.Executable!, NameOf(around.Estate, plan.Spec, replica)) { Environment = ClientEnvironment(plan.Spec, around) };

    public static ContainerPlan Compose(ServicePlan plan, ReplicaPlan replica, string runId, LaunchSurroundings around)
    {
        var handle = HandleOf(plan, replica.Index, around);
        var networks = ContainerNetworks.Of(plan.Spec, handle, around);
        var mounts = ContainerMounts.Of(plan.Spec, handle, around);
        var environment = EnvironmentOf(plan, replica, around);
        return new ContainerPlan(
            handle,
            [
                // A name that another owner's container has is not taken away from it: the client then refuses, with the reason.
                ContainerStep.Clear(ContainerClient.List(handle, $"{StateLabel}={around.State}", all: true), ContainerClient.Remove(handle.Tool)),
                .. BuildOf(plan.Spec, handle.Tool, around),
                .. networks.Steps,
                .. mounts.Steps,
                ContainerStep.Run(
                [
                    .. Client(plan.Spec, handle.Tool),
                    .. Labels(plan, replica, runId, around),
                    .. Identity(plan.Spec),
                    .. ContainerEnvironment.Options(environment),
                    .. replica.Ports.SelectMany(Port),
                    .. networks.Options,
                    .. mounts.Options,
                    .. Limits(plan.Spec),
                    .. Gpus(replica, handle.Dialect),
                    .. Mps(plan.Spec, replica, around),
                    .. plan.Spec.ContainerOptions,
                    .. BuildsImage(plan.Spec) && !plan.Spec.ContainerOptions.Any(o => o.StartsWith("--pull=", StringComparison.Ordinal)) ? (string[])["--pull=never"] : [],
                    .. EntrypointAndImage(plan.Spec, around),
                    .. Words(plan.Spec).Select(word => Expansion.Expand(word, environment)),
                ]),
            ],
            environment);
    }

    /// <summary>
    /// The command that runs another one in the container. A marker of the caller goes with it, so that what a check leaves
    /// running is found.
    /// </summary>
    /// <param name="variables">Names, of which the client finds the values in its environment.</param>
    public static IReadOnlyList<string> Exec(
        ContainerHandle handle, IReadOnlyList<string> command, string? user = null, string? directory = null,
        IReadOnlyDictionary<string, string>? variables = null) =>
    [
        .. Through(handle)[..^1],
        .. ContainerEnvironment.Options(variables ?? new Dictionary<string, string>()),
        .. user is null ? (string[])[] : [$"--user={user}"],
        .. directory is null ? (string[])[] : [$"--workdir={directory}"],
        handle.Name,
        .. command,
    ];

    /// <summary>What a command is put behind to run in the container with the container's own user and directory.</summary>
    public static string[] Through(ContainerHandle handle) => [handle.Tool, "exec", "-e", Platform.ProcessTree.MarkerVariable, handle.Name];

    /// <summary>Only what is declared and what Stoker tells of itself; <c>PORT</c> would change what images do that know that name.</summary>
    private static Dictionary<string, string> EnvironmentOf(ServicePlan plan, ReplicaPlan replica, LaunchSurroundings around)
    {
        var environment = new Dictionary<string, string>
        {
            ["STOKER_ESTATE"] = around.Estate,
            ["STOKER_SERVICE"] = plan.Name.Value,
            ["STOKER_REPLICA"] = replica.Index.ToString(CultureInfo.InvariantCulture),
        };
        if (around.NotifySocket is not null)
        {
            environment["NOTIFY_SOCKET"] = NotifyTarget;
            if (plan.Spec.Healthcheck?.Probe is ProbeSpec.Notify { Watchdog: { } watchdog })
                environment["WATCHDOG_USEC"] = ((long)watchdog.TotalMicroseconds).ToString(CultureInfo.InvariantCulture);
        }

        // It has the one card only, whatever its number outside.
        if (replica.Mps is { } share) LaunchComposer.AddMpsClient(environment, share with { Uuid = null }, LaunchComposer.MpsDirectory(around, share.Daemon), replica);
        foreach (var (name, declared) in plan.Spec.Environment)
        {
            if ((declared.Value ?? around.Variables.GetValueOrDefault(name)) is { } value) environment[name] = value;
        }

        foreach (var name in plan.Spec.Environment.Keys)
        {
            if (environment.TryGetValue(name, out var value)) environment[name] = Expansion.Expand(value, environment);
        }

        return environment;
    }

    private static IReadOnlyDictionary<string, string> ClientEnvironment(ServiceSpec spec, LaunchSurroundings around)
    {
        var client = ContainerEnvironment.OfClient(around.Variables).ToDictionary(StringComparer.Ordinal);
        foreach (var name in (spec.Build?.Options ?? []).Select(VariableOfBuild).OfType<string>())
        {
            if (around.Variables.TryGetValue(name, out var value)) client.TryAdd(name, value);
        }

        return client;
    }

    /// <summary><c>--build-arg=NAME</c> and <c>--secret=id=x,env=NAME</c> take their value from the client's environment.</summary>
    private static string? VariableOfBuild(string option)
    {
        const string argument = "--build-arg=", secret = "--secret=", variable = ",env=";
        if (option.StartsWith(argument, StringComparison.Ordinal) && !option[argument.Length..].Contains('=', StringComparison.Ordinal)) return option[argument.Length..];
        var from = option.StartsWith(secret, StringComparison.Ordinal) ? option.IndexOf(variable, StringComparison.Ordinal) : -1;
        return from < 0 ? null : option[(from + variable.Length)..];
    }

    private static IEnumerable<string> Client(ServiceSpec spec, string tool)
    {
        var podman = Dialects.Of(tool) == ContainerDialect.Podman;
        yield return tool;
        // Podman's OCI runtime is a choice of the whole command, Docker's one of the container.
        if (podman && spec.ContainerRuntime is { } global) yield return $"--runtime={global}";
        yield return "run";
        yield return "--rm";
        if (!podman && spec.ContainerRuntime is { } own) yield return $"--runtime={own}";
        // Stoker keeps the log and asks for health; the tool need not do either again.
        yield return "--log-driver=none";
        yield return "--no-healthcheck";
        if (podman) yield return "--http-proxy=false";
    }

    private static IEnumerable<string> Labels(ServicePlan plan, ReplicaPlan replica, string runId, LaunchSurroundings around)
    {
        yield return $"--name={NameOf(around.Estate, plan.Spec, replica.Index)}";
        (string Name, string Value)[] own =
        [
            (EstateLabel, around.Estate), (ServiceLabel, plan.Name.Value), (ReplicaLabel, replica.Index.ToString(CultureInfo.InvariantCulture)),
            (RunLabel, runId), (StateLabel, around.State),
        ];
        foreach (var (name, value) in own) yield return $"--label={name}={value}";
        foreach (var (name, value) in plan.Spec.Labels.OrderBy(l => l.Key, StringComparer.Ordinal)) yield return $"--label={name}={value}";
    }

    private static IEnumerable<string> Identity(ServiceSpec spec)
    {
        const int usual = 15;
        if (spec.User is { } user) yield return $"--user={user.Value}";
        if (spec.WorkingDirectory is { } directory) yield return $"--workdir={directory}";
        // Left out where nothing else is declared, so that the image's own stop signal holds.
        if (spec.StopSignal != usual) yield return $"--stop-signal={spec.StopSignal}";
        yield return $"--stop-timeout={(long)Math.Ceiling(spec.StopGracePeriod.TotalSeconds)}";
    }

    private static IEnumerable<string> Port(PortPlan port)
    {
        var ip = port.HostIp is not { } address ? "" : address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:" : $"{address}:";
        var published = port.Published == 0 ? "" : port.Published.ToString(CultureInfo.InvariantCulture);
        return ["-p", ip.Length + published.Length == 0 ? $"{port.Target}/{port.Protocol}" : $"{ip}{published}:{port.Target}/{port.Protocol}"];
    }

    private static IEnumerable<string> Limits(ServiceSpec spec)
    {
        var resources = spec.Resources;
        if (resources.CpuLimit is { } cpus) yield return string.Create(CultureInfo.InvariantCulture, $"--cpus={cpus:0.###}");
        if (resources.MemoryLimit is { } memory) yield return $"--memory={memory.Bytes}";
        if (resources.MemoryReservation is { } reserved) yield return $"--memory-reservation={reserved.Bytes}";
        if (resources.PidsLimit is { } processes) yield return $"--pids-limit={processes}";
        foreach (var limit in spec.Ulimits) yield return $"--ulimit={limit.Name}={limit.Soft}:{limit.Hard}";
    }

    private static IEnumerable<string> Gpus(ReplicaPlan replica, ContainerDialect dialect)
    {
        var devices = replica.GpuPartitions.Count > 0 ? replica.GpuPartitions : replica.GpuUuids;
        if (devices.Count == 0) return [];
        // Docker reads the value as a line of CSV, in which a list has to be quoted.
        return dialect == ContainerDialect.Docker
            ? [$"--gpus=\"device={string.Join(',', devices)}\""]
            : devices.Select(uuid => $"--device=nvidia.com/gpu={uuid}");
    }

    /// <summary>A client of MPS talks to its server through a directory and shared memory, which must be the same on both sides.</summary>
    private static IEnumerable<string> Mps(ServiceSpec spec, ReplicaPlan replica, LaunchSurroundings around)
    {
        if (replica.Mps is not { } share) yield break;
        var directory = LaunchComposer.MpsDirectory(around, share.Daemon);
        yield return $"--volume={directory}:{directory}";
        if (!spec.ContainerOptions.Any(o => o.StartsWith("--ipc", StringComparison.Ordinal))) yield return "--ipc=host";
    }

    private static IEnumerable<string> EntrypointAndImage(ServiceSpec spec, LaunchSurroundings around)
    {
        // Docker takes one word here; the others go before the command, which comes to the same.
        if (spec.Entrypoint is { } entrypoint) yield return $"--entrypoint={(entrypoint.Count > 0 ? entrypoint[0] : "")}";
        yield return ImageOf(spec, around);
    }

    private static IEnumerable<string> Words(ServiceSpec spec) => (spec.Entrypoint ?? []).Skip(1).Concat(spec.Command ?? []);

    private static string ImageOf(ServiceSpec spec, LaunchSurroundings around) => spec.Image ?? $"{around.Estate}-{spec.Name}";

    private static bool BuildsImage(ServiceSpec spec) => spec.Build is not null;

    private static IEnumerable<ContainerStep> BuildOf(ServiceSpec spec, string tool, LaunchSurroundings around)
    {
        if (spec.Build is not { } build) yield break;
        var image = ImageOf(spec, around);
        var file = build.Dockerfile is { } name ? Path.IsPathRooted(name) || IsRemote(build.Context) ? name : Path.Combine(build.Context, name) : null;
        if (build.DockerfileInline is { } inline)
        {
            file = Path.Combine(around.State, $"Dockerfile.{spec.Name}");
            yield return ContainerStep.Write(file, inline);
        }

        IReadOnlyList<string> check = build.Always ? [] : [tool, "image", "inspect", "--format={{.Id}}", image];
        // Podman's own format of images has no place for a HEALTHCHECK.
        string[] format = Dialects.Of(tool) == ContainerDialect.Podman ? ["--format=docker"] : [];
        yield return ContainerStep.Build(check, [tool, "build", .. format, $"--tag={image}", .. file is null ? (string[])[] : [$"--file={file}"], .. build.Options, build.Context]);
    }

    private static bool IsRemote(string context) => !Path.IsPathRooted(context);
}
