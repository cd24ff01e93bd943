using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Supervision;

namespace Stoker.Cli;

internal static class DownCommand
{
    public static Verb Create() => new Verb("down", "stop every service in reverse order of dependency, then the daemon")
    {
        Example = "stoker down",
        ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
    }.Asks(RunAsync);

    private static async Task<ExitCode> RunAsync(Invocation run, ControlClient control)
    {
        var before = control.Status();
        if (before is not ControlReply<StatusDocument>.Answered { Document: var status }) return run.Failed(before);
        var reply = control.Down();
        if (reply is not ControlReply<AcceptedDocument>.Answered) return run.Failed(reply);
        using var interrupts = run.World.Interrupts();
        return await FollowDownAsync(run, control, status.Estate, interrupts.First);
    }

    /// <summary>Until the daemon has ended, which is the last thing that <c>down</c> does.</summary>
    public static async Task<ExitCode> FollowDownAsync(Invocation run, ControlClient control, string estate, CancellationToken interrupt)
    {
        var lines = run.Progress([], fromNow: true);
        var outcome = await Follow.UntilAsync(control, new Goal(GoalKind.Down, []), lines.See, null, run.World.Clock, interrupt);
        lines.Clear();
        switch (outcome)
        {
            // Ended between the request and the first look at it.
            case FollowOutcome.NoAnswer:
            case FollowOutcome.DaemonEnded:
                return Finish(run, estate, outcome.Last, lines.Elapsed);
            case FollowOutcome.Interrupted:
                run.Report.Say("the daemon goes on stopping without being watched");
                return ExitCode.Interrupted;
            case FollowOutcome.Missed missed:
                run.Report.Error($"{estate} was asked up again before it was down: {string.Join(", ", missed.Services.Select(s => $"`{s.Name}`"))}", "`stoker down` once more stops it");
                return ExitCode.NotAsItShouldBe;
            default:
                throw new InvalidOperationException("nothing but its end is waited for here");
        }
    }

    private static ExitCode Finish(Invocation run, string estate, StatusDocument? last, TimeSpan took)
    {
        var left = last?.Services.Where(s => s.State == ServiceState.Stopping || s.Replicas.Any(r => r.Pid is not null && !States.IsOver(r.State))).ToList() ?? [];
        // The last snapshot may be from just before the last process went; only a daemon that died leaves any.
        if (left.Count > 0 && run.State is { } state && run.World.Machine.CountLeftBehind(state) > 0)
        {
            run.Report.Error(
                $"the daemon ended before it had stopped {string.Join(", ", left.Select(s => $"`{s.Name}`"))}",
                "`stoker up` adopts what is left; then `stoker down` again");
            return ExitCode.NotAsItShouldBe;
        }

        run.Report.Say($"{estate} is down after {DurationWords.Of(took)}");
        return ExitCode.Done;
    }
}
