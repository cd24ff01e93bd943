using Stoker.Estates;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>Directories of the state directory that supervision writes to.</summary>
/// <param name="NotifyFallback">A directory with a short path, for notify sockets where the state directory's is too long.</param>
internal sealed record SupervisionPlaces(string Replicas, string Pipes, string Logs, string Notify, string NotifyFallback, string Secrets)
{
    /// <summary>Pipes and logs of MPS control daemons, a directory for each: with a short path, and where services of other users reach it.</summary>
    public string Mps { get; init; } = "";
}

/// <summary>Asks what the processes of a replica have on the GPUs now.</summary>
internal delegate ValueTask<Probes.GpuUse> ReplicaGpuUse(string service, int replica, CancellationToken cancel);

/// <summary>Everything that supervision shares: one instance per daemon, made by the lifecycle.</summary>
internal sealed record SupervisionDoors(string Estate, TimeProvider Clock, SupervisionPlaces Places, ServiceBoard Board, Journal Journal)
{
    public required LogPump Pump { get; init; }

    public required ReplicaRecords Records { get; init; }

    public required IRuntime Processes { get; init; }

    public required IRuntime Containers { get; init; }

    /// <summary>Control groups of the replicas, or null where the daemon may not make any.</summary>
    public CgroupTree? Cgroups { get; init; }

    /// <summary>Absolute path of this program, which stand-ins run.</summary>
    public required string ProgramPath { get; init; }

    /// <summary>What a replica's processes have on its GPUs; null where nobody looks at GPUs.</summary>
    public ReplicaGpuUse? GpuUse { get; set; }

    /// <summary>Room on its GPUs for a replica that is to start; null where nobody looks at GPUs, and there is room.</summary>
    public AskRoom? Room { get; set; }

    /// <summary>UUIDs of the MIG instances that a replica was given; null: nobody divides cards.</summary>
    public Func<ServiceName, int, IReadOnlyList<string>>? Partitions { get; set; }

    public IRuntime RuntimeOf(ServicePlan plan) => plan.Runtime switch
    {
        RuntimeKind.Container => Containers,
        RuntimeKind.Process or RuntimeKind.StandIn => Processes,
    };
}

/// <summary>What the last <c>up</c> brought for one service beside its plan; read anew at each start.</summary>
/// <param name="Variables">The environment of whoever ran <c>up</c>, of which services inherit a few variables and those they name.</param>
internal sealed record LaunchContext(IReadOnlyDictionary<string, string> Variables, ServiceMaterials Materials)
{
    /// <summary>The whole estate, for what containers share; null before the first <c>up</c>.</summary>
    public EstateSpec? Estate { get; init; }

    /// <summary>Others wait for its successful completion: a stand-in then completes.</summary>
    public bool IsAwaited { get; init; }

    public static LaunchContext Empty { get; } = new(new Dictionary<string, string>(), ServiceMaterials.None);
}
