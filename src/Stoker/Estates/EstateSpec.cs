using Stoker.Diagnostics;

namespace Stoker.Estates;

/// <summary>
/// Everything one estate file declares after includes, overlays, interpolation and <c>extends</c> are resolved. Only specs:
/// what the owner wrote, typed and with places; nothing here is decided or observed.
/// </summary>
internal sealed record EstateSpec(string Name, string File, string Directory)
{
    /// <summary>The overlay chosen by <c>--env</c>, or null.</summary>
    public string? Environment { get; init; }

    public IReadOnlyDictionary<HostName, HostSpec> Hosts { get; init; } = new Dictionary<HostName, HostSpec>();

    public IReadOnlyDictionary<GroupName, GroupSpec> Groups { get; init; } = new Dictionary<GroupName, GroupSpec>();

    /// <summary>In the order of the file. Services whose profiles are not active are included; see <see cref="ServiceSpec.Profiles"/>.</summary>
    public IReadOnlyDictionary<ServiceName, ServiceSpec> Services { get; init; } = new Dictionary<ServiceName, ServiceSpec>();

    public IReadOnlyDictionary<string, MaterialSpec> Secrets { get; init; } = new Dictionary<string, MaterialSpec>();

    public IReadOnlyDictionary<string, MaterialSpec> Configs { get; init; } = new Dictionary<string, MaterialSpec>();

    public IReadOnlyDictionary<string, VolumeSpec> Volumes { get; init; } = new Dictionary<string, VolumeSpec>();

    public IReadOnlyDictionary<string, NetworkSpec> Networks { get; init; } = new Dictionary<string, NetworkSpec>();

    /// <summary>Sections that other capabilities read for themselves (<c>gateway</c>, <c>streams</c>, …), whole and positioned.</summary>
    public IReadOnlyDictionary<string, Node> Sections { get; init; } = new Dictionary<string, Node>();

    /// <summary>What the capabilities made of their sections; each knows its own by type.</summary>
    public IReadOnlyList<object> Parts { get; init; } = [];

    /// <summary>Null: the section is not in the file.</summary>
    public T? Part<T>()
        where T : class => Parts.OfType<T>().FirstOrDefault();
}

/// <summary>A machine of the estate.</summary>
/// <param name="Address">IP address or DNS name at which other hosts reach it; null for a host that nobody needs to reach.</param>
/// <param name="Cpus">Declared number of processors, for planning without the machine; null: unknown.</param>
/// <param name="Memory">Declared memory, for planning without the machine; null: unknown.</param>
internal sealed record HostSpec(HostName Name, string? Address, IReadOnlyList<GpuSpec> Gpus, SourcePosition Where)
{
    public double? Cpus { get; init; }

    public ByteSize? Memory { get; init; }

    /// <summary><c>act</c>, <c>dry-run</c> or <c>off</c>: what is done when one of its GPUs fails.</summary>
    public string GpuHealing { get; init; } = "act";

    /// <summary><c>checks</c> as they were written; read by the capability that makes them.</summary>
    public MappingNode? Checks { get; init; }
}

/// <summary>A GPU that a host must have.</summary>
/// <param name="Model">NVML's product name, as in <c>NVIDIA GeForce RTX 4090</c>.</param>
/// <param name="Uuid">NVML's UUID, when the owner pins one card.</param>
internal sealed record GpuSpec(string Model, ByteSize? Memory, string? Uuid, SourcePosition Where);

/// <summary>A named set of services that share a host, dependencies and a GPU budget.</summary>
/// <param name="DependsOn">Every service of this group waits for every service of these groups.</param>
internal sealed record GroupSpec(GroupName Name, HostName? Host, IReadOnlyList<Positioned<GroupName>> DependsOn, GpuShareSpec? Gpu, SourcePosition Where)
{
    public string? Description { get; init; }
}

/// <summary>How a group or service shares a GPU: how much memory, and by which means.</summary>
/// <param name="Share"><c>whole</c> (default), <c>mps</c>, <c>mig</c> or <c>time</c>.</param>
/// <param name="Count">How many GPUs; default 1.</param>
internal sealed record GpuShareSpec(ByteSize? Memory, string Share, int Count, SourcePosition Where)
{
    /// <summary><c>on_overuse: end</c>: what uses memory that it did not declare is ended.</summary>
    public bool EndsOveruse { get; init; }
}

/// <summary>A top-level <c>secrets:</c> or <c>configs:</c> entry: exactly one source.</summary>
/// <param name="File">Absolute path of the file that holds the value.</param>
/// <param name="EnvironmentVariable">Name of the variable of the daemon's environment that holds the value.</param>
/// <param name="Content">Inline content (configs only).</param>
/// <param name="External">Kept by the container tool, not by the estate.</param>
internal sealed record MaterialSpec(string Name, string? File, string? EnvironmentVariable, string? Content, bool External, SourcePosition Where)
{
    /// <summary><c>name</c>: what the container tool calls an external one; null: <see cref="Name"/>.</summary>
    public string? GivenName { get; init; }
}

/// <summary>A top-level named volume.</summary>
internal sealed record VolumeSpec(string Name, string? Driver, bool External, SourcePosition Where)
{
    /// <summary><c>name</c>: what the container tool calls it; null: the estate's name, <c>_</c> and <see cref="Name"/>, and just that when external.</summary>
    public string? GivenName { get; init; }

    public IReadOnlyDictionary<string, string> DriverOptions { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>A top-level network, for services that run in containers.</summary>
internal sealed record NetworkSpec(string Name, string? Driver, bool External, bool Internal, SourcePosition Where)
{
    /// <summary><c>name</c>: what the container tool calls it; null: the estate's name, <c>_</c> and <see cref="Name"/>, and just that when external.</summary>
    public string? GivenName { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Further options of <c>network create</c> that Podman and Docker share: <c>--subnet=10.5.0.0/16</c>, <c>--ipv6</c>, …</summary>
    public IReadOnlyList<string> CreateOptions { get; init; } = [];

    public IReadOnlyDictionary<string, string> DriverOptions { get; init; } = new Dictionary<string, string>();
}

/// <summary>A value with the place it was written at.</summary>
internal readonly record struct Positioned<T>(T Value, SourcePosition Where);
