using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>Plain processes: the launcher starts them, their pidfd tells of their end, their cgroup or their marks tell what they started.</summary>
internal sealed class ProcessRuntime(TreeScanner scanner) : IRuntime
{
    public LaunchOutcome Launch(ReplicaLaunch launch)
    {
        var problems = launch.Cgroup?.Apply(launch.Limits) ?? [];
        var outcome = ProcessLauncher.Launch(launch.Request);
        return outcome is LaunchOutcome.Launched started && launch.Cgroup is { } group ? Group(started, group, launch, problems) : outcome;
    }

    /// <summary>
    /// A service whose limits the plan took on does not run without them. One without limits is not kept from running by a
    /// group that will not take it; what it starts is then found by its marks.
    /// </summary>
    private static LaunchOutcome Group(LaunchOutcome.Launched started, Cgroup group, ReplicaLaunch launch, IReadOnlyList<string> problems)
    {
        try
        {
            group.Add(started.Process.Pid);
            return started with { Cgroup = group };
        }
        catch (IOException refused)
        {
            // Where no controller is, the plan has said that limits do not hold.
            if (problems.Count == launch.Limits.Writes().Count) return started;
            started.Process.TrySignal(Signals.Kill);
            started.Process.Dispose();
            return new LaunchOutcome.Refused(LaunchRefusal.Other, refused.Message);
        }
    }

    public ValueTask<string?> SignalAsync(RunHandle run, int signal) =>
        ValueTask.FromResult(run.Main.TrySignal(signal) == SignalOutcome.NotPermitted
            ? $"not permitted to send {Signals.Name(signal)} to pid {run.Main.Pid}, which runs as another user"
            : null);

    public async ValueTask<int> SweepAsync(RunHandle run, int signal, CancellationToken cancel)
    {
        var found = 0;
        while (!cancel.IsCancellationRequested)
        {
            var members = run.Cgroup is { } group ? MembersOf(group) : await scanner.MembersAsync(run);
            if (members.Count == 0) break;
            found += members.Count(m => m != run.Main.Id);
            // In one step, so that what forks faster than it can be listed does not escape.
            if (signal != Signals.Kill || run.Cgroup?.Kill() is not true) ProcessTree.Kill(members, signal);
            await AllGoneAsync(members, cancel);
        }

        return found;
    }

    private static IReadOnlyList<ProcessId> MembersOf(Cgroup group)
    {
        if (!group.IsPopulated) return [];
        return [.. group.Members().Select(ProcessTable.Find).OfType<ProcessEntry>().Where(e => !e.IsZombie).Select(e => new ProcessId(e.Pid, e.StartTicks))];
    }

    private static async Task AllGoneAsync(IReadOnlyList<ProcessId> members, CancellationToken cancel)
    {
        foreach (var member in members)
        {
            if (ChildProcess.Adopt(member.Pid, member.StartTicks) is not { } process) continue;
            try
            {
                await process.Exit.WaitAsync(cancel);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                process.Dispose();
            }
        }
    }
}
