using Stoker.Diagnostics;

namespace Stoker.Estates;

/// <summary>One entry of <c>services:</c>. Without <see cref="Image"/> and <see cref="Build"/> it is a plain process.</summary>
internal sealed record ServiceSpec(ServiceName Name, SourcePosition Where)
{
    /// <summary>Extension: the group the service belongs to.</summary>
    public Positioned<GroupName>? Group { get; init; }

    /// <summary>Extension: the host that runs it; default: its group's host, else the only host.</summary>
    public Positioned<HostName>? Host { get; init; }

    /// <summary>Words of the command; a string is split as a shell splits words, but no shell runs it. Null: the image's own.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    public SourcePosition? CommandWhere { get; init; }

    /// <summary>Put before <see cref="Command"/>; for containers it replaces the image's entry point. Null: none declared.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    public string? Image { get; init; }

    public BuildSpec? Build { get; init; }

    /// <summary>Merged from <c>env_file</c> and <c>environment</c>, in order. A null value is taken from the daemon's environment.</summary>
    public IReadOnlyDictionary<string, Positioned<string?>> Environment { get; init; } = new Dictionary<string, Positioned<string?>>();

    /// <summary>Absolute for processes, by default the estate's directory; as written for containers, by default the image's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary><c>name|uid[:group|gid]</c>; default: the daemon's own user.</summary>
    public Positioned<string>? User { get; init; }

    public IReadOnlyList<PortSpec> Ports { get; init; } = [];

    public IReadOnlyDictionary<ServiceName, DependencySpec> DependsOn { get; init; } = new Dictionary<ServiceName, DependencySpec>();

    public HealthcheckSpec? Healthcheck { get; init; }

    public RestartSpec Restart { get; init; } = RestartSpec.Never;

    /// <summary>The signal that asks it to stop; default <c>SIGTERM</c>.</summary>
    public int StopSignal { get; init; } = 15;

    /// <summary>How long it may take to stop before it is killed; default 10 s.</summary>
    public TimeSpan StopGracePeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Extension: how it is told to read its configuration again; null: <c>stoker reload</c> is refused.</summary>
    public ReloadSpec? Reload { get; init; }

    /// <summary><c>deploy.replicas</c> or <c>scale</c>; default 1.</summary>
    public int Replicas { get; init; } = 1;

    public ResourceSpec Resources { get; init; } = new();

    public IReadOnlyList<UlimitSpec> Ulimits { get; init; } = [];

    /// <summary>Extension: the file mode creation mask, octal.</summary>
    public int? Umask { get; init; }

    /// <summary>Extension: scheduling priority, -20 to 19.</summary>
    public int? Nice { get; init; }

    public IReadOnlyList<MaterialUse> Secrets { get; init; } = [];

    public IReadOnlyList<MaterialUse> Configs { get; init; } = [];

    public IReadOnlyList<MountSpec> Mounts { get; init; } = [];

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public LoggingSpec Logging { get; init; } = new();

    /// <summary>Active only when one of these is asked for by <c>--profile</c>, or the service by name. Empty: always.</summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>Names of <c>models:</c> whose address and name the service gets in its environment.</summary>
    public IReadOnlyList<ModelUse> Models { get; init; } = [];

    public IReadOnlyList<HookSpec> PostStart { get; init; } = [];

    public IReadOnlyList<HookSpec> PreStop { get; init; } = [];

    /// <summary>Networks it joins; empty: the estate's own, or what <c>network_mode</c> says in <see cref="ContainerOptions"/>.</summary>
    public IReadOnlyList<NetworkUse> Networks { get; init; } = [];

    /// <summary>As under Compose: the estate's own network where none is declared.</summary>
    public IReadOnlyList<NetworkUse> JoinedNetworks => Networks.Count > 0 ? Networks : [new NetworkUse("default", [], null, null, null, Where)];

    /// <summary><c>container_name</c>; null: made from the names of the estate and the service and the replica's number.</summary>
    public string? ContainerName { get; init; }

    /// <summary><c>runtime</c>, the OCI runtime: <c>podman --runtime=X run</c>, <c>docker run --runtime=X</c>. Null: the tool's own.</summary>
    public string? ContainerRuntime { get; init; }

    /// <summary>Extension: it is a tunnel by SSH; its command has been made of it.</summary>
    public TunnelSpec? Tunnel { get; init; }

    /// <summary>Options of <c>run</c> that Podman and Docker share, for keys that only a container can honour, in order.</summary>
    public IReadOnlyList<string> ContainerOptions { get; init; } = [];

    public bool IsContainer => Image is not null || Build is not null;

    /// <summary>Planned like any other, and started only when it is asked for by name.</summary>
    public bool StartsOnRequest { get; init; }

    /// <summary>What stands in for it in a rehearsal; null: a stand-in that listens and answers its healthcheck, and does no more.</summary>
    public SimulationSpec? Simulation { get; init; }

    /// <summary>In a command, this program itself, wherever it is installed: <c>$(STOKER)</c>, from the environment of every service.</summary>
    public const string OwnProgram = "$(STOKER)";
}

/// <summary>A simulation of the real thing by this program, for a rehearsal.</summary>
/// <param name="Arguments">What follows the name of the program; <c>$(PORT)</c> and the like are expanded.</param>
/// <param name="Healthcheck">Asked in place of the real one; null: the real one, which the simulation answers.</param>
internal sealed record SimulationSpec(IReadOnlyList<string> Arguments, HealthcheckSpec? Healthcheck = null);

internal sealed record BuildSpec(string Context, string? Dockerfile, SourcePosition Where)
{
    /// <summary>The Dockerfile itself, given to the container tool on its input (<c>--file=-</c>).</summary>
    public string? DockerfileInline { get; init; }

    /// <summary><c>pull_policy: build</c>: built anew for each start, and not only when the image is missing.</summary>
    public bool Always { get; init; }

    /// <summary>Further options of <c>build</c> in order: <c>--build-arg A=1</c>, <c>--target x</c>, …</summary>
    public IReadOnlyList<string> Options { get; init; } = [];
}

/// <summary>One port of a service. For a process, <see cref="Published"/> is the port it listens on.</summary>
/// <param name="HostIp">Address to listen on for containers; default all addresses, as Compose says.</param>
/// <param name="Published">First published port; null: the container tool picks one.</param>
/// <param name="PublishedEnd">Last port of a range; replicas take one each.</param>
internal sealed record PortSpec(string? HostIp, int? Published, int? PublishedEnd, int Target, string Protocol, SourcePosition Where)
{
    /// <summary><c>name</c> of the long form, for people.</summary>
    public string? Purpose { get; init; }

    /// <summary><c>app_protocol</c> of the long form: what is spoken on it, as in <c>http</c>.</summary>
    public string? ApplicationProtocol { get; init; }
}

internal enum DependencyCondition
{
    Started,
    Healthy,
    CompletedSuccessfully,
}

/// <param name="Restart">Restart this service too when the dependency is restarted or changed by the owner (not when it crashes), as Compose says.</param>
/// <param name="Required">When false, a dependency that is missing or failed is only a warning.</param>
internal sealed record DependencySpec(ServiceName Service, DependencyCondition Condition, bool Restart, bool Required, SourcePosition Where)
{
    /// <summary>Comes from Compose's older <c>links</c>.</summary>
    public bool IsLink { get; init; }
}

/// <summary>How health is asked.</summary>
internal sealed record HealthcheckSpec(ProbeSpec Probe, SourcePosition Where)
{
    /// <summary>Between two probes once started; default 30 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one probe may take; default 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Failures in a row, after the start period, that make it unhealthy; default 3.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>Time to become healthy in which failures do not count; default 0 s.</summary>
    public TimeSpan StartPeriod { get; init; } = TimeSpan.Zero;

    /// <summary>The slowest pace of probes until first healthy (they begin 1 ms after the start and slow down); default: the interval, at most 1 s.</summary>
    public TimeSpan? StartInterval { get; init; }

    /// <summary>Of a container: the times that the file does not say, which are the image's own where that says them.</summary>
    public HealthcheckTimes LeftToImage { get; init; }

    /// <summary>How health is asked is not known before the image is.</summary>
    public bool AsksImage => Probe is ProbeSpec.Image || LeftToImage != HealthcheckTimes.None;
}

internal abstract record ProbeSpec
{
    /// <summary>A command that succeeds with exit code 0 (<c>test: [CMD, …]</c>); through <c>/bin/sh -c</c> only for CMD-SHELL.</summary>
    internal sealed record Exec(IReadOnlyList<string> Command) : ProbeSpec;

    /// <summary>Extension: a GET that answers 200 to 399, or the declared status.</summary>
    internal sealed record Http(Uri Url, int? Status = null) : ProbeSpec;

    /// <summary>Extension: a port that accepts a connection.</summary>
    internal sealed record Tcp(string Host, int Port) : ProbeSpec
    {
        /// <summary>Not only accepts it, but says something or keeps it open for this long, as one that is passed on does; null: it is closed at once.</summary>
        public TimeSpan? Held { get; init; }
    }

    /// <summary>Extension: ready once a line of its output matches.</summary>
    internal sealed record Log(string Pattern) : ProbeSpec;

    /// <summary>Extension: the service says so itself by systemd's <c>sd_notify</c> protocol.</summary>
    /// <param name="Watchdog">Unhealthy when no <c>WATCHDOG=1</c> comes in this time; null: no watchdog.</param>
    internal sealed record Notify(TimeSpan? Watchdog) : ProbeSpec;

    /// <summary>Extension: its own processes hold memory on the GPU that it was given, and work there.</summary>
    /// <param name="MoreThan">Of GPU memory; null: any.</param>
    /// <param name="Activity">The GPU's time is used by its processes, while <paramref name="Canary"/> is asked where there is one.</param>
    /// <param name="Canary">A GET that makes it work.</param>
    internal sealed record Gpu(ByteSize? MoreThan, bool Activity, Uri? Canary) : ProbeSpec;

    /// <summary>Of a container whose file does not say what to ask: its image's own test, if it has one.</summary>
    internal sealed record Image : ProbeSpec;

    /// <summary><c>disable: true</c> or <c>test: NONE</c>.</summary>
    internal sealed record None : ProbeSpec;
}

internal enum RestartMode
{
    No,
    OnFailure,
    Always,
    UnlessStopped,
}

/// <summary><c>restart:</c>, <c>deploy.restart_policy</c> and the extension <c>restart_policy</c>.</summary>
/// <param name="MaxAttempts">Restarts allowed within <see cref="Window"/>; null: no limit.</param>
internal sealed record RestartSpec(RestartMode Mode, int? MaxAttempts = null)
{
    public static RestartSpec Never { get; } = new(RestartMode.No);

    /// <summary>Before the second restart in a row; the first after a healthy time is immediate. Default 100 ms.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The delay grows to this; default 1 min.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Growth from one delay to the next; default 2.</summary>
    public double Factor { get; init; } = 2;

    /// <summary>Being up (and healthy, where a healthcheck is declared) for this long forgets earlier failures; also the window of <see cref="MaxAttempts"/>. Default 10 s.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Extension <c>reload:</c> a signal (<c>SIGHUP</c>) or a command; exactly one is set.</summary>
internal sealed record ReloadSpec(int? Signal, IReadOnlyList<string>? Command, SourcePosition Where);

/// <summary><c>deploy.resources</c>, <c>cpus</c>, <c>mem_limit</c>, <c>pids_limit</c> and <c>gpus</c>, brought together.</summary>
internal sealed record ResourceSpec
{
    public double? CpuLimit { get; init; }

    public ByteSize? MemoryLimit { get; init; }

    public long? PidsLimit { get; init; }

    public double? CpuReservation { get; init; }

    public ByteSize? MemoryReservation { get; init; }

    public IReadOnlyList<GpuRequest> Gpus { get; init; } = [];

    /// <summary>Where the first of the limits was written.</summary>
    public SourcePosition Where { get; init; }
}

/// <param name="Count">How many GPUs; null means all (<c>count: all</c>).</param>
/// <param name="DeviceIds">GPUs by UUID or index as the owner wrote them; excludes <paramref name="Count"/>.</param>
/// <param name="Memory">Extension: memory needed on each.</param>
internal sealed record GpuRequest(int? Count, IReadOnlyList<string> DeviceIds, ByteSize? Memory, string Share, SourcePosition Where)
{
    /// <summary>See <see cref="GpuShareSpec.EndsOveruse"/>.</summary>
    public bool EndsOveruse { get; init; }
}

/// <param name="Name">As in <c>ulimits:</c>: <c>nofile</c>, <c>nproc</c>, <c>core</c>, … -1 is unlimited.</param>
internal sealed record UlimitSpec(string Name, long Soft, long Hard, SourcePosition Where);

/// <summary>A service's use of a secret or config.</summary>
/// <param name="Target">Where the service finds it: absolute path, default <c>/run/secrets/SOURCE</c> or <c>/SOURCE</c>.</param>
internal sealed record MaterialUse(string Source, string? Target, string? Uid, string? Gid, int? Mode, SourcePosition Where);

internal enum MountKind
{
    Bind,
    Volume,
    Tmpfs,
}

/// <param name="Source">Absolute path, or the name of a volume; null for anonymous volumes and tmpfs.</param>
/// <param name="Options">As the container tool takes them: <c>ro</c>, <c>z</c>, …</param>
internal sealed record MountSpec(MountKind Kind, string? Source, string Target, IReadOnlyList<string> Options, SourcePosition Where)
{
    /// <summary>A bind mount whose directory on the host is made where it is missing.</summary>
    public bool CreatesHostPath { get; init; }
}

/// <summary><c>logging.options</c>: <c>max-size</c> (default 10m) and <c>max-file</c> (default 5) of the rotated files.</summary>
internal sealed record LoggingSpec
{
    public ByteSize MaxSize { get; init; } = ByteSize.FromMebibytes(10);

    public int MaxFiles { get; init; } = 5;

    /// <summary>False for <c>driver: none</c>: output is thrown away.</summary>
    public bool Keep { get; init; } = true;
}

/// <summary>How a service joins a network.</summary>
/// <param name="Network">Key of the top-level network; <c>default</c> is the estate's own.</param>
/// <param name="Aliases">Further names of the service in the network.</param>
internal sealed record NetworkUse(string Network, IReadOnlyList<string> Aliases, string? Ipv4Address, string? Ipv6Address, string? MacAddress, SourcePosition Where);

/// <summary>A service's use of a model: the variables that receive the address and the name.</summary>
internal sealed record ModelUse(string Model, string? EndpointVariable, string? ModelVariable, SourcePosition Where);

/// <summary>A command of <c>post_start</c> or <c>pre_stop</c>.</summary>
internal sealed record HookSpec(IReadOnlyList<string> Command, string? User, string? WorkingDirectory, IReadOnlyDictionary<string, string> Environment, SourcePosition Where);
