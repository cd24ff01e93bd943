using Stoker.Planning;

namespace Stoker.Supervision;

/// <summary>
/// The whole policy of supervision as one pure function: what a service does when something happens to it. What concerns a
/// single running copy is in <see cref="ReplicaPolicy"/> and <see cref="StopPolicy"/>.
/// </summary>
internal static class ServicePolicy
{
    /// <param name="ended">What an earlier daemon recorded of replicas that have no process: completed, failed or stopped, and since when; null: not known.</param>
    public static ServiceLife Begin(ServicePlan plan, DateTimeOffset at, IReadOnlyDictionary<int, (ServiceState State, DateTimeOffset? Since)> ended) => new(plan)
    {
        Replicas = [.. plan.Replicas.Select(r =>
        {
            var (state, since) = ended.GetValueOrDefault(r.Index, (ServiceState.Waiting, at));
            return NewReplica(r, since ?? at) with { State = state };
        })],
    };

    public static Decision Decide(ServiceLife life, ServiceFact fact)
    {
        var turn = new Turn(life, fact.At);
        switch (fact)
        {
            // What was told to leave is leaving for good: its name comes back with a new life.
            case ServiceFact.StartRequested or ServiceFact.RestartRequested or ServiceFact.PlanChanged when life.Forget:
                break;
            case ServiceFact.StartRequested start:
                Start(turn, start.ByName);
                break;
            case ServiceFact.StopRequested stop:
                Stop(turn, stop);
                break;
            case ServiceFact.RestartRequested restart:
                Restart(turn, restart.Why);
                break;
            case ServiceFact.ReloadRequested:
                foreach (var replica in life.Replicas.Where(r => r.IsUp)) turn.Do(new ServiceAction.Reload(replica.Index, replica.Run));
                break;
            case ServiceFact.EndRequested end:
                foreach (var replica in life.Replicas.Where(r => r.IsUp && r.State != ServiceState.Stopping && (end.Replica ?? r.Index) == r.Index))
                {
                    turn.Tell(replica, "ended", $"is ended: {end.Why}");
                    ReplicaPolicy.Fail(turn, replica, end.Why);
                }

                break;
            case ServiceFact.KillRequested:
                foreach (var replica in life.Replicas.Where(r => r.IsAlive)) StopPolicy.KillNow(turn, replica);
                break;
            case ServiceFact.PlanChanged changed:
                Change(turn, changed.Plan);
                break;
            case ServiceFact.PeerChanged peer:
                Peer(turn, peer);
                break;
            case ServiceFact.OfReplica ofReplica:
                OfReplica(turn, ofReplica);
                break;
        }

        Settle(turn);
        return turn.Close();
    }

    private static ReplicaLife NewReplica(ReplicaPlan plan, DateTimeOffset at) =>
        new(plan.Index, ServiceState.Stopped, at) { Ports = [.. plan.Ports.Select(p => p.Published)] };

    private static void Start(Turn turn, bool byName)
    {
        if (!byName && turn.Life is { Plan.Spec.StartsOnRequest: true, Wanted: false, IsAlive: false })
        {
            LeaveUntilAskedFor(turn);
            return;
        }

        turn.Life = turn.Life.WantedUp();
        foreach (var replica in turn.Life.Replicas)
        {
            switch (replica.State)
            {
                case ServiceState.Stopped or ServiceState.Failed or ServiceState.Backoff:
                case ServiceState.Completed when byName:
                    Revive(turn, replica);
                    break;
                case ServiceState.Stopping when replica.Then == AfterStop.StayStopped:
                    turn.Put(replica with { Then = AfterStop.StartAgain });
                    break;
            }
        }
    }

    /// <summary>Back to the gates, with nothing held against it.</summary>
    private static void Revive(Turn turn, ReplicaLife replica) => turn.Enter(replica with { Attempt = 0, Restarts = 0, RetryAt = null }, ServiceState.Waiting);

    /// <summary>The whole estate is wanted up, and this one only when somebody names it.</summary>
    private static void LeaveUntilAskedFor(Turn turn)
    {
        turn.Life = turn.Life with { Wish = Wish.Down };
        foreach (var replica in turn.Life.Replicas.Where(r => r.State == ServiceState.Waiting)) turn.Enter(replica, ServiceState.Stopped, "starts on request");
    }

    private static void Stop(Turn turn, ServiceFact.StopRequested stop)
    {
        turn.Life = turn.Life with { Wish = Wish.Down, Forget = turn.Life.Forget || stop.Forget, StopAfter = stop.After, StopReason = stop.Why };
        foreach (var replica in turn.Life.Replicas)
        {
            switch (replica.State)
            {
                case ServiceState.Waiting or ServiceState.Backoff:
                    turn.Enter(replica with { RetryAt = null }, ServiceState.Stopped, stop.Why);
                    turn.Tell(replica, "stopped", $"stopped before it was started: {stop.Why}");
                    turn.Do(new ServiceAction.DropRecord(replica.Index, replica.Run));
                    break;
                case ServiceState.Stopping when replica.Then is AfterStop.StartAgain or AfterStop.AskPolicy:
                    turn.Put(replica with { Then = AfterStop.StayStopped });
                    break;
            }
        }
    }

    private static void Restart(Turn turn, string why)
    {
        turn.Life = turn.Life.WantedUp() with { Generation = turn.Life.Generation + 1 };
        foreach (var replica in turn.Life.Replicas)
        {
            switch (replica.State)
            {
                // It has not started yet: there is nothing to restart, and nothing to wedge (process-compose issue 530).
                case ServiceState.Waiting:
                    turn.Put(replica with { Attempt = 0 });
                    break;
                case ServiceState.Backoff or ServiceState.Stopped or ServiceState.Failed or ServiceState.Completed:
                    Revive(turn, replica);
                    turn.Tell(replica, "restart_requested", $"is started again: {why}");
                    break;
                case ServiceState.Stopping when replica.Then != AfterStop.Remove:
                    turn.Put(replica with { Then = AfterStop.StartAgain });
                    break;
                case ServiceState.Starting or ServiceState.Running or ServiceState.Healthy or ServiceState.Unhealthy:
                    StopPolicy.Begin(turn, replica with { Attempt = 0 }, AfterStop.StartAgain, why);
                    break;
            }
        }
    }

    private static void Change(Turn turn, ServicePlan plan)
    {
        var before = turn.Life.Plan;
        turn.Life = turn.Life with { Plan = plan };
        var differs = before.Fingerprint != plan.Fingerprint;
        if (differs) turn.Life = turn.Life with { Generation = turn.Life.Generation + 1 };
        Resize(turn, plan);
        foreach (var replica in turn.Life.Replicas.Where(r => r.IsUp && r.State != ServiceState.Stopping))
        {
            if (replica.Fingerprint is { } running && running != plan.Fingerprint)
                StopPolicy.Begin(turn, replica with { Attempt = 0 }, AfterStop.StartAgain, "its declaration changed");
            else if (before.Spec.Healthcheck != plan.Spec.Healthcheck)
                HealthTurns.AskAnew(turn, replica);
        }

        if (!differs) return;
        foreach (var replica in turn.Life.Replicas.Where(r => r.State is ServiceState.Backoff or ServiceState.Failed or ServiceState.Completed))
        {
            if (turn.Life.Wanted) Revive(turn, replica);
        }
    }

    private static void Resize(Turn turn, ServicePlan plan)
    {
        var wanted = plan.Replicas.ToDictionary(r => r.Index);
        foreach (var replica in turn.Life.Replicas.Where(r => !wanted.ContainsKey(r.Index)).ToList())
        {
            if (replica.State == ServiceState.Stopping) turn.Put(replica with { Then = AfterStop.Remove });
            else if (replica.IsAlive) StopPolicy.Begin(turn, replica, AfterStop.Remove, $"scaled to {plan.Replicas.Count}");
            else
            {
                turn.Do(new ServiceAction.DropRecord(replica.Index, replica.Run));
                turn.Remove(replica.Index);
            }
        }

        foreach (var added in plan.Replicas)
        {
            var ports = added.Ports.Select(p => p.Published).ToList();
            if (turn.Find(added.Index) is not { } known)
            {
                var fresh = NewReplica(added, turn.At);
                if (turn.Life.Wanted) fresh = fresh with { State = ServiceState.Waiting };
                turn.Life = turn.Life with { Replicas = [.. turn.Life.Replicas.Append(fresh).OrderBy(r => r.Index)] };
            }
            else if (known is { State: ServiceState.Stopping, Then: AfterStop.Remove }) turn.Put(known with { Then = AfterStop.StartAgain, Ports = ports });
            else if (!known.IsAlive) turn.Put(known with { Ports = ports });
        }
    }

    private static void Peer(Turn turn, ServiceFact.PeerChanged fact)
    {
        var before = turn.Life.Peers.GetValueOrDefault(fact.Peer);
        turn.Life = turn.Life with { Peers = new Dictionary<Estates.ServiceName, PeerView>(turn.Life.Peers) { [fact.Peer] = fact.View } };
        if (before is null || !turn.Life.Wanted) return;
        if (before.Alive && (!fact.View.Alive || before.Starts != fact.View.Starts) && turn.Life.Plan.Dependencies.Any(d => d.Service == fact.Peer && d.Shared))
        {
            foreach (var replica in turn.Life.Replicas.Where(r => r.IsUp))
            {
                turn.Tell(replica, "shared_server_ended", $"restarts: `{fact.Peer}` has ended, and what it did on the GPU with it");
                StopPolicy.Begin(turn, replica with { Attempt = 0 }, AfterStop.StartAgain, $"`{fact.Peer}` has ended");
            }

            return;
        }

        if (before.Generation == fact.View.Generation) return;
        if (!turn.Life.Plan.Dependencies.Any(d => d.Service == fact.Peer && d.Restart)) return;
        turn.Life = turn.Life with { Generation = turn.Life.Generation + 1 };
        foreach (var replica in turn.Life.Replicas.Where(r => r.IsUp))
            StopPolicy.Begin(turn, replica with { Attempt = 0 }, AfterStop.StartAgain, $"`{fact.Peer}` was restarted or changed");
    }

    private static void OfReplica(Turn turn, ServiceFact.OfReplica fact)
    {
        var replica = turn.Find(fact.Replica);
        if (fact is ServiceFact.Adopted adopted)
        {
            ReplicaPolicy.Adopt(turn, adopted);
            return;
        }

        // A fact about an earlier start of the replica tells nothing about this one.
        if (replica is null || replica.Run != fact.Run) return;
        ReplicaPolicy.Decide(turn, replica, fact);
    }

    /// <summary>What follows from the whole after any fact: waiting replicas start when the gates are open, held stops go on, a forgotten service retires.</summary>
    private static void Settle(Turn turn)
    {
        if (turn.Life.Wish == Wish.Up) StartWaiting(turn);
        else if (turn.Life.Wish == Wish.Down) StopHeld(turn);
        if (turn.Life is { Forget: true, IsAlive: false } && turn.Life.Replicas.All(r => r.State != ServiceState.Stopping))
            turn.Do(new ServiceAction.Retire());
    }

    private static void StartWaiting(Turn turn)
    {
        if (!turn.Life.Replicas.Any(r => r.State == ServiceState.Waiting)) return;
        var closed = Gates.Closed(turn.Life);
        foreach (var replica in turn.Life.Replicas.Where(r => r.State == ServiceState.Waiting).ToList())
        {
            if (closed.Count == 0 && turn.Life.Plan.AsksRoom) ReplicaPolicy.AskRoom(turn, replica);
            else if (closed.Count == 0) ReplicaPolicy.Launch(turn, replica);
            else ReplicaPolicy.Wait(turn, replica, closed);
        }
    }

    private static void StopHeld(Turn turn)
    {
        var held = turn.Life.StopAfter.Where(name => turn.Life.Peers.TryGetValue(name, out var peer) && peer.Alive).Order().ToList();
        foreach (var replica in turn.Life.Replicas.Where(r => r.IsUp).ToList())
        {
            if (held.Count == 0) StopPolicy.Begin(turn, replica, AfterStop.StayStopped, turn.Life.StopReason ?? "asked to stop");
            else turn.Put(replica with { Reason = $"stops after {string.Join(", ", held.Select(n => $"`{n}`"))}" });
        }
    }
}
