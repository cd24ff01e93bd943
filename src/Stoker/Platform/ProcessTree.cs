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

    private const int KillRounds = 100;

    /// <summary>The living members; zombies need no signal and are left out. The daemon itself is never one.</summary>
    /// <param name="root">The process that was launched; it may be gone.</param>
    /// <param name="sessionId">Its session, equal to its pid as launched here; 0 to look for none.</param>
    /// <param name="runMarker">The value of STOKER_RUN; null to look for none. Costs one file per process that is not found otherwise.</param>
    public static IReadOnlyList<ProcessId> Members(ProcessId root, int sessionId, string? runMarker, ProcessSnapshot snapshot)
    {
        var members = new Dictionary<int, ProcessEntry>();
        var leader = snapshot.Find(root.Pid);
        var pidIsReused = leader is { } entry && entry.StartTicks != root.StartTicks;

        // A number in use as a session's is not given out again, so a stranger with this pid means the session is over.
        if (!pidIsReused)
        {
            AddWithDescendants(leader, members, snapshot);
            foreach (var member in sessionId == 0 ? [] : snapshot.InSession(sessionId))
            {
                AddWithDescendants(member, members, snapshot);
            }
        }

        if (runMarker is not null)
        {
            foreach (var candidate in snapshot.Entries)
            {
                // Nothing of a run is older than its root. The root's own start was read after it began, so equal counts.
                if (candidate.StartTicks >= root.StartTicks && !candidate.IsZombie && !members.ContainsKey(candidate.Pid)
                    && ProcessTable.EnvironmentVariable(candidate.Pid, MarkerVariable) == runMarker)
                {
                    AddWithDescendants(candidate, members, snapshot);
                }
            }
        }

        return [.. members.Values.Where(member => !member.IsZombie).Select(member => new ProcessId(member.Pid, member.StartTicks))];
    }

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
    /// could not be killed (in uninterruptible sleep, or another user's); empty is done.
    /// </summary>
    public static IReadOnlyList<ProcessId> KillAll(ProcessId root, int sessionId, string? runMarker)
    {
        var last = Members(root, sessionId, runMarker, ProcessTable.Take());
        for (var round = 0; round < KillRounds && last.Count > 0; round++)
        {
            Kill(last, Signals.Kill);

            // The kernel needs a moment to take them down; killed ones that are still there are asked again, harmlessly.
            Thread.Sleep(round < 5 ? 1 : 10);
            last = Members(root, sessionId, runMarker, ProcessTable.Take());
        }

        return last;
    }

    private static void AddWithDescendants(ProcessEntry? member, Dictionary<int, ProcessEntry> members, ProcessSnapshot snapshot)
    {
        var pending = new Stack<ProcessEntry>();
        if (member is { } start)
        {
            pending.Push(start);
        }

        while (pending.TryPop(out var next))
        {
            if (next.Pid != Environment.ProcessId && members.TryAdd(next.Pid, next))
            {
                foreach (var child in snapshot.Children(next.Pid))
                {
                    pending.Push(child);
                }
            }
        }
    }
}
