using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Planning;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>One <c>stoker up</c>: how it gets a daemon, what it tells it, and what it shows.</summary>
internal sealed class UpRun(Invocation run, ControlClient control, UpRequest request, EstateChoice choice)
{
    /// <summary>Tries after which a service that keeps ending is not waited for any longer.</summary>
    private const int Tries = 5;

    /// <summary>The request as the daemon gets it.</summary>
    public static ApplyRequest Wish(Invocation run, EstateChoice choice, PlanRequest plan) => new(choice.Files)
    {
        Env = run.Env,
        Host = plan.Host?.Value,
        Rehearse = plan.Rehearse,
        Profiles = [.. plan.Profiles],
        Names = [.. plan.Names.Select(n => n.Value)],
        Variables = run.World.Variables,
    };

    public async Task<ExitCode> ApplyAndWaitAsync()
    {
        var lines = run.Progress([], fromNow: false);
        return Apply(out var goal) is { } code ? code : await WaitUntilUpAsync(goal!, lines);
    }

    public async Task<ExitCode> ApplyAndWatchAsync(DaemonDocument daemon)
    {
        if (Apply(out _) is { } code) return code;
        using var interrupts = run.World.Interrupts();
        var outcome = await WatchAsync(owner: false, interrupts.First);
        if (outcome is not ExitCode.Interrupted) return outcome;
        run.Report.Say($"no longer watching; the daemon (pid {daemon.Pid}) goes on, `stoker down` stops it");
        return ExitCode.Done;
    }

    /// <summary>
    /// The daemon is started with the wish, so that services start while its socket opens, and tells what it made of it. The files are
    /// read here only where it refuses: that answer may be lost with its end.
    /// </summary>
    public async Task<ExitCode> BackgroundAsync(DaemonOptions options)
    {
        var lines = run.Progress([], fromNow: false);
        var background = new BackgroundDaemon(run.World.Executable, options with { First = Wish(run, choice, request.Plan) }, run.World.Variables, run.World.CurrentDirectory);
        var start = new BackgroundStart(run, control, background, request.Timeout);
        if (!start.Begin()) return ExitCode.NotAsItShouldBe;
        switch (await start.UntilItAnswersAsync())
        {
            case DaemonAnswer.Ours:
                var reply = control.FirstApplied();
                if (reply is ControlReply<ApplyResponse>.Answered { Document: var response }) return Taken(response, out var goal) is { } refused ? refused : await WaitUntilUpAsync(goal!, lines);
                if (!await start.IsEndingAsync()) return run.Failed(reply);
                break;
            case DaemonAnswer.Anothers:
                return await ApplyAndWaitAsync();
            case DaemonAnswer.Silent:
                return ExitCode.NoDaemon;
        }

        if (PlanCommand.Make(run, request.Plan, out var code) is null) return code;
        start.SayHowItEnded();
        return ExitCode.NoDaemon;
    }

    /// <summary>This process is the daemon; what is shown still comes over the socket, as for everybody else.</summary>
    public async Task<ExitCode> ForegroundAsync(DaemonOptions options)
    {
        using var interrupts = run.World.Interrupts();
        using var stop = new CancellationTokenSource();
        ApplyResponse? answer = null;
        var told = options with { First = Wish(run, choice, request.Plan), FirstApplied = response => answer = response, Report = text => run.Report.Error(text) };
        var daemon = Task.Run(() => run.World.Daemons.RunAsync(told, stop.Token));
        var wait = new DaemonWait(control, run.World.Clock);
        while (wait.Ask() is null)
        {
            if (daemon.IsCompleted)
            {
                var code = await EndedAsync(daemon);
                return answer is { Accepted: false } refused ? Refused(refused) : code;
            }

            if (interrupts.First.IsCancellationRequested) return await StopAllAsync(options.Estate, daemon, stop, interrupts);
            await wait.PauseAsync(daemon);
        }

        var outcome = await WatchAsync(owner: true, interrupts.First);
        if (outcome is not ExitCode.Interrupted) return daemon.IsCompleted ? await EndedAsync(daemon) : outcome;
        return await StopAllAsync(options.Estate, daemon, stop, interrupts);
    }

    private async Task<ExitCode> StopAllAsync(string estate, Task<int> daemon, CancellationTokenSource stop, IInterrupts interrupts)
    {
        run.Report.Say("stopping everything in order; once more to kill it");
        if (control.Down() is not ControlReply<AcceptedDocument>.Answered) stop.Cancel();
        // Ctrl-C in the full-screen view came as a key; the first signal is the second time then.
        var again = interrupts.First.IsCancellationRequested ? interrupts.Second : interrupts.First;
        if (await DownCommand.FollowDownAsync(run, control, estate, again) is ExitCode.Interrupted)
        {
            run.Report.Say("killing what is left");
            control.StopDaemon(new DaemonStopRequest(DaemonStopRequest.Kill));
            stop.Cancel();
        }

        return await EndedAsync(daemon);
    }

    public static async Task<ExitCode> EndedAsync(Task<int> daemon)
    {
        var code = await daemon;
        return Enum.IsDefined((ExitCode)code) ? (ExitCode)code : ExitCode.NotAsItShouldBe;
    }

    /// <summary>Null when the daemon took it over; else it is said why not, and the code to end with returned.</summary>
    private ExitCode? Apply(out Goal? goal)
    {
        goal = null;
        var reply = control.Apply(Wish(run, choice, request.Plan));
        return reply is ControlReply<ApplyResponse>.Answered { Document: var response } ? Taken(response, out goal) : run.Failed(reply);
    }

    /// <summary>Null when the wish was accepted, with what to wait for.</summary>
    private ExitCode? Taken(ApplyResponse response, out Goal? goal)
    {
        goal = null;
        if (!response.Accepted) return Refused(response);
        SayDiagnostics(response);
        goal = new Goal(GoalKind.Up, response.ComesUp, Patience: Tries);
        return null;
    }

    private ExitCode Refused(ApplyResponse response)
    {
        SayDiagnostics(response);
        return response.Plan is null ? ExitCode.EstateIsWrong : ExitCode.Refused;
    }

    private void SayDiagnostics(ApplyResponse response)
    {
        if (response.Diagnostics.Count > 0) DiagnosticPrinter.For(run, choice.Read(run.Env).Directory).Print(response.Diagnostics);
    }

    private async Task<ExitCode> WaitUntilUpAsync(Goal goal, ProgressLines lines)
    {
        using var interrupts = run.World.Interrupts();
        // The first snapshot after the apply already shows what was accepted.
        var outcome = await Follow.UntilAsync(control, goal, lines.See, Left(lines.Elapsed), run.World.Clock, interrupts.First);
        lines.Clear();
        if (run.Json && outcome.Last is { } last) run.PrintJson(last, ControlJson.Readable.StatusDocument);
        switch (outcome)
        {
            case FollowOutcome.Reached reached:
                if (!run.Json) run.Output.WriteLine(UpLines.Up(reached.Status, goal, lines.Elapsed));
                return ExitCode.Done;
            case FollowOutcome.Missed or FollowOutcome.TimedOut when outcome.Last is { } status:
                if (!run.Json) run.Output.WriteLine(UpLines.NotUp(status, goal, lines.Elapsed));
                UpLines.WhatIsNotWell(status, goal).ToList().ForEach(run.Report.Say);
                run.Report.Hint("the daemon goes on trying; `stoker status --watch` looks on, `stoker down` stops it");
                return ExitCode.NotAsItShouldBe;
            case FollowOutcome.TimedOut:
                run.Report.Error("the time was over before the daemon told how its services are", "`stoker status` tells it; `stoker wait` waits for them");
                return ExitCode.NotAsItShouldBe;
            case FollowOutcome.Interrupted:
                run.Report.Say("no longer watching; the daemon goes on, `stoker down` stops it");
                return ExitCode.Interrupted;
            case FollowOutcome.NoAnswer none:
                return run.Failed(none.Reply);
            default:
                run.Report.Error("the daemon ended while services were starting", "its daemon.log in the state directory may say why; `stoker up -d` adopts what runs");
                return ExitCode.NoDaemon;
        }
    }

    /// <summary>Of the time that may be waited; the daemon's own start counts.</summary>
    private TimeSpan? Left(TimeSpan elapsed) => request.Timeout is { } all ? all > elapsed ? all - elapsed : TimeSpan.Zero : null;

    /// <summary>Interrupted when it is over because the person wants it to be.</summary>
    private async Task<ExitCode> WatchAsync(bool owner, CancellationToken interrupt)
    {
        if (!run.Json && run.World.Terminal.OpenScreen() is { } screen)
        {
            using (screen)
            {
                var code = await Watching.WatchLoop.RunAsync(run, control, screen, new Watching.WatchModel { IsOwner = owner }, interrupt);
                // Leaving the view of one's own daemon is leaving the daemon.
                return code is ExitCode.Done ? ExitCode.Interrupted : code;
            }
        }

        var lines = run.Progress([], fromNow: false);
        var outcome = await Follow.UntilAsync(control, new Goal(GoalKind.DaemonEnds, []), lines.See, null, run.World.Clock, interrupt);
        lines.Clear();
        return outcome switch
        {
            FollowOutcome.Interrupted => ExitCode.Interrupted,
            FollowOutcome.DaemonEnded when owner => ExitCode.Done,
            FollowOutcome.NoAnswer none => run.Failed(none.Reply),
            _ => DaemonGone(),
        };
    }

    private ExitCode DaemonGone()
    {
        run.Report.Error("the daemon ended", "`stoker status` tells how things are");
        return ExitCode.NoDaemon;
    }
}
