using Stoker.Estates;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>How answers of probes and the service's own messages move its state; what counts is for <see cref="HealthPolicy"/> to say.</summary>
internal static class HealthTurns
{
    /// <summary>How the health of a run is asked: as declared, and as its image says where the file leaves it open.</summary>
    public static HealthcheckSpec? CheckOf(ServiceSpec spec, ReplicaLife replica) =>
        spec.Healthcheck is { AsksImage: true } open && replica.Image is { } image ? image.Under(open) : spec.Healthcheck;

    /// <summary>Also while that is for an image to say which is not known yet.</summary>
    public static bool IsAsked(ServiceSpec spec, ReplicaLife replica) => CheckOf(spec, replica) is { Probe: not ProbeSpec.None };

    public static void Ask(Turn turn, ReplicaLife replica)
    {
        var check = CheckOf(turn.Spec, replica);
        if (check is { AsksImage: true }) turn.Do(new ServiceAction.ReadImage(replica.Index, replica.Run));
        if (check is { Probe: not (ProbeSpec.None or ProbeSpec.Image) }) turn.Do(new ServiceAction.StartProbing(replica.Index, replica.Run));
    }

    public static void AskAnew(Turn turn, ReplicaLife replica)
    {
        turn.Do(new ServiceAction.StopProbing(replica.Index, replica.Run));
        if (!IsAsked(turn.Spec, replica))
        {
            turn.Enter(replica, ServiceState.Running);
            return;
        }

        // Running says that nobody asks, and whoever waits for its health would have nothing to wait for.
        if (replica.State == ServiceState.Running) turn.Enter(replica, ServiceState.Starting);
        Ask(turn, replica);
    }

    public static void ImageRead(Turn turn, ReplicaLife replica, ImageHealthcheck image)
    {
        var known = replica with { Image = image };
        turn.Put(known);
        turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
        if (!IsAsked(turn.Spec, known)) Running(turn, known with { StartTook = turn.At - replica.StartedAt });
        else if (turn.Spec.Healthcheck is { } declared && image.Under(declared) != ImageHealthcheck.None.Under(declared)) AskAnew(turn, known);
    }

    /// <summary>It is alive, and that is all there is to know.</summary>
    public static void Running(Turn turn, ReplicaLife replica)
    {
        turn.Enter(replica, ServiceState.Running);
        turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Stable, turn.Spec.Restart.Window));
    }

    public static void Probed(Turn turn, ReplicaLife replica, ProbeOutcome outcome)
    {
        var check = CheckOf(turn.Spec, replica)!;
        var started = replica.StartedAt ?? turn.At;
        if (replica.StartExtendedTo > started + check.StartPeriod) check = check with { StartPeriod = replica.StartExtendedTo.Value - started };
        var judged = replica with { Health = HealthPolicy.Decide(replica.Health, check, turn.At - started, outcome) };
        switch (judged.Health.Verdict)
        {
            case HealthVerdict.Healthy:
                Healthy(turn, judged, first: !replica.Health.EverHealthy);
                break;
            case HealthVerdict.Unhealthy when replica.State != ServiceState.Unhealthy:
                Unhealthy(turn, judged);
                break;
            case HealthVerdict.Starting or HealthVerdict.Unhealthy:
                turn.Put(judged with { Reason = judged.Health.Reason });
                break;
        }
    }

    public static void Notified(Turn turn, ReplicaLife replica, ServiceFact.Notified message)
    {
        var told = replica with
        {
            OwnStatus = message.Status ?? replica.OwnStatus,
            WatchdogPeriod = message.WatchdogPeriod ?? replica.WatchdogPeriod ?? DeclaredWatchdog(turn),
            Pid = message.MainPid ?? replica.Pid,
        };
        turn.Put(told);
        if (message.MainPid is { } pid && pid != replica.Pid)
        {
            turn.Do(new ServiceAction.MainPidChanged(replica.Index, replica.Run, pid));
            turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
        }

        if (message.ExtendTimeout is { } extension) Extend(turn, told, extension);
        if (message.Stopping && told.IsUp) turn.Tell(told, "stops_itself", "says that it is stopping");
        if (message.WatchdogTrigger) turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Watchdog, TimeSpan.Zero));
        else if (told.WatchdogPeriod is { } period && (message.WatchdogAlive || message.Ready || message.WatchdogPeriod is not null))
            turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Watchdog, period));
        if (message.Ready && turn.Find(replica.Index) is { IsUp: true } ready && turn.Spec.Healthcheck?.Probe is ProbeSpec.Notify)
            Probed(turn, ready, new ProbeOutcome.Healthy(TimeSpan.Zero, "it said READY=1"));
    }

    private static void Healthy(Turn turn, ReplicaLife replica, bool first)
    {
        var healthy = first ? replica with { StartTook = turn.At - replica.StartedAt } : replica;
        if (replica.State == ServiceState.Healthy)
        {
            turn.Put(healthy with { Reason = null });
            return;
        }

        healthy = turn.Enter(healthy, ServiceState.Healthy);
        turn.Tell(healthy, "became_healthy", first && healthy.StartTook is { } took ? $"is healthy after {DurationWords.Of(took)}" : "is healthy again");
        turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
        turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Stable, turn.Spec.Restart.Window));
    }

    private static void Unhealthy(Turn turn, ReplicaLife replica)
    {
        var unhealthy = turn.Enter(replica, ServiceState.Unhealthy, replica.Health.Reason);
        turn.Tell(unhealthy, "became_unhealthy", $"is unhealthy: {replica.Health.Reason}");
        turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
        // It worked before and no longer does: start it afresh. One that has never been healthy may still be loading, and is left alone.
        if (replica.Health.EverHealthy && turn.Spec.Restart.Mode != RestartMode.No)
            ReplicaPolicy.Fail(turn, unhealthy, $"it lost its health: {replica.Health.Reason}");
    }

    private static void Extend(Turn turn, ReplicaLife replica, TimeSpan extension)
    {
        if (replica.State == ServiceState.Stopping && replica.Stage != StopStage.Killed)
            turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Grace, extension));
        else if (!replica.Health.EverHealthy) turn.Put(replica with { StartExtendedTo = turn.At + extension });
    }

    private static TimeSpan? DeclaredWatchdog(Turn turn) => (turn.Spec.Healthcheck?.Probe as ProbeSpec.Notify)?.Watchdog;
}
