using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

internal static class StatusCommand
{
    public static Verb Create()
    {
        var names = Parameters.Names("only these services");
        var watch = Parameters.Flag("--watch", "a full-screen view that stays up to date; `?` in it lists its keys", "-w");
        return new Verb("status", "show every service: its state and since when, restarts, pid, ports, and why it is not well")
        {
            Example = "stoker status --watch",
            Remarks =
            [
                "States: waiting starting healthy running unhealthy backoff stopping stopped completed failed; running is alive without a "
                + "declared healthcheck. A star behind the state marks a stand-in. With --json --watch: one document a line, on each change.",
            ],
            ExitCodes = [ExitCode.EstateIsWrong, ExitCode.NoDaemon],
        }.With(names, watch).Asks(async (run, control) => run.Get(watch) ? await WatchAsync(run, control, run.Get(names)!) : Show(run, control, run.Get(names)!));
    }

    private static ExitCode Show(Invocation run, ControlClient control, string[] names)
    {
        if (run.Json && names.Length == 0)
        {
            var text = control.StatusText();
            if (text is not ControlReply<string>.Answered { Document: var json }) return run.Failed(text);
            run.Output.WriteLine(json);
            return ExitCode.Done;
        }

        var reply = control.Status();
        if (reply is not ControlReply<StatusDocument>.Answered { Document: var status }) return run.Failed(reply);
        if (ServiceRequest.CheckNames(run, status, names) is { } wrong) return wrong;
        Print(run, Only(status, names));
        return ExitCode.Done;
    }

    private static void Print(Invocation run, StatusDocument status)
    {
        if (run.Json)
        {
            run.PrintJson(status, ControlJson.Readable.StatusDocument);
            return;
        }

        foreach (var line in StatusTable.Lay(status, run.World.Clock.GetUtcNow(), run.Width, run.Style)) run.Output.WriteLine(line);
    }

    private static StatusDocument Only(StatusDocument status, string[] names) =>
        names.Length == 0 ? status : status with { Services = [.. status.Services.Where(s => names.Contains(s.Name))] };

    private static async Task<ExitCode> WatchAsync(Invocation run, ControlClient control, string[] names)
    {
        var reply = control.Status();
        if (reply is not ControlReply<StatusDocument>.Answered { Document: var first }) return run.Failed(reply);
        if (ServiceRequest.CheckNames(run, first, names) is { } wrong) return wrong;
        if (!run.Json && run.World.Terminal.OpenScreen() is { } screen)
        {
            using (screen)
            {
                return await Watching.WatchLoop.RunAsync(run, control, screen, new Watching.WatchModel { Names = names });
            }
        }

        using var interrupts = run.World.Interrupts();
        return await PrintEachAsync(run, control, names, interrupts.First);
    }

    /// <summary>Where there is no screen to paint on, each change is printed whole.</summary>
    private static async Task<ExitCode> PrintEachAsync(Invocation run, ControlClient control, string[] names, CancellationToken interrupt)
    {
        try
        {
            var reply = await control.FollowStatusAsync(interrupt);
            if (reply is not ControlReply<ControlStream<StatusDocument>>.Answered { Document: var stream }) return run.Failed(reply);
            using (stream)
            {
                while (await stream.NextAsync(interrupt) is { } status)
                {
                    Print(run, Only(status, names));
                    run.Output.Flush();
                }
            }

            run.Report.Say("the daemon ended");
            return ExitCode.NoDaemon;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }
}
