using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Supervision;

namespace Stoker.Cli;

internal static class WaitCommand
{
    public static Verb Create()
    {
        var names = Parameters.Names("services to wait for; none: all of them");
        var target = Parameters.OneOf("--for", "where they should be (default: healthy)", "healthy", "running", "completed", "stopped");
        var timeout = Parameters.Duration("--timeout", "how long to wait (default: as long as it takes)");
        return new Verb("wait", "return when services are where they should be")
        {
            Example = "stoker wait --timeout 30s redis vision",
            Remarks =
            [
                "healthy: healthy, or running where there is no healthcheck, or completed. running: alive, whatever its health. completed: ended "
                + "by itself with success. stopped: has no process and will have none by itself. A service that can no longer get there ends the wait.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names, target, timeout).Asks((run, control) => RunAsync(run, control, run.Get(names)!, run.Get(target) ?? "healthy", run.Duration(timeout)));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, ControlClient control, string[] names, string target, TimeSpan? timeout)
    {
        if (ServiceRequest.CheckNames(run, control, names) is { } wrong) return wrong;
        var goal = new Goal(Kind(target), names);
        using var interrupts = run.World.Interrupts();
        var lines = run.Progress(names, fromNow: true);
        var outcome = await Follow.UntilAsync(control, goal, lines.See, timeout, run.World.Clock, interrupts.First);
        lines.Clear();
        switch (outcome)
        {
            case FollowOutcome.Reached reached:
                if (run.Json) run.PrintJson(reached.Status, ControlJson.Readable.StatusDocument);
                return ExitCode.Done;
            case FollowOutcome.Missed missed:
                run.Report.Error(NotThere(missed.Services, target), $"`stoker why {missed.Services[0].Name}` tells more");
                return ExitCode.NotAsItShouldBe;
            case FollowOutcome.TimedOut late:
                run.Report.Error(
                    $"after {DurationWords.Of(timeout!.Value)}: {(late.Services.Count > 0 ? NotThere(late.Services, target) : "the daemon has not answered")}",
                    late.Services.Count > 0 ? $"`stoker why {late.Services[0].Name}` tells more" : null);
                return ExitCode.NotAsItShouldBe;
            case FollowOutcome.Interrupted:
                return ExitCode.Interrupted;
            case FollowOutcome.NoAnswer none:
                return run.Failed(none.Reply);
            default:
                // The daemon ends when all is down, which is what was waited for.
                if (target == "stopped") return ExitCode.Done;
                run.Report.Error("the daemon ended while services were waited for");
                return ExitCode.NoDaemon;
        }
    }

    private static GoalKind Kind(string target) => target switch
    {
        "running" => GoalKind.Running,
        "completed" => GoalKind.Completed,
        "stopped" => GoalKind.Over,
        _ => GoalKind.Up,
    };

    private static string NotThere(IReadOnlyList<ServiceDocument> services, string target) =>
        $"not {target}: " + string.Join(
            "; ",
            services.Select(s => States.Reason(s) is { Length: > 0 } reason
                ? $"`{s.Name}` is {StateWords.Of(s.State)} ({reason})"
                : $"`{s.Name}` is {StateWords.Of(s.State)}"));
}
