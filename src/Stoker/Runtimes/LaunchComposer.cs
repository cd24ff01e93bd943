using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>What the composer needs to know beyond the plan: places and values of this daemon.</summary>
internal sealed record LaunchSurroundings(string Estate, IReadOnlyDictionary<string, string> Variables, string ProgramPath)
{
    public required string OutputFifo { get; init; }

    public required string ErrorFifo { get; init; }

    /// <summary>What this program is started with to stand in for the service; empty for the real thing.</summary>
    public IReadOnlyList<string> StandInArguments { get; init; } = [];

    /// <summary>Socket for <c>sd_notify</c>, or null where the service has none.</summary>
    public string? NotifySocket { get; init; }

    /// <summary>Where each secret and config of the service has been written, by its declared target.</summary>
    public IReadOnlyDictionary<string, string> Materials { get; init; } = new Dictionary<string, string>();

    /// <summary>The replica's control group, or null where there are none.</summary>
    public Cgroup? Cgroup { get; init; }

    /// <summary>The state directory, which tells this estate's containers from those of another one with the same name.</summary>
    public string State { get; init; } = "";

    /// <summary>Where each MPS control daemon has a directory, by its name.</summary>
    public string Mps { get; init; } = "";

    /// <summary>The whole estate, for the volumes, networks and external secrets that containers use; null: none are declared.</summary>
    public EstateSpec? Declared { get; init; }
}

/// <summary>
/// Turns a planned process into the request that starts it: arguments with <c>$(NAME)</c> expanded, a small and documented
/// environment, user, limits. Everything is decided here; nothing is started.
/// </summary>
internal static class LaunchComposer
{
    /// <summary>Taken over from the daemon's surroundings, because hardly a program runs without them; everything else is declared.</summary>
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"];

    public static ReplicaLaunch Compose(ServicePlan plan, ReplicaPlan replica, string runId, LaunchSurroundings around)
    {
        if (plan.Runtime == RuntimeKind.Container) return ComposeContainer(plan, replica, runId, around);
        var spec = plan.Spec;
        var user = UserOf(spec);
        var environment = EnvironmentOf(plan, replica, runId, around, user);
        var isStandIn = plan.Runtime == RuntimeKind.StandIn;
        IReadOnlyList<string> arguments = isStandIn
            ? spec.Simulation is { } simulation ? [.. simulation.Arguments.Select(word => Expansion.Expand(word, environment))] : around.StandInArguments
            : [.. (spec.Entrypoint ?? []).Concat(spec.Command ?? []).Skip(1).Select(word => Expansion.Expand(word, environment))];
        var request = new LaunchRequest(isStandIn ? around.ProgramPath : plan.Executable!, arguments, environment, spec.WorkingDirectory ?? "/")
        {
            Output = around.OutputFifo,
            ErrorOutput = around.ErrorFifo,
            User = user,
            Umask = spec.Umask,
            Nice = spec.Nice,
            Limits = [.. spec.Ulimits.Select(Limit).OfType<ResourceLimit>()],
        };
        return new ReplicaLaunch(runId, request)
        {
            Cgroup = around.Cgroup,
            Limits = new CgroupLimits(spec.Resources.CpuLimit, spec.Resources.MemoryLimit?.Bytes, MemoryHigh: null, spec.Resources.PidsLimit),
        };
    }

    /// <summary>The client runs as the daemon's user; the container's limits and user are the tool's to keep.</summary>
    private static ReplicaLaunch ComposeContainer(ServicePlan plan, ReplicaPlan replica, string runId, LaunchSurroundings around)
    {
        var container = ContainerCommand.Compose(plan, replica, runId, around);
        var environment = ContainerEnvironment.Pack(container.Handle.Environment, container.Environment);
        environment[ProcessTree.MarkerVariable] = runId;
        var request = new LaunchRequest(around.ProgramPath, [ContainerStart.Verb, .. ContainerStep.ToArguments(container.Steps)], environment, "/")
        {
            Output = around.OutputFifo,
            ErrorOutput = around.ErrorFifo,
        };
        return new ReplicaLaunch(runId, request) { Container = container.Handle };
    }

    /// <summary>Who the service's processes run as; null: the daemon's own user. A name that does not resolve was refused by the plan.</summary>
    public static UserIdentity? UserOf(ServiceSpec spec) =>
        !spec.IsContainer && spec.User is { } declared && Users.TryResolve(declared.Value, out var identity, out _) ? identity : null;

    /// <summary>The environment of hooks, healthchecks and reload commands too: they see what the service sees.</summary>
    public static IReadOnlyDictionary<string, string> EnvironmentOf(
        ServicePlan plan, ReplicaPlan replica, string runId, LaunchSurroundings around, UserIdentity? user)
    {
        var environment = new Dictionary<string, string>();
        foreach (var (name, value) in around.Variables)
        {
            if (Inherited.Contains(name) || name.StartsWith("LC_", StringComparison.Ordinal)) environment[name] = value;
        }

        if (user is not null)
        {
            environment["USER"] = environment["LOGNAME"] = user.Name;
            environment["HOME"] = user.Home ?? "/";
        }

        AddOwn(environment, plan, replica, runId, around);
        foreach (var (name, declared) in plan.Spec.Environment)
        {
            var value = declared.Value ?? around.Variables.GetValueOrDefault(name);
            if (value is null) environment.Remove(name);
            else environment[name] = around.Materials.GetValueOrDefault(value, value);
        }

        foreach (var name in plan.Spec.Environment.Keys)
        {
            if (environment.TryGetValue(name, out var value)) environment[name] = Expansion.Expand(value, environment);
        }

        return environment;
    }

    private static void AddOwn(Dictionary<string, string> environment, ServicePlan plan, ReplicaPlan replica, string runId, LaunchSurroundings around)
    {
        if (!plan.Spec.IsContainer) environment["STOKER"] = around.ProgramPath;
        environment["STOKER_ESTATE"] = around.Estate;
        if (!plan.Spec.IsContainer && around.State.Length > 0) environment["STOKER_STATE"] = around.State;
        environment["STOKER_SERVICE"] = plan.Name.Value;
        environment["STOKER_REPLICA"] = replica.Index.ToString();
        environment[ProcessTree.MarkerVariable] = runId;
        if (replica.Ports.Count > 0) environment["PORT"] = environment["STOKER_PORT"] = replica.Ports[0].Published.ToString();
        foreach (var port in replica.Ports) environment[$"STOKER_PORT_{port.Declared}"] = port.Published.ToString();
        if (plan.MpsOf is { } card) AddMpsDaemon(environment, MpsDirectory(around, plan.Name.Value), card.Uuid);
        else if (replica.Mps is { } share) AddMpsClient(environment, share, MpsDirectory(around, share.Daemon), replica);
        else if (replica.GpuPartitions.Count > 0)
        {
            // The container tool gives a container its devices, which are all it sees.
            if (plan.Runtime != RuntimeKind.Container) environment["CUDA_VISIBLE_DEVICES"] = string.Join(',', replica.GpuPartitions);
        }
        else if (plan.Runtime == RuntimeKind.Process && replica.GpuIndices.Count > 0)
        {
            // By index, because vLLM ends at a UUID here (github.com/vllm-project/vllm/issues/13815, still so in 0.20); in the order of
            // the PCI bus, which is NVML's, because CUDA's own order begins with the fastest card.
            environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
            environment["CUDA_VISIBLE_DEVICES"] = string.Join(',', replica.GpuIndices);
        }

        if (around.NotifySocket is { } socket)
        {
            environment["NOTIFY_SOCKET"] = socket;
            if (plan.Spec.Healthcheck?.Probe is ProbeSpec.Notify { Watchdog: { } watchdog })
                environment["WATCHDOG_USEC"] = ((long)watchdog.TotalMicroseconds).ToString();
        }
    }

    /// <summary>Its own place for pipes and logs, and one card: a fault of a client ends all clients of a server, and they are not to be those of other cards.</summary>
    private static void AddMpsDaemon(Dictionary<string, string> environment, string directory, string? uuid)
    {
        environment["CUDA_MPS_PIPE_DIRECTORY"] = Path.Combine(directory, "pipe");
        environment["CUDA_MPS_LOG_DIRECTORY"] = Path.Combine(directory, "log");
        if (uuid is not null) environment["CUDA_VISIBLE_DEVICES"] = uuid;
    }

    /// <summary>
    /// The server renumbers what it was given: its one card is 0 to every client. The first card has that number anyway; another one is named by its UUID, so that a client which does not find
    /// its server is not on the wrong card. (vLLM, up to 0.20, takes numbers only: <c>CUDA_VISIBLE_DEVICES</c> in its own environment overrides this.)
    /// </summary>
    public static void AddMpsClient(Dictionary<string, string> environment, MpsShare share, string directory, ReplicaPlan replica)
    {
        environment["CUDA_MPS_PIPE_DIRECTORY"] = Path.Combine(directory, "pipe");
        environment["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] = share.ThreadPercent.ToString();
        if (share.Memory is { } bytes) environment["CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"] = $"0={bytes >> 20}M";
        if (share.Uuid is null) return;
        environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
        environment["CUDA_VISIBLE_DEVICES"] = replica.GpuIndices is [0] ? "0" : share.Uuid;
    }

    public static string MpsDirectory(LaunchSurroundings around, string daemon) => Path.Combine(around.Mps, daemon);

    /// <summary>Compose's -1 is no limit; a name that prlimit does not know was refused by the reader.</summary>
    private static ResourceLimit? Limit(UlimitSpec declared)
    {
        if (!ResourceLimit.TryResource(declared.Name, out var resource)) return null;
        var (soft, hard) = (Value(declared.Soft), Value(declared.Hard));
        // Where the daemon may not raise its own hard limit, the plan has said so, and the service gets as much as there is.
        if (!HardLimits.MayBeRaised && HardLimits.Own().TryGetValue(declared.Name, out var own) && own >= 0) hard = Math.Min(hard, (ulong)own);
        return new ResourceLimit(resource, Math.Min(soft, hard), hard);
    }

    private static ulong Value(long limit) => limit < 0 ? ResourceLimit.Unlimited : (ulong)limit;
}
