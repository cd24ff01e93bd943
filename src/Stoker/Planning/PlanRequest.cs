using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>What the owner asked for on the command line.</summary>
internal sealed record PlanRequest
{
    /// <summary><c>--host</c>; null: the only host, or the one whose name or address is this machine's.</summary>
    public HostName? Host { get; init; }

    public bool Rehearse { get; init; }

    public IReadOnlySet<string> Profiles { get; init; } = new HashSet<string>();

    /// <summary>Only these services and what they depend on; empty: all active ones.</summary>
    public IReadOnlyList<ServiceName> Names { get; init; } = [];

    /// <summary>These too, as far as the file has them: they were asked for by name before.</summary>
    public IReadOnlyList<ServiceName> Beside { get; init; } = [];

    /// <summary>Replicas set by <c>stoker scale</c>, which outlive the daemon and yield to a change of the file.</summary>
    public IReadOnlyDictionary<ServiceName, int> Scale { get; init; } = new Dictionary<ServiceName, int>();
}

/// <summary>
/// What was found out about this machine before planning. Gathered by <c>Hosts</c> and <c>Supervision</c>; the planner itself
/// looks at nothing.
/// </summary>
internal sealed record Observed
{
    /// <summary>
    /// Absolute path for each first word of a command that was looked up (all of <see cref="CommandWords.ToLookUp"/>); null when
    /// it is not installed.
    /// </summary>
    public IReadOnlyDictionary<string, string?> Executables { get; init; } = new Dictionary<string, string?>();

    /// <summary>The tool that runs containers; looked for only when the estate has any.</summary>
    public ContainerTool? ContainerTool { get; init; }

    /// <summary>Why a tool that is installed cannot be used, in words; null when there is none, or it can.</summary>
    public string? ContainerToolProblem { get; init; }

    /// <summary>Why the GPUs' driver does not tell which there are, in words; null where it does, or there is none.</summary>
    public string? GpuProblem { get; init; }

    public double Cpus { get; init; } = 1;

    public ByteSize Memory { get; init; }

    /// <summary>Host name and addresses of this machine, to find itself among <c>hosts:</c>.</summary>
    public IReadOnlyList<string> Identities { get; init; } = [];

    /// <summary>Ports that something outside this estate listens on.</summary>
    public IReadOnlyList<PortHolder> Listening { get; init; } = [];

    /// <summary>GPUs really present. With <c>hosts:</c> declared, requests are fitted to the declaration.</summary>
    public IReadOnlyList<GpuFact> Gpus { get; init; } = [];

    /// <summary>cgroup v2 controllers that this daemon may use: <c>cpu</c>, <c>memory</c>, <c>pids</c>; empty when none.</summary>
    public IReadOnlySet<string> CgroupControllers { get; init; } = new HashSet<string>();

    /// <summary>Why limits by cgroup cannot be enforced; null when they can.</summary>
    public string? CgroupProblem { get; init; }

    /// <summary>Runs as root: may change user, lower nice, raise hard limits.</summary>
    public bool IsRoot { get; init; }

    /// <summary>May give a service more than its own hard limits (CAP_SYS_RESOURCE; root lacks it in most containers); null: as root may.</summary>
    public bool? MayRaiseHardLimits { get; init; }

    /// <summary>The daemon's own hard limits by name as in <c>ulimits:</c> (-1: unlimited); a name that is absent was not looked at.</summary>
    public IReadOnlyDictionary<string, long> HardLimits { get; init; } = new Dictionary<string, long>();

    /// <summary>Of each tunnel by SSH, what was found of its files; one that is absent was not looked at.</summary>
    public IReadOnlyDictionary<ServiceName, TunnelFacts> Tunnels { get; init; } = new Dictionary<ServiceName, TunnelFacts>();

    /// <summary>Services that are running now, as the daemon knows them; empty without a daemon.</summary>
    public IReadOnlyDictionary<ServiceName, ObservedService> Running { get; init; } = new Dictionary<ServiceName, ObservedService>();

    /// <summary>How long each service took to be up when last started here.</summary>
    public IReadOnlyDictionary<ServiceName, TimeSpan> StartTimes { get; init; } = new Dictionary<ServiceName, TimeSpan>();
}

/// <param name="Name"><c>podman</c> or <c>docker</c>.</param>
internal sealed record ContainerTool(string Name, string Executable);

/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="Holder"><c>pid 812, nginx</c>, or null when it may not be read.</param>
internal sealed record PortHolder(string Address, int Port, string Protocol, string? Holder);

internal sealed record GpuFact(int Index, string Uuid, string Model, ByteSize Memory);

/// <param name="IsUp">At least one replica is alive, or a task has completed and is not to run again.</param>
internal sealed record ObservedService(string Fingerprint, int Replicas, bool IsUp)
{
    /// <summary><see cref="ServicePlan.Gpus"/> of the plan it was started by, so that a new plan leaves it on its GPUs where it can.</summary>
    public IReadOnlyList<string> Gpus { get; init; } = [];
}
