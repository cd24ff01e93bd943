using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>What one running copy does when something happens to it. Pure; see <see cref="StopPolicy"/> for its end on request.</summary>
internal static class ReplicaPolicy
{
    private const int Kill = 9;

    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(1), RoomPace = TimeSpan.FromSeconds(1);

    public static void Decide(Turn turn, ReplicaLife replica, ServiceFact.OfReplica fact)
    {
        switch (fact)
        {
            case ServiceFact.RoomTold told:
                RoomTold(turn, replica, told.Room);
                break;
            case ServiceFact.Launched launched:
                Launched(turn, replica, launched);
                break;
            case ServiceFact.LaunchRefused refused:
                Refused(turn, replica, refused);
                break;
            case ServiceFact.Exited exited:
                Exited(turn, replica, exited);
                break;
            case ServiceFact.TreeGone when replica.MainEnded:
                StopPolicy.Gone(turn, replica);
                break;
            case ServiceFact.ImageRead image when replica is { IsUp: true, Image: null }:
                HealthTurns.ImageRead(turn, replica, image.Image);
                break;
            case ServiceFact.Probed probed when replica.IsUp && HealthTurns.IsAsked(turn.Spec, replica):
                HealthTurns.Probed(turn, replica, probed.Outcome);
                break;
            case ServiceFact.Notified notified when replica.Pid is not null:
                HealthTurns.Notified(turn, replica, notified);
                break;
            case ServiceFact.HookFinished { Hook: HookKind.PreStop } hook when replica.State == ServiceState.Stopping:
                StopPolicy.AfterPreStop(turn, replica, hook.Problem);
                break;
            case ServiceFact.HookFinished { Hook: HookKind.PostStart, Problem: { } problem } when replica.IsUp:
                turn.Tell(replica, "hook_failed", $"post_start failed: {problem}");
                Fail(turn, replica, $"post_start failed: {problem}");
                break;
            case ServiceFact.ActionFailed failed:
                turn.Put(replica with { Reason = failed.Problem });
                turn.Tell(replica, "action_failed", failed.Problem);
                break;
            case ServiceFact.TimerElapsed timer:
                Elapsed(turn, replica, timer.Timer);
                break;
        }
    }

    public static void Launch(Turn turn, ReplicaLife replica)
    {
        var starting = replica with
        {
            Run = replica.Run + 1, Health = HealthState.Fresh, OwnStatus = null, RetryAt = null, StartTook = null,
            Failure = null, StartedAt = turn.At, StartExtendedTo = null, WatchdogPeriod = null, Image = null, Stage = StopStage.None, AsksRoom = false,
            Ports = PortsOf(turn, replica), Fingerprint = turn.Life.Plan.Fingerprint,
        };
        turn.Enter(starting, ServiceState.Starting);
        turn.Do(new ServiceAction.Launch(replica.Index, starting.Run));
    }

    public static void AskRoom(Turn turn, ReplicaLife replica)
    {
        if (replica.AsksRoom) return;
        turn.Put(replica with { AsksRoom = true });
        turn.Do(new ServiceAction.AskRoom(replica.Index, replica.Run));
    }

    /// <summary>The answer may be older than what happened since: a start needs the gates open still.</summary>
    private static void RoomTold(Turn turn, ReplicaLife replica, StartRoom room)
    {
        if (replica.State != ServiceState.Waiting || turn.Life.Wish != Wish.Up)
        {
            turn.Put(replica with { AsksRoom = false });
            return;
        }

        switch (room)
        {
            case StartRoom.There when Gates.Closed(turn.Life).Count == 0:
                Launch(turn, replica);
                break;
            case StartRoom.There:
                turn.Put(replica with { AsksRoom = false });
                break;
            case StartRoom.NotNow { Why: var why }:
                var reason = $"waits for {why}";
                // Free memory changes with each look; that it waits for it is told once.
                if (replica.Reason?.StartsWith("waits for ", StringComparison.Ordinal) != true || replica.Reason.Split(':')[0] != reason.Split(':')[0]) turn.Tell(replica, "waiting", reason);
                turn.Enter(replica, ServiceState.Waiting, reason);
                turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Room, RoomPace));
                break;
            case StartRoom.Never { Why: var why }:
                turn.Tell(turn.Enter(replica with { AsksRoom = false, LastExit = null }, ServiceState.Failed, why), "failed", $"failed: {why}");
                turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
                break;
        }
    }

    public static void Wait(Turn turn, ReplicaLife replica, IReadOnlyList<(DependencyPlan Dependency, string Why)> closed)
    {
        var reason = $"waits for {Gates.InWords(closed)}";
        if (replica.Reason == reason) return;
        if (replica.Reason is null) turn.Tell(replica, "waiting", reason);
        turn.Enter(replica, ServiceState.Waiting, reason);
        // News of a dependency that is being changed comes after the news of the change: what cannot come about now may in a moment.
        if (Gates.Hopeless(turn.Life) is not null) turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Hopeless, SecondLook));
    }

    public static void Adopt(Turn turn, ServiceFact.Adopted fact)
    {
        var found = fact.Found;
        var adopted = (turn.Find(fact.Replica) ?? new ReplicaLife(fact.Replica, ServiceState.Stopped, turn.At)) with
        {
            Run = fact.Run, Pid = found.Pid, StartedAt = found.StartedAt, Restarts = found.Restarts,
            Attempt = found.Attempt, Health = HealthState.Fresh with { EverHealthy = found.WasHealthy }, Fingerprint = found.Fingerprint, Ports = found.Ports,
            Image = found.Image,
        };
        if (turn.Find(fact.Replica) is null) turn.Life = turn.Life with { Replicas = [.. turn.Life.Replicas.Append(adopted).OrderBy(r => r.Index)] };
        var state = !HealthTurns.IsAsked(turn.Spec, adopted) ? ServiceState.Running : found.WasHealthy ? ServiceState.Healthy : ServiceState.Starting;
        adopted = turn.Enter(adopted, state);
        // Another daemon is no change of the service.
        if (found.Last is { } last && last.State == state) turn.Put(adopted = adopted with { Since = last.Since });
        turn.Tell(adopted, "adopted", $"pid {found.Pid}, running since before this daemon, is taken over");
        HealthTurns.Ask(turn, adopted);
        turn.Do(new ServiceAction.Arm(adopted.Index, adopted.Run, ReplicaTimer.Stable, turn.Spec.Restart.Window));
    }

    /// <summary>Ends the run because it is of no use any more; the restart policy then decides as after any failure.</summary>
    public static void Fail(Turn turn, ReplicaLife replica, string why) =>
        StopPolicy.Begin(turn, replica with { Failure = why }, AfterStop.AskPolicy, why);

    /// <summary>The run is over and nothing of it is left: again, complete, or give up.</summary>
    public static void AskRestart(Turn turn, ReplicaLife ended)
    {
        var status = ended.LastExit?.Status ?? default;
        var why = ended.Failure ?? Ending(ended.LastExit);
        if (!turn.Life.Wanted)
        {
            turn.Enter(ended, ServiceState.Stopped, turn.Life.StopReason);
            return;
        }

        // A failure that the exit status does not show (lost health) must not count as success.
        var judged = ended.Failure is null ? status : new ExitStatus(null, Kill);
        switch (RestartPolicy.Decide(turn.Spec.Restart, judged, ended.Attempt, Seed(turn, ended)))
        {
            case RestartVerdict.Complete:
                turn.Tell(turn.Enter(ended, ServiceState.Completed), "completed", "completed");
                turn.Do(new ServiceAction.SaveRecord(ended.Index, ended.Run));
                break;
            case RestartVerdict.GiveUp giveUp:
                turn.Tell(turn.Enter(ended, ServiceState.Failed, $"{why}; {giveUp.Why}"), "failed", $"failed: {why}; {giveUp.Why}");
                turn.Do(new ServiceAction.SaveRecord(ended.Index, ended.Run));
                break;
            case RestartVerdict.Again again:
                Again(turn, ended with { Attempt = ended.Attempt + 1, Restarts = ended.Restarts + 1 }, why, again.Delay);
                break;
        }
    }

    private static void Again(Turn turn, ReplicaLife ended, string why, TimeSpan delay)
    {
        if (delay == TimeSpan.Zero)
        {
            turn.Tell(turn.Enter(ended, ServiceState.Waiting), "restarting", $"{why}; restarts at once");
            return;
        }

        var reason = $"{why}; {Words.Ordinal(ended.Attempt)} try in {DurationWords.Of(delay)}";
        var waiting = turn.Enter(ended with { RetryAt = turn.At + delay }, ServiceState.Backoff, reason);
        turn.Tell(waiting, "restart_scheduled", reason);
        turn.Do(new ServiceAction.Arm(ended.Index, ended.Run, ReplicaTimer.Backoff, delay));
    }

    private static void Launched(Turn turn, ReplicaLife replica, ServiceFact.Launched fact)
    {
        var up = replica with { Pid = fact.Pid };
        turn.Put(up);
        turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
        turn.Tell(up, "started", $"started as pid {fact.Pid}");
        if (turn.Spec.PostStart.Count > 0) turn.Do(new ServiceAction.RunHook(replica.Index, replica.Run, HookKind.PostStart));
        if (HealthTurns.IsAsked(turn.Spec, up)) HealthTurns.Ask(turn, up);
        else HealthTurns.Running(turn, up with { StartTook = TimeSpan.Zero });
    }

    private static void Refused(Turn turn, ReplicaLife replica, ServiceFact.LaunchRefused fact)
    {
        turn.Tell(replica, "not_started", $"could not be started: {fact.Problem}");
        var ended = replica with { Pid = null, Failure = $"could not be started: {fact.Problem}" };
        if (fact.Permanent) turn.Enter(ended, ServiceState.Failed, ended.Failure);
        else AskRestart(turn, ended);
    }

    private static void Exited(Turn turn, ReplicaLife replica, ServiceFact.Exited fact)
    {
        var ended = replica with { MainEnded = true, LastExit = new ExitRecord(fact.Status, turn.At, fact.LastWords, fact.OutOfMemory) };
        turn.Do(new ServiceAction.StopProbing(replica.Index, replica.Run));
        if (replica.State == ServiceState.Stopping)
        {
            turn.Put(ended);
            StopPolicy.MainExited(turn, ended);
            return;
        }

        turn.Tell(ended, "exited", Ending(ended.LastExit));
        // What it leaves behind may hold its port: it goes before the next start.
        turn.Enter(ended with { Then = AfterStop.AskPolicy, Stage = StopStage.Killed }, ServiceState.Stopping, "what it left behind is ended");
        turn.Do(new ServiceAction.Sweep(replica.Index, replica.Run, Kill));
        turn.Do(new ServiceAction.Arm(replica.Index, replica.Run, ReplicaTimer.Immortal, TimeSpan.FromSeconds(5)));
    }

    private static void Elapsed(Turn turn, ReplicaLife replica, ReplicaTimer timer)
    {
        switch (timer)
        {
            case ReplicaTimer.Backoff when replica.State == ServiceState.Backoff:
                turn.Enter(replica with { RetryAt = null }, ServiceState.Waiting);
                break;
            case ReplicaTimer.Stable when replica.State is ServiceState.Healthy or ServiceState.Running:
                turn.Put(replica with { Attempt = 0 });
                turn.Do(new ServiceAction.SaveRecord(replica.Index, replica.Run));
                break;
            case ReplicaTimer.Hopeless when replica.State == ServiceState.Waiting && Gates.Hopeless(turn.Life) is { } hopeless:
                turn.Tell(turn.Enter(replica with { LastExit = null }, ServiceState.Failed, hopeless), "failed", $"failed: {hopeless}");
                break;
            case ReplicaTimer.Room:
                turn.Put(replica with { AsksRoom = false });
                break;
            case ReplicaTimer.Grace:
                StopPolicy.GraceOver(turn, replica);
                break;
            case ReplicaTimer.Immortal:
                StopPolicy.StillThere(turn, replica);
                break;
            case ReplicaTimer.Watchdog when replica.IsUp:
                turn.Tell(replica, "watchdog", $"sent no WATCHDOG=1 for {DurationWords.Of(replica.WatchdogPeriod ?? default)}");
                StopPolicy.Abort(turn, replica with { Failure = "its watchdog was not fed" });
                break;
        }
    }

    /// <summary><c>exited with 1: bind: address already in use</c>.</summary>
    private static string Ending(ExitRecord? exit) => exit switch
    {
        null => "ended",
        { LastWords: { Length: > 0 } words } => $"{exit.Ending}: `{words}`",
        _ => exit.Ending,
    };

    private static IReadOnlyList<int> PortsOf(Turn turn, ReplicaLife replica) =>
        turn.Life.Plan.Replicas.FirstOrDefault(r => r.Index == replica.Index)?.Ports.Select(p => p.Published).ToList() ?? replica.Ports;

    private static int Seed(Turn turn, ReplicaLife replica)
    {
        var hash = replica.Index;
        foreach (var letter in turn.Life.Plan.Name.Value) hash = unchecked((hash * 31) + letter);
        return hash;
    }
}
