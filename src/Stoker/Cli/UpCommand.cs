using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Planning;

namespace Stoker.Cli;

/// <summary>What was asked of <c>stoker up</c> beside the plan.</summary>
internal sealed record UpRequest(PlanRequest Plan, bool Detach, TimeSpan? Timeout);

internal static class UpCommand
{
    public static Verb Create()
    {
        var options = new PlanOptions();
        var detach = Parameters.Flag("--detach", "leave the daemon in the background and return when every service is up, or one has failed", "-d");
        var timeout = Parameters.Duration("--timeout", "with -d: how long to wait for that (default: as long as it takes)");
        return new Verb("up", "make the estate so and keep it so; on a changed file, apply only the difference")
        {
            Example = "stoker up -d --rehearse",
            Remarks =
            [
                "In the foreground this process becomes the daemon and shows the live view: Ctrl-C stops everything in order, a second one at once. "
                + "Where a daemon runs already, it gets the file and Ctrl-C only stops watching. Services outlive the daemon: a new one adopts them.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(options.Names, detach, options.Rehearse, options.Profile, timeout)
            .Does(run => RunAsync(run, new UpRequest(options.Read(run), run.Get(detach), run.Duration(timeout))));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, UpRequest request)
    {
        if (run.Choice is not { } choice || run.State is not { } state || choice.Name(run.Env, run.Report) is not { } name) return ExitCode.EstateIsWrong;
        var control = run.World.Control(state);
        var up = new UpRun(run, control, request, choice);
        switch (control.Daemon())
        {
            case ControlReply<DaemonDocument>.Rejected rejected:
                return run.Report.Rejected(rejected.Error);
            case ControlReply<DaemonDocument>.Answered { Document: var daemon }:
                // Before anything is asked: a wrong file is said here, with its lines shown.
                if (choice.Read(run.Env) is { IsWrong: true } wrong)
                {
                    DiagnosticPrinter.For(run, wrong.Directory).Print(wrong.Bag);
                    return ExitCode.EstateIsWrong;
                }

                return request.Detach ? await up.ApplyAndWaitAsync() : await up.ApplyAndWatchAsync(daemon);
        }

        var options = new DaemonOptions(state, name);
        if (request.Detach) return await up.BackgroundAsync(options);
        // A refusal costs no daemon.
        return PlanCommand.Make(run, request.Plan, out var code) is null ? code : await up.ForegroundAsync(options);
    }
}
