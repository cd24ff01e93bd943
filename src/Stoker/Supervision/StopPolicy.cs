using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Supervision;

/// <summary>
/// How a replica ends on request: <c>pre_stop</c>, then its stop signal to the main process, then the same signal to what is
/// left of its tree, then, when the grace is over, SIGKILL to everything.
/// </summary>
internal static class StopPolicy
{
    /// <summary>After SIGKILL; a process in uninterruptible sleep may take longer, which is then said.</summary>
    private static readonly TimeSpan Immortal = TimeSpan.FromSeconds(5);

    private const int Kill = 9;

    public static void Begin(Turn turn, ReplicaLife replica, AfterStop then, string why)
    {
        turn.Do(new ServiceAction.StopProbing(replica.Index, replica.Run));
        var hooks = turn.Spec.PreStop.Count > 0 && !replica.MainEnded;
        var stopping = turn.Enter(replica with { Then = then, Stage = hooks ? StopStage.PreStop : StopStage.Signalled, RetryAt = null }, ServiceState.Stopping, why);
        turn.Tell(stopping, "stopping", $"is stopped: {why}");
        turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Grace, turn.Spec.StopGracePeriod));
        if (hooks) turn.Do(new ServiceAction.RunHook(replica.Index, replica.Run, HookKind.PreStop));
        else Signal(turn, stopping);
    }

    /// <summary>systemd's way with a service whose watchdog was not fed: SIGABRT, so that it may leave a core, then the rest as for any stop.</summary>
    public static void Abort(Turn turn, ReplicaLife replica)
    {
        turn.Do(new ServiceAction.StopProbing(replica.Index, replica.Run));
        turn.Enter(replica with { Then = AfterStop.AskPolicy, Stage = StopStage.Signalled }, ServiceState.Stopping, replica.Failure);
        turn.Do(new ServiceAction.Signal(replica.Index, replica.Run, 6));
        turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Grace, turn.Spec.StopGracePeriod));
    }

    public static void AfterPreStop(Turn turn, ReplicaLife replica, string? problem)
    {
        if (problem is not null) turn.Tell(replica, "hook_failed", $"pre_stop failed, it is stopped all the same: {problem}");
        if (replica.Stage != StopStage.PreStop) return;
        var signalled = replica with { Stage = StopStage.Signalled };
        turn.Put(signalled);
        Signal(turn, signalled);
    }

    public static void MainExited(Turn turn, ReplicaLife replica)
    {
        // What the main process leaves behind gets the same signal and the rest of the grace.
        turn.Do(new ServiceAction.Sweep(replica.Index, replica.Run, replica.Stage == StopStage.Killed ? Kill : turn.Spec.StopSignal));
    }

    public static void GraceOver(Turn turn, ReplicaLife replica)
    {
        if (replica.State != ServiceState.Stopping || replica.Stage == StopStage.Killed) return;
        turn.Tell(replica, "killed", $"did not end within {DurationWords.Of(turn.Spec.StopGracePeriod)} of {Signals.Name(turn.Spec.StopSignal)}, and is killed");
        KillTree(turn, replica);
    }

    public static void KillNow(Turn turn, ReplicaLife replica)
    {
        turn.Do(new ServiceAction.StopProbing(replica.Index, replica.Run));
        var then = replica.State == ServiceState.Stopping ? replica.Then : AfterStop.StayStopped;
        KillTree(turn, turn.Enter(replica with { Then = then }, ServiceState.Stopping, "killed on request"));
    }

    private static void KillTree(Turn turn, ReplicaLife replica)
    {
        turn.Put(replica with { Stage = StopStage.Killed });
        turn.Do(new ServiceAction.Sweep(replica.Index, replica.Run, Kill));
        turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Immortal, Immortal));
    }

    public static void StillThere(Turn turn, ReplicaLife replica)
    {
        if (replica.State != ServiceState.Stopping) return;
        var text = $"pid {replica.Pid} does not end after SIGKILL; a process in uninterruptible sleep ends when its system call does";
        turn.Put(replica with { Reason = text });
        turn.Tell(replica, "does_not_end", text);
        turn.Do(new ServiceAction.Sweep(replica.Index, replica.Run, Kill));
        turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Immortal, Immortal));
    }

    public static void Gone(Turn turn, ReplicaLife replica)
    {
        turn.Do(new ServiceAction.DropRecord(replica.Index, replica.Run));
        var ended = replica with { Pid = null, MainEnded = false, Stage = StopStage.None, OwnStatus = null, Fingerprint = null };
        switch (replica.Then)
        {
            case AfterStop.Remove:
                turn.Tell(replica, "stopped", "is stopped and scaled away");
                turn.Remove(replica.Index);
                break;
            case AfterStop.StartAgain:
                turn.Tell(turn.Enter(ended with { Then = AfterStop.StayStopped }, ServiceState.Waiting), "stopped", "is stopped and will be started again");
                break;
            case AfterStop.AskPolicy:
                ReplicaPolicy.AskRestart(turn, ended with { Then = AfterStop.StayStopped });
                break;
            case AfterStop.StayStopped:
                turn.Tell(turn.Enter(ended, ServiceState.Stopped, turn.Life.StopReason), "stopped", "is stopped");
                if (!turn.Life.Forget) turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
                break;
        }
    }

    private static void Signal(Turn turn, ReplicaLife replica) =>
        turn.Do(replica.MainEnded
            ? new ServiceAction.Sweep(replica.Index, replica.Run, turn.Spec.StopSignal)
            : new ServiceAction.Signal(replica.Index, replica.Run, turn.Spec.StopSignal));
}
