using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>
/// Something that happened, or was asked for, about one service. Facts are all that <see cref="ServicePolicy"/> knows of the
/// world: they carry their own time, so that a decision needs no clock.
/// </summary>
internal abstract record ServiceFact(DateTimeOffset At)
{
    /// <summary>The owner wants it up. A service that has completed is run again only when asked for by name.</summary>
    internal sealed record StartRequested(DateTimeOffset At, bool ByName) : ServiceFact(At);

    /// <param name="After">Dependents that are being stopped too: they end first.</param>
    /// <param name="Forget">The service has left the estate: its driver ends when the last process is gone.</param>
    internal sealed record StopRequested(DateTimeOffset At, IReadOnlySet<ServiceName> After, bool Forget, string Why) : ServiceFact(At);

    /// <summary>No more grace for anything that lives.</summary>
    internal sealed record KillRequested(DateTimeOffset At) : ServiceFact(At);

    internal sealed record RestartRequested(DateTimeOffset At, string Why) : ServiceFact(At);

    internal sealed record ReloadRequested(DateTimeOffset At) : ServiceFact(At);

    internal sealed record PlanChanged(DateTimeOffset At, ServicePlan Plan) : ServiceFact(At);

    /// <summary>A dependency or dependent has a new state.</summary>
    internal sealed record PeerChanged(DateTimeOffset At, ServiceName Peer, PeerView View) : ServiceFact(At);

    /// <param name="Run">Which start of the replica this is about; facts of an earlier run are stale and ignored.</param>
    internal abstract record OfReplica(DateTimeOffset At, int Replica, int Run) : ServiceFact(At);

    internal sealed record Launched(DateTimeOffset At, int Replica, int Run, int Pid) : OfReplica(At, Replica, Run);

    /// <summary>The answer to <see cref="ServiceAction.AskRoom"/>.</summary>
    internal sealed record RoomTold(DateTimeOffset At, int Replica, int Run, StartRoom Room) : OfReplica(At, Replica, Run);

    /// <summary>A running replica is of no use any more, or harms others; the restart policy decides what comes then.</summary>
    /// <param name="Replica">Null: all that are up.</param>
    internal sealed record EndRequested(DateTimeOffset At, int? Replica, string Why) : ServiceFact(At);

    /// <param name="Permanent">Trying again cannot help: no such file, no permission.</param>
    internal sealed record LaunchRefused(DateTimeOffset At, int Replica, int Run, string Problem, bool Permanent) : OfReplica(At, Replica, Run);

    /// <summary>A process of an earlier daemon, found alive and taken over.</summary>
    internal sealed record Adopted(DateTimeOffset At, int Replica, int Run, AdoptedReplica Found) : OfReplica(At, Replica, Run);

    internal sealed record Exited(DateTimeOffset At, int Replica, int Run, ExitStatus Status, string? LastWords) : OfReplica(At, Replica, Run)
    {
        /// <summary>The kernel has killed a process of the run for want of memory.</summary>
        public bool OutOfMemory { get; init; }
    }

    /// <summary>Nothing that the run started is alive any more.</summary>
    internal sealed record TreeGone(DateTimeOffset At, int Replica, int Run, int Killed) : OfReplica(At, Replica, Run);

    internal sealed record Probed(DateTimeOffset At, int Replica, int Run, ProbeOutcome Outcome) : OfReplica(At, Replica, Run);

    /// <summary>Its container runs, and this is what the image of that says of health.</summary>
    internal sealed record ImageRead(DateTimeOffset At, int Replica, int Run, ImageHealthcheck Image) : OfReplica(At, Replica, Run);

    /// <summary>A message of the service by <c>sd_notify</c>; only what was in it is set.</summary>
    internal sealed record Notified(DateTimeOffset At, int Replica, int Run) : OfReplica(At, Replica, Run)
    {
        public bool Ready { get; init; }

        public bool Stopping { get; init; }

        public bool WatchdogAlive { get; init; }

        public bool WatchdogTrigger { get; init; }

        public string? Status { get; init; }

        public TimeSpan? ExtendTimeout { get; init; }

        public TimeSpan? WatchdogPeriod { get; init; }

        public int? MainPid { get; init; }
    }

    internal sealed record TimerElapsed(DateTimeOffset At, int Replica, int Run, ReplicaTimer Timer) : OfReplica(At, Replica, Run);

    /// <param name="Problem">Null when every command of the hook succeeded.</param>
    internal sealed record HookFinished(DateTimeOffset At, int Replica, int Run, HookKind Hook, string? Problem) : OfReplica(At, Replica, Run);

    /// <summary>The driver could not do what was decided: a container tool that fails, a signal that is not permitted.</summary>
    internal sealed record ActionFailed(DateTimeOffset At, int Replica, int Run, string Problem) : OfReplica(At, Replica, Run);
}

/// <summary>What one service needs to know of another.</summary>
/// <param name="Alive">Some process of it may still run.</param>
/// <param name="Generation">Counts restarts and changes by the owner; dependents with <c>restart: true</c> follow it.</param>
/// <param name="LastEvent">Sequence of its latest journal line, the cause of what follows from it.</param>
internal sealed record PeerView(ServiceState State, bool Alive, int Generation, long LastEvent)
{
    /// <summary>Counts the starts of its replicas: a process that ended and was replaced at once is seen by it.</summary>
    public int Starts { get; init; }
}

/// <summary>What the record of an earlier daemon says of a process that is still alive.</summary>
internal sealed record AdoptedReplica(int Pid, DateTimeOffset StartedAt, bool WasHealthy, int Restarts, int Attempt, string Fingerprint, IReadOnlyList<int> Ports)
{
    public ImageHealthcheck? Image { get; init; }

    /// <summary>What it was then, and since when; null: not known.</summary>
    public (ServiceState State, DateTimeOffset Since)? Last { get; init; }
}

internal enum ReplicaTimer
{
    /// <summary>The delay before the next start is over.</summary>
    Backoff,

    /// <summary>It has been up long enough to forget earlier failures.</summary>
    Stable,

    /// <summary>The grace for stopping is over.</summary>
    Grace,

    /// <summary>It was killed and is still there.</summary>
    Immortal,

    /// <summary>No <c>WATCHDOG=1</c> came in time.</summary>
    Watchdog,

    /// <summary>What it waits for could not come about, and it may have been known too early: another look.</summary>
    Hopeless,

    /// <summary>There was no room on its GPUs: another look.</summary>
    Room,
}

internal enum HookKind
{
    PostStart,
    PreStop,
}
