using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// What will happen, decided before anything does. Made by <see cref="Planner"/> from the specs and what was observed of this
/// machine; carried out by the supervisor; printed by <c>stoker plan</c>.
/// </summary>
internal sealed record EstatePlan(EstateSpec Estate, HostName? Host, bool Rehearse)
{
    /// <summary>Every active service of the estate, those of other hosts too, in start order.</summary>
    public IReadOnlyDictionary<ServiceName, ServicePlan> Services { get; init; } = new Dictionary<ServiceName, ServicePlan>();

    /// <summary>Services of this host that may start together, wave after wave.</summary>
    public IReadOnlyList<IReadOnlyList<ServiceName>> Waves { get; init; } = [];

    /// <summary>The chain of dependencies that decides when the estate is up, first to start first.</summary>
    public IReadOnlyList<CriticalStep> CriticalPath { get; init; } = [];

    /// <summary>One line for each service of this host, and for each running one that the file no longer has.</summary>
    public IReadOnlyList<ServiceChange> Changes { get; init; } = [];

    /// <summary>The GPUs of this machine's part of the estate and who has them, by host and index.</summary>
    public IReadOnlyList<GpuPlan> Gpus { get; init; } = [];

    /// <summary>Errors refuse the plan; warnings say what will not happen.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics { get; init; } = [];

    public bool IsRefused => Diagnostics.Any(d => d.Severity == Severity.Error);

    /// <summary>Services of this host, the ones that the supervisor runs.</summary>
    public IEnumerable<ServicePlan> Local => Services.Values.Where(s => s.IsLocal);
}

/// <summary>How one service will be run.</summary>
/// <param name="Fingerprint">Equal for equal declarations: a change of it is what makes <c>up</c> restart a running service.</param>
internal sealed record ServicePlan(ServiceSpec Spec, string Fingerprint)
{
    public ServiceName Name => Spec.Name;

    public HostName? Host { get; init; }

    /// <summary>False for a service of another host: it is only probed from here.</summary>
    public bool IsLocal { get; init; } = true;

    /// <summary>Where another host's service is reached; null for local services.</summary>
    public string? RemoteAddress { get; init; }

    public RuntimeKind Runtime { get; init; }

    /// <summary>Why a stand-in runs in its place (<c>`redis-server` is not installed</c>); null: the real thing runs.</summary>
    public string? StandIn { get; init; }

    /// <summary>Absolute path of the command of a process, or of the container tool.</summary>
    public string? Executable { get; init; }

    /// <summary>Its own and its group's dependencies, each service once, the strictest condition kept.</summary>
    public IReadOnlyList<DependencyPlan> Dependencies { get; init; } = [];

    public IReadOnlyList<ReplicaPlan> Replicas { get; init; } = [];

    /// <summary>What the owner asked for that cannot be enforced here, in words, as the plan and status show it.</summary>
    public IReadOnlyList<string> NotEnforced { get; init; } = [];

    /// <summary>Names of the GPUs it is given (<c>0</c>-based index and model, or UUID), for people.</summary>
    public IReadOnlyList<string> Gpus { get; init; } = [];

    /// <summary>It starts only where its GPUs have room for it.</summary>
    public bool AsksRoom => Gpus.Count > 0;

    /// <summary>It is the MPS control daemon of this GPU; null: it is a service of the file.</summary>
    public GpuPlan? MpsOf { get; init; }
}

internal enum RuntimeKind
{
    Process,
    Container,
    StandIn,
}

/// <param name="Remote">The dependency runs on another host.</param>
/// <param name="Why"><c>depends_on</c>, or the group that brings it (<c>group `vision_gpu` depends on `infra_core`</c>).</param>
internal sealed record DependencyPlan(ServiceName Service, DependencyCondition Condition, bool Restart, bool Required, bool Remote, string Why)
{
    /// <summary>Waited for to be healthy if it turns out to have a healthcheck, and else to run.</summary>
    public bool OrRunning { get; init; }

    /// <summary>It works through the other's process, as clients of MPS do through its server: the end of that, however it comes, is its own.</summary>
    public bool Shared { get; init; }
}

/// <summary>One running copy to be. Index counts from 1.</summary>
internal sealed record ReplicaPlan(int Index, IReadOnlyList<PortPlan> Ports)
{
    /// <summary>UUIDs of the real GPUs it may use; empty when it asks for none, or a stand-in runs.</summary>
    public IReadOnlyList<string> GpuUuids { get; init; } = [];

    /// <summary>The same by NVML's index, which is their order on the PCI bus.</summary>
    public IReadOnlyList<int> GpuIndices { get; init; } = [];

    /// <summary>UUIDs of its MIG instances, which are known when the cards are divided; empty: it has whole cards, or shares them otherwise.</summary>
    public IReadOnlyList<string> GpuPartitions { get; init; } = [];

    /// <summary>Its share of a GPU by MPS; null: it has none.</summary>
    public MpsShare? Mps { get; init; }
}

/// <param name="Daemon">Name of the service that is the GPU's control daemon.</param>
/// <param name="ThreadPercent">Of the GPU's threads, at most.</param>
/// <param name="Memory">Pinned memory of the device, at most, in bytes; null: no limit.</param>
/// <param name="Uuid">Of the card; null where it is not in this machine.</param>
internal sealed record MpsShare(string Daemon, int ThreadPercent, long? Memory, string? Uuid);

/// <param name="Declared">The published port as the file has it, which probes and <c>$(PORT)</c> map to <paramref name="Published"/>; 0: none declared.</param>
/// <param name="Published">0 when the container tool picks one.</param>
internal sealed record PortPlan(int Declared, int Published, int Target, string Protocol, string? HostIp);

/// <param name="Condition">What the next step waits for; of the last step, what makes it up.</param>
/// <param name="Expected">How long it took to be up when last seen, or null when it has never been started here.</param>
internal sealed record CriticalStep(ServiceName Service, DependencyCondition Condition, TimeSpan? Expected);

internal enum ChangeKind
{
    Start,
    Restart,
    Scale,
    Keep,
    Stop,
}

internal sealed record ServiceChange(ServiceName Service, ChangeKind Kind, string Reason);

/// <summary>A GPU of a host and what it is given to.</summary>
/// <param name="Name">Index and model, as in <see cref="ServicePlan.Gpus"/>.</param>
/// <param name="IsPresent">False when it is only declared, and this machine has no such card.</param>
/// <param name="Share">How it is shared: <c>whole</c>, <c>mps</c>, <c>mig</c>, <c>time</c>; null while nobody has it.</param>
internal sealed record GpuPlan(
    HostName? Host, int Index, string Model, string Name, ByteSize? Memory, bool IsPresent, string? Share, IReadOnlyList<GpuHolderPlan> Holders)
{
    /// <summary>Of the card of this machine that it is, or as declared; null where neither is known.</summary>
    public string? Uuid { get; init; }
}

/// <param name="Owner">A service, one of its replicas (<c>vision/2</c>), or a group that asks for its services (<c>group vision_gpu</c>).</param>
/// <param name="Memory">Its budget on this card; null when it said none, or has the card whole.</param>
internal sealed record GpuHolderPlan(string Owner, ByteSize? Memory);
