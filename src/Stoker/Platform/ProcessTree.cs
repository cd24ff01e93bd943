namespace Stoker.Platform;

/// <summary>A process for good: the pid may be somebody else's one day, pid and start together never are.</summary>
internal readonly record struct ProcessId(int Pid, ulong StartTicks);

/// <summary>
/// Everything a workload has started, also what left its session or lost its parent, found by three threads: descent, the
/// session, and a marker in the environment (<c>STOKER_RUN=…</c>) that is handed down from process to process.
/// </summary>
/// <remarks>
/// What clears its environment, leaves the session and loses its parent is found by its cgroup only (<see cref="Cgroups"/>).
/// </remarks>
internal static class ProcessTree
{
    public const string MarkerVariable = "STOKER_RUN";

    private const int KillRounds = 200, StillInBirth = 4;
    private const int ChaseMilliseconds = 6, LongestChaseMilliseconds = 30, EnoughBirths = 8;

    /// <summary>The living members; zombies need no signal and are left out. The daemon itself is never one.</summary>
    /// <param name="root">The process that was launched; it may be gone.</param>
    /// <param name="sessionId">Its session, equal to its pid as launched here; 0 to look for none.</param>
    /// <param name="runMarker">The value of STOKER_RUN; null to look for none. Costs one file per process that is not found otherwise.</param>
    public static IReadOnlyList<ProcessId> Members(ProcessId root, int sessionId, string? runMarker, ProcessSnapshot snapshot) =>
        [.. Walk(root, sessionId, runMarker, snapshot)];

    /// <summary>Signals each through a pidfd, so that a reused pid is never hit. Returns how many got it.</summary>
    public static int Kill(IReadOnlyList<ProcessId> members, int signal)
    {
        var reached = 0;
        foreach (var member in members)
        {
            using var process = SystemCalls.OpenProcess(member.Pid, out _);

            // In this order: opened first, compared after, the descriptor is the one that was compared.
            if (process is not null && ProcessEntry.Read(member.Pid) is { } now && now.StartTicks == member.StartTicks
                && SystemCalls.SignalProcess(process, signal) == 0)
            {
                reached++;
            }
        }

        return reached;
    }

    /// <summary>
    /// SIGKILL until no member is left, because a process can fork between the look and the signal. Returns those that
    /// could not be killed (in uninterruptible sleep, or another user's); empty is done, with one reservation: of a chain of
    /// processes that each live for less than a millisecond a link can be missed, and only a control group is proof against it.
    /// </summary>
    public static IReadOnlyList<ProcessId> KillAll(ProcessId root, int sessionId, string? runMarker)
    {
        IReadOnlyList<ProcessId> left = [];
        var killed = new HashSet<ProcessId>();
        var chased = false;
        for (var round = 0; round < KillRounds; round++)
        {
            // Each is killed as it is found: by the end of the walk a fork bomb's generation is gone, and its children elsewhere.
            var before = ProcessTable.LastPid();
            foreach (var member in Walk(root, sessionId, runMarker, ProcessTable.Take()))
            {
                Kill([member], Signals.Kill);
                killed.Add(member);
            }

            // A dying process has no environment any more but still its ports and files: it is waited for by name.
            left = [.. killed.Where(IsAlive)];
            if (left.Count > 0)
            {
                // The kernel needs a moment to take them down; killed ones that are still there are asked again, harmlessly.
                Thread.Sleep(round < 5 ? 1 : 10);
                chased = false;
            }
            else if (chased || runMarker is null || ProcessTable.LastPid() == before)
            {
                // Nothing was born on this machine while we looked, so nothing can have slipped through; or what was is not ours.
                break;
            }
            else
            {
                chased = !KillNewborn(root, runMarker, before, killed);
            }
        }

        return left;
    }

    /// <summary>
    /// Looks at nothing but what is being born, for a few milliseconds, and so catches what lives for less than a walk through
    /// /proc. True when there was one to kill.
    /// </summary>
    private static bool KillNewborn(ProcessId root, string runMarker, long last, HashSet<ProcessId> killed)
    {
        var start = Environment.TickCount64;
        var (found, births) = (false, 0L);

        // On a crowded machine both we and they are slow: long enough to have seen a few births, if there are any.
        while (Environment.TickCount64 - start is var elapsed
            && (elapsed < ChaseMilliseconds || (births is > 0 and < EnoughBirths && elapsed < LongestChaseMilliseconds)))
        {
            var newest = ProcessTable.LastPid();
            births += Math.Max(0, newest - last);

            // Newest first, and some again: a number is given out before its process can be seen. Smaller than the last: the
            // numbers have wrapped, and the next walk sees to it.
            for (var pid = newest; pid > last - StillInBirth && pid > 1; pid--)
            {
                if (ProcessTable.EnvironmentVariable((int)pid, MarkerVariable) == runMarker
                    && ProcessEntry.Read((int)pid) is { } entry && entry.StartTicks >= root.StartTicks
                    && entry.Pid != Environment.ProcessId)
                {
                    var newborn = new ProcessId(entry.Pid, entry.StartTicks);
                    found |= Kill([newborn], Signals.Kill) > 0;
                    killed.Add(newborn);
                }
            }

            last = Math.Max(newest, 0);
        }

        return found;
    }

    private static bool IsAlive(ProcessId process) =>
        ProcessEntry.Read(process.Pid) is { IsZombie: false } entry && entry.StartTicks == process.StartTicks;

    private static IEnumerable<ProcessId> Walk(ProcessId root, int sessionId, string? runMarker, ProcessSnapshot snapshot)
    {
        var seen = new HashSet<int> { Environment.ProcessId };
        var leader = snapshot.Find(root.Pid);

        // A number in use as a session's is not given out again, so a stranger with this pid means the session is over.
        if (leader is null || leader.Value.StartTicks == root.StartTicks)
        {
            var session = sessionId == 0 ? [] : snapshot.InSession(sessionId);
            foreach (var member in session.Concat(leader is { } first ? [first] : []).SelectMany(start => WithDescendants(start, seen, snapshot)))
            {
                yield return member;
            }
        }

        if (runMarker is null)
        {
            yield break;
        }

        // The youngest first: they are the ones that may be gone in a moment.
        for (var index = snapshot.Entries.Count - 1; index >= 0; index--)
        {
            // Nothing of a run is older than its root.
            var candidate = snapshot.Entries[index];
            if (candidate.StartTicks >= root.StartTicks && !candidate.IsZombie && !candidate.IsKernelThread
                && !seen.Contains(candidate.Pid)
                && ProcessTable.EnvironmentVariable(candidate.Pid, MarkerVariable) == runMarker)
            {
                foreach (var member in WithDescendants(candidate, seen, snapshot))
                {
                    yield return member;
                }
            }
        }
    }

    private static IEnumerable<ProcessId> WithDescendants(ProcessEntry start, HashSet<int> seen, ProcessSnapshot snapshot)
    {
        var pending = new Stack<ProcessEntry>([start]);
        while (pending.TryPop(out var next))
        {
            if (!seen.Add(next.Pid))
            {
                continue;
            }

            if (!next.IsZombie)
            {
                yield return new ProcessId(next.Pid, next.StartTicks);
            }

            foreach (var child in snapshot.Children(next.Pid))
            {
                pending.Push(child);
            }
        }
    }
}
