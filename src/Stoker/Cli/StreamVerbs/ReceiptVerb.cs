using System.CommandLine;
using Stoker.Streams.Work;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream receipt</c>: where an event is.</summary>
internal static class ReceiptVerb
{
    public static Verb Create()
    {
        var words = new Argument<string[]>(StreamChoice.ArgumentName) { Arity = new ArgumentArity(1, 2), HelpName = "[STREAM] ID", Description = "the stream, and the receipt's id, as in 0-42" };
        return new Verb("receipt", "tell where an event is: logged, stored, archived, dead-lettered, with times")
        {
            Example = "stoker stream receipt gpu-metadata 0-42",
            Remarks = ["Ends with 1 where there is no such receipt, the event is lost or damaged, or the stream does not answer. A time that is missing was before the stream's process began."],
            ExitCodes = StreamCommand.Codes,
        }.With(words).Does(async run =>
        {
            var given = run.Get(words)!;
            return StreamChoice.Find(run, given.Length > 1 ? given[0] : null, out var code) is { } stream ? await RunAsync(run, stream, given[^1]) : code;
        });
    }

    private static async Task<ExitCode> RunAsync(Invocation run, StreamChoice stream, string id)
    {
        ReceiptReport? report;
        try
        {
            using var client = stream.Client(run, TimeSpan.FromSeconds(10));
            report = await client.ReceiptAsync(id, default);
        }
        catch (StreamSilentException silent)
        {
            run.Report.Error($"stream `{stream.Name}` does not answer: {silent.Message}", "`stoker stream status` tells how far it was");
            return ExitCode.NotAsItShouldBe;
        }

        if (report is null)
        {
            run.Report.Error($"stream `{stream.Name}` has no event `{id}`", "a receipt's id is PARTITION-OFFSET, as in 0-42");
            return ExitCode.NotAsItShouldBe;
        }

        if (run.Json) run.PrintJson(report, StreamDocumentJson.Readable.ReceiptReport);
        else Print(run, report);
        return report.State is "lost" or "damaged" ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static void Print(Invocation run, ReceiptReport report)
    {
        var tone = report.State switch { "stored" => Tone.Good, "logged" => Tone.Busy, "dropped" => Tone.Dim, _ => Tone.Bad };
        run.Output.WriteLine($"{report.Id}: {run.Style.Paint(report.State, tone)}");
        Line("event", report.EventId is { } id ? $"{report.Source} {id} ({report.Type})" : null);
        Line("logged", At(report.Logged));
        Line("stored", At(report.Stored));
        Line("archived", report.Archive == "waiting" ? "not yet" : report.Archive is null ? null : At(report.Archived) ?? "yes; when is not known just now");
        Line("put aside", At(report.DeadLettered));
        Line("cause", report.Cause is { } cause ? $"{cause}{(report.Path is { } path ? $" at {path}" : "")}: {report.Message}" : null);
        Line("note", report.Note);

        void Line(string word, string? text)
        {
            if (text is not null) run.Output.WriteLine($"  {word,-10} {text}");
        }

        string? At(DateTimeOffset? time) => time is { } at ? Moments.DayAndTime(at, run.World.Clock) : null;
    }
}
