using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class EventsCommand
{
    public static Verb Create()
    {
        var names = Parameters.Names("only events of these services");
        var follow = Parameters.Flag("--follow", "go on with those to come", "-f");
        var since = Parameters.Moment("--since", "only from then on: " + Moments.Grammar);
        return new Verb("events", "print the journal: every transition with its cause, oldest first")
        {
            Example = "stoker events --since 10m vision",
            ExitCodes = [ExitCode.EstateIsWrong, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names, follow, since).Asks((run, control) => Run(run, control, run.Get(names)!, run.Get(follow), run.Moment(since)));
    }

    private static ExitCode Run(Invocation run, ControlClient control, string[] names, bool follow, DateTimeOffset? since)
    {
        using var interrupts = run.World.Interrupts();
        return PrintAsync(run, control, new EventQuery(null, names, follow), since, interrupts.First).GetAwaiter().GetResult();
    }

    private static async Task<ExitCode> PrintAsync(
        Invocation run, ControlClient control, EventQuery query, DateTimeOffset? since, CancellationToken interrupt)
    {
        try
        {
            var reply = await control.EventsAsync(query, interrupt);
            if (reply is not ControlReply<ControlStream<EventDocument>>.Answered { Document: var stream }) return run.Failed(reply);
            using (stream)
            {
                while (await stream.NextAsync(interrupt) is { } happened)
                {
                    if (happened.At < since) continue;
                    if (run.Json) run.PrintJson(happened, ControlJson.Readable.EventDocument);
                    else run.Output.WriteLine(Line(happened, run.World.Clock, run.Style));
                    if (query.Follow) run.Output.Flush();
                }

                if (stream.EndedWell && !query.Follow) return ExitCode.Done;
            }

            run.Report.Error("the daemon ended before the end of its answer", "the journal in the state directory keeps every event");
            return ExitCode.NoDaemon;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    /// <summary><c>2026-11-21 14:05:09.214  #118  vision became healthy after 0.21 s (because of #112)</c></summary>
    internal static string Line(EventDocument happened, TimeProvider clock, Style style)
    {
        var local = TimeZoneInfo.ConvertTime(happened.At, clock.LocalTimeZone);
        var tone = happened.State is { } state ? States.Tone(state) : Tone.Plain;
        var cause = happened.Cause is { } sequence ? style.Paint($" (because of #{sequence})", Tone.Dim) : "";
        return $"{style.Paint($"{local:yyyy-MM-dd HH:mm:ss.fff}", Tone.Dim)}  {$"#{happened.Sequence}",6}  {style.Paint(TextWidth.OneLine(happened.Text), tone)}{cause}";
    }
}
