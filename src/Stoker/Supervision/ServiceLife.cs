using Stoker.Estates;
using Stoker.Planning;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>Everything that decisions about one service depend on. Immutable; its driver is the only one that replaces it.</summary>
internal sealed record ServiceLife(ServicePlan Plan)
{
    public Wish Wish { get; init; }

    public bool Wanted => Wish == Wish.Up;

    /// <summary>It was told to leave the estate, and is leaving for good.</summary>
    public bool Forget { get; init; }

    /// <summary>Dependents that must be gone before this service is stopped.</summary>
    public IReadOnlySet<ServiceName> StopAfter { get; init; } = new HashSet<ServiceName>();

    public string? StopReason { get; init; }

    /// <summary>See <see cref="PeerView.Generation"/>.</summary>
    public int Generation { get; init; }

    public IReadOnlyDictionary<ServiceName, PeerView> Peers { get; init; } = new Dictionary<ServiceName, PeerView>();

    public IReadOnlyList<ReplicaLife> Replicas { get; init; } = [];

    public bool IsAlive => Replicas.Any(r => r.IsAlive);

    /// <summary>See <see cref="PeerView.Starts"/>.</summary>
    public int Starts
    {
        get
        {
            var starts = 0;
            foreach (var replica in Replicas) starts += replica.Run;
            return starts;
        }
    }

    /// <summary>Whatever was said about stopping it holds no more.</summary>
    public ServiceLife WantedUp() => this with { Wish = Wish.Up, StopReason = null, StopAfter = new HashSet<ServiceName>() };
}

/// <summary>The life of one replica. States are those of <see cref="ServiceState"/>; see <see cref="SupervisionModule"/> for the diagram.</summary>
internal sealed record ReplicaLife(int Index, ServiceState State, DateTimeOffset Since)
{
    public string? Reason { get; init; }

    /// <summary>Counts starts; facts that carry another number are stale.</summary>
    public int Run { get; init; }

    public int? Pid { get; init; }

    /// <summary>Room on its GPUs is being asked for, or will be in a moment.</summary>
    public bool AsksRoom { get; init; }

    /// <summary>The declaration that the living process was started with.</summary>
    public string? Fingerprint { get; init; }

    public IReadOnlyList<int> Ports { get; init; } = [];

    public DateTimeOffset? StartedAt { get; init; }

    public TimeSpan? StartTook { get; init; }

    /// <summary>What the probes of this run say so far.</summary>
    public HealthState Health { get; init; } = HealthState.Fresh;

    /// <summary>What the image of this run's container says of health; null: not known yet, or not asked.</summary>
    public ImageHealthcheck? Image { get; init; }

    public string? OwnStatus { get; init; }

    public TimeSpan? WatchdogPeriod { get; init; }

    /// <summary>Start period granted beyond the declared one by EXTEND_TIMEOUT_USEC.</summary>
    public DateTimeOffset? StartExtendedTo { get; init; }

    /// <summary>Restarts in a row without a stable time between them.</summary>
    public int Attempt { get; init; }

    public int Restarts { get; init; }

    public DateTimeOffset? RetryAt { get; init; }

    public ExitRecord? LastExit { get; init; }

    /// <summary>Why the run counts as failed whatever its exit status says (it lost its health, its watchdog barked); null: the exit status decides.</summary>
    public string? Failure { get; init; }

    /// <summary>Set from the end of the main process until the rest of its tree is gone.</summary>
    public bool MainEnded { get; init; }

    public StopStage Stage { get; init; }

    public AfterStop Then { get; init; }

    public bool IsAlive => Pid is not null || MainEnded;

    public bool IsUp => State is ServiceState.Starting or ServiceState.Healthy or ServiceState.Running or ServiceState.Unhealthy && IsAlive;
}

/// <summary>What the owner wants of the service.</summary>
internal enum Wish
{
    /// <summary>Not said yet: processes of an earlier daemon are being taken over, and nothing else is done.</summary>
    NotSaid,

    Up,

    Down,
}

internal enum StopStage
{
    None,
    PreStop,
    Signalled,
    Killed,
}

/// <summary>What follows when a stopping replica is gone.</summary>
internal enum AfterStop
{
    StayStopped,

    /// <summary>Start again at once (restart and change by the owner).</summary>
    StartAgain,

    /// <summary>It was stopped because it failed: the restart policy decides.</summary>
    AskPolicy,

    /// <summary>The replica was scaled away.</summary>
    Remove,
}

internal sealed record Decision(ServiceLife Life, IReadOnlyList<ServiceAction> Actions);
