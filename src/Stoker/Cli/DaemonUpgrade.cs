using Stoker.Daemon.Protocol;
using Stoker.Estates;

namespace Stoker.Cli;

/// <summary><c>stoker daemon upgrade</c>: asks, then looks until another process answers at the socket.</summary>
internal static class DaemonUpgrade
{
    public static async Task<ExitCode> RunAsync(Invocation run, ControlClient control, string? executable)
    {
        var before = control.Daemon();
        if (before is not ControlReply<DaemonDocument>.Answered { Document: var old }) return run.Failed(before);
        var program = executable is null ? run.World.Executable : Path.GetFullPath(executable, run.World.CurrentDirectory);
        var reply = control.UpgradeDaemon(new DaemonUpgradeRequest(program));
        if (reply is not ControlReply<AcceptedDocument>.Answered) return run.Failed(reply);
        using var interrupts = run.World.Interrupts();
        try
        {
            return await WaitAsync(run, control, old, interrupts.First);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    private static async Task<ExitCode> WaitAsync(Invocation run, ControlClient control, DaemonDocument old, CancellationToken interrupt)
    {
        var clock = run.World.Clock;
        var begun = clock.GetTimestamp();
        for (var said = false; clock.GetElapsedTime(begun) < BackgroundStart.Longest;)
        {
            // An exec in place keeps the pid, a hand-over changes it; the start time changes with both.
            if (control.Daemon() is ControlReply<DaemonDocument>.Answered { Document: var now } && now.Since != old.Since)
            {
                run.Report.Say($"the daemon is {now.Version} now (pid {now.Pid}), it was {old.Version} (pid {old.Pid}); took {DurationWords.Of(clock.GetElapsedTime(begun))}");
                return ExitCode.Done;
            }

            if (!said && clock.GetElapsedTime(begun) > BackgroundStart.Patience)
            {
                run.Report.Say("the new daemon is starting and does not answer yet; waiting for it");
                said = true;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, interrupt);
        }

        run.Report.Error($"no new daemon answers after {DurationWords.Of(BackgroundStart.Longest)}", "`stoker daemon status` tells which one does, daemon.log in the state directory why");
        return ExitCode.NotAsItShouldBe;
    }
}
