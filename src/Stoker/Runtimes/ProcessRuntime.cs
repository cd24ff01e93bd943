using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>Plain processes: the launcher starts them, their pidfd tells of their end, their cgroup or their marks tell what they started.</summary>
internal sealed class ProcessRuntime(TreeScanner scanner) : IRuntime
{
    public LaunchOutcome Launch(ReplicaLaunch launch)
    {
        var outcome = ProcessLauncher.Launch(launch.Request);
        if (outcome is LaunchOutcome.Launched started && launch.Cgroup is { } group)
        {
            group.Apply(launch.Limits);
            group.Add(started.Process.Pid);
        }

        return outcome;
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
            ProcessTree.Kill(members, signal);
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
