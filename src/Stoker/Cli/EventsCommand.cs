using System.Text;
using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

internal static class EventsCommand
{
    public static Verb Create()
    {
        var names = Parameters.Names("only events of these services");
        var follow = Parameters.Flag("--follow", "go on with those to come", "-f");
        var since = Parameters.Moment("--since", "only from then on: " + Moments.Grammar);
        return new Verb("events", "print the journal: every transition with its cause, oldest first; works without the daemon, except -f")
        {
            Example = "stoker events --since 10m vision",
            ExitCodes = [ExitCode.EstateIsWrong, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names, follow, since).Asks((run, control) => RunAsync(run, control, run.Get(names)!, run.Get(follow), run.Moment(since)));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, ControlClient control, string[] names, bool follow, DateTimeOffset? since)
    {
        using var interrupts = run.World.Interrupts();
        return await PrintAsync(run, control, new EventQuery(null, names, follow), since, interrupts.First);
    }

    private static async Task<ExitCode> PrintAsync(
        Invocation run, ControlClient control, EventQuery query, DateTimeOffset? since, CancellationToken interrupt)
    {
        try
        {
            var reply = await control.EventsAsync(query, interrupt);
            if (reply is ControlReply<ControlStream<EstateEvent>>.NoDaemon && !query.Follow && PrintJournal(run, query.Services, since)) return ExitCode.Done;
            if (reply is not ControlReply<ControlStream<EstateEvent>>.Answered { Document: var stream }) return run.Failed(reply);
            using (stream)
            {
                while (await stream.NextAsync(interrupt) is { } happened)
                {
                    Print(run, happened, since);
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

    /// <summary>What the last daemon wrote; false where there was none.</summary>
    private static bool PrintJournal(Invocation run, IReadOnlyList<string>? services, DateTimeOffset? since)
    {
        var any = false;
        foreach (var happened in Journal.Read(run.State!.Journal, after: 0))
        {
            any = true;
            if (services is not { Count: > 0 } || happened.Service is { } service && services.Contains(service.Value)) Print(run, happened, since);
        }

        return any;
    }

    private static void Print(Invocation run, EstateEvent happened, DateTimeOffset? since)
    {
        if (happened.At < since) return;
        if (run.Json) run.Output.Write(Encoding.UTF8.GetString(JournalLine.Write(happened)));
        else run.Output.WriteLine(Line(happened, run.World.Clock, run.Style));
    }

    /// <summary><c>2026-11-21 14:05:09.214  #118  vision became healthy after 0.21 s (because of #112)</c></summary>
    internal static string Line(EstateEvent happened, TimeProvider clock, Style style)
    {
        var local = TimeZoneInfo.ConvertTime(happened.At, clock.LocalTimeZone);
        var tone = happened.State is { } state ? States.Tone(state) : Tone.Plain;
        var cause = happened.Cause is { } sequence ? style.Paint($" (because of #{sequence})", Tone.Dim) : "";
        return $"{style.Paint($"{local:yyyy-MM-dd HH:mm:ss.fff}", Tone.Dim)}  {$"#{happened.Sequence}",6}  {style.Paint(TextWidth.OneLine(happened.Text), tone)}{cause}";
    }
}
