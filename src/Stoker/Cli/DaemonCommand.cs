using Stoker.Daemon;
using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class DaemonCommand
{
    private static readonly ExitCode[] Codes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon];

    public static Verb Create() => new Verb("daemon", "the program in the background that runs the estate")
    {
        Example = "stoker daemon status",
        ExitCodes = Codes,
    }.With(Status(), Stop(), Upgrade(), RunHere());

    private static Verb Status() => new Verb("status", "show the daemon: pid, version, since when, files, state directory")
    {
        Example = "stoker daemon status --json",
        ExitCodes = Codes,
    }.Asks((run, control) =>
    {
        var reply = control.Daemon();
        if (reply is not ControlReply<DaemonDocument>.Answered { Document: var daemon }) return run.Failed(reply);
        if (run.Json) run.PrintJson(daemon, ControlJson.Readable.DaemonDocument);
        else Print(run, daemon);
        return ExitCode.Done;
    });

    private static void Print(Invocation run, DaemonDocument daemon)
    {
        var clock = run.World.Clock;
        (string Title, string Value)[] rows =
        [
            ("pid", $"{daemon.Pid}"),
            ("version", daemon.Version),
            ("estate", daemon.Host is { } host ? $"{daemon.Estate} on {host}" : daemon.Estate),
            ("since", $"{Moments.DayAndTime(daemon.Since, clock)} ({Durations.Short(clock.GetUtcNow() - daemon.Since)})"),
            ("url", daemon.Url),
            ("state", daemon.StateDirectory),
            ("files", string.Join(' ', daemon.Files)),
        ];
        foreach (var (title, value) in rows) run.Output.WriteLine($"{run.Style.Paint(TextWidth.Fit(title, 9), Tone.Dim)}{value}");
        if (daemon.Rehearse) run.Output.WriteLine($"{run.Style.Paint(TextWidth.Fit("rehearse", 9), Tone.Dim)}yes: stand-ins run for what is missing here");
    }

    /// <summary>Into daemon.log, for whom the daemon ended before it could be asked.</summary>
    private static void Say(Invocation run, ApplyResponse response)
    {
        foreach (var diagnostic in response.Diagnostics)
            run.Report.Say($"{diagnostic.File}:{diagnostic.Line}:{diagnostic.Column}: {diagnostic.Severity} {diagnostic.Code}: {diagnostic.Message}");
        run.World.Error.Flush();
    }

    private static Verb Stop()
    {
        var keep = Parameters.Flag("--keep-services", "leave the services running; the next `stoker up` adopts them");
        return new Verb("stop", "end the daemon, and its services as `stoker down` does")
        {
            Example = "stoker daemon stop --keep-services",
            ExitCodes = Codes,
        }.With(keep).Asks(async (run, control) =>
        {
            var before = control.Daemon();
            if (before is not ControlReply<DaemonDocument>.Answered { Document: var daemon }) return run.Failed(before);
            var request = new DaemonStopRequest(run.Get(keep) ? DaemonStopRequest.Keep : DaemonStopRequest.Stop);
            var reply = control.StopDaemon(request);
            if (reply is not ControlReply<AcceptedDocument>.Answered) return run.Failed(reply);
            using var interrupts = run.World.Interrupts();
            return run.Get(keep) ? await UntilGoneAsync(run, control, interrupts.First) : await DownCommand.FollowDownAsync(run, control, daemon.Estate, interrupts.First);
        });
    }

    private static async Task<ExitCode> UntilGoneAsync(Invocation run, ControlClient control, CancellationToken interrupt)
    {
        var outcome = await Follow.UntilAsync(control, new Goal(GoalKind.DaemonEnds, []), _ => { }, null, run.World.Clock, interrupt);
        if (outcome is FollowOutcome.Interrupted) return ExitCode.Interrupted;
        run.Report.Say("the daemon has ended; its services go on");
        return ExitCode.Done;
    }

    private static Verb Upgrade()
    {
        var executable = Parameters.Text("--executable", "FILE", "the program to become (default: the one that runs this command)");
        return new Verb("upgrade", "replace the daemon by this program; no service is restarted")
        {
            Example = "stoker daemon upgrade",
            ExitCodes = Codes,
        }.With(executable).Asks((run, control) => DaemonUpgrade.RunAsync(run, control, run.Get(executable)));
    }

    /// <summary>The background daemon itself: what <c>up -d</c> starts, and a systemd unit may.</summary>
    private static Verb RunHere()
    {
        var estate = Parameters.Text("--name", "NAME", "the estate's name (default: read from its file)");
        var resume = Parameters.Flag("--resume", "go on with what the daemon before this one was told");
        var apply = Parameters.Flag("--apply", "begin with the estate file, as `up` would");
        var plan = new PlanOptions();
        return new Verb("run", "be the daemon, in this process, without a view")
        {
            Example = "stoker daemon run --state /var/lib/stoker/ai-system --name ai-system --resume",
            ExitCodes = Codes,
            Hidden = true,
        }.With(plan.Names, plan.Rehearse, plan.Profile, estate, resume, apply).Does(async run =>
        {
            if (run.State is not { } state) return ExitCode.EstateIsWrong;
            if ((run.Get(estate) ?? run.Choice?.Name(run.Env, run.Report)) is not { } name) return ExitCode.EstateIsWrong;
            var wish = plan.Read(run);
            var options = new DaemonOptions(state, name)
            {
                Resume = run.Get(resume),
                First = run.Get(apply) && run.Choice is { } choice ? UpRun.Wish(run, choice, wish) : null,
                FirstApplied = response => Say(run, response),
                Report = text => run.Report.Error(text),
            };
            return await UpRun.EndedAsync(run.World.Daemons.RunAsync(options, CancellationToken.None));
        });
    }
}
