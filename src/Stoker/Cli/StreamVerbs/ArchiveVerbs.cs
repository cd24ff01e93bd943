using System.Globalization;
using Stoker.Platform.Disks;
using Stoker.Streams.Archive;
using Stoker.Streams.Log.Format;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream archive</c>: what is kept outside of the log.</summary>
internal static class ArchiveVerbs
{
    public static Verb Create() => new Verb("archive", "what a stream's archive has, and whether that is everything")
    {
        Example = "stoker stream archive verify",
        ExitCodes = StreamCommand.Codes,
    }.With(Verify());

    private static Verb Verify()
    {
        var name = StreamChoice.Argument();
        return new Verb("verify", "read every object of a stream's archive back, and prove that nothing is missing")
        {
            Example = "stoker stream archive verify gpu-metadata",
            Remarks =
            [
                "Holds each object to its manifest (bytes, SHA-256, lines), each manifest to the one before (no offset twice or in none, the log's running hash), "
                + "the last to the position that the log keeps, and all of it to the log where that still has the events: its running hash, and the raw lines made "
                + "anew. Works with and without the stream's process, and changes nothing.",
                "With Kafka the archive keeps a running hash of its own, its end is the position, and the topic is asked for the events that it still has.",
                "Where the archive is a bucket, the variables with its keys have to be in the environment. "
                + "Ends with 1 where something is missing or is not as it was put, or the archive cannot be read.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Interrupted],
        }.With(name).Does(StreamChoice.With(name, RunAsync));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, StreamChoice stream)
    {
        if (stream.Plan.Archive is not { } archive)
        {
            run.Report.Error($"stream `{stream.Name}` has no archive", "declare one with `archive:`, and `stoker up`");
            return ExitCode.NotAsItShouldBe;
        }

        using var interrupts = run.World.Interrupts();
        try
        {
            var report = await VerifyAsync(run, stream, archive, interrupts.First);
            var document = new ArchiveVerifyDocument(stream.Name, archive.To, report.IsWhole, report.Partitions, report.Faults, report.Notes);
            if (run.Json) run.PrintJson(document, StreamDocumentJson.Readable.ArchiveVerifyDocument);
            else Print(run, report);
            return report.IsWhole ? ExitCode.Done : ExitCode.NotAsItShouldBe;
        }
        catch (OperationCanceledException) when (interrupts.First.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (ArchiveUnavailableException away)
        {
            run.Report.Error($"the archive of stream `{stream.Name}` cannot be read: {away.Message}", "nothing is known of what was not read; try again when it is there");
            return ExitCode.NotAsItShouldBe;
        }
    }

    private static async Task<ArchiveReport> VerifyAsync(Invocation run, StreamChoice stream, ArchiveSpec archive, CancellationToken stop)
    {
        using var store = ArchiveModule.Open(archive, Disk.Instance, name => run.World.Variables.GetValueOrDefault(name));
        using var log = stream.Look(run);
        var repaint = run.World.Terminal.ErrorIsTerminal;
        var report = await new ArchiveVerifier(store, stream.Name, log, objects =>
        {
            if (repaint) run.Report.Write($"\r\e[K{objects:N0} objects");
        }).RunAsync(stop);
        if (repaint) run.Report.Write("\r\e[K");
        return report;
    }

    private static void Print(Invocation run, ArchiveReport report)
    {
        IReadOnlyList<TableColumn> columns =
        [
            new("LOG", Sacrifice: 3), new("PARTITION", Right: true), new("FIRST", Right: true, Sacrifice: 1), new("NEXT", Right: true), new("EVENTS", Right: true), new("OBJECTS", Right: true),
            new("BYTES", Right: true, Sacrifice: 2), new("HELD TO LOG", Right: true), new("WAITING", Right: true), new("RESULT"),
        ];
        var rows = report.Partitions.Select(each => new TableRow(
        [
            new(LogId.TryParse(each.Log, out _) ? each.Log[..8] : each.Log, each.IsOurs ? Tone.Name : Tone.Dim), new($"{each.Partition}"),
            new($"{each.First}"), new($"{each.Next}"), Number(each.Events), Number(each.Objects), Number(each.Bytes), Number(each.HeldToLog),
            Number((long)each.Waiting), ResultOf(report, each),
        ])).ToList();
        foreach (var line in Table.Lay(columns, rows, run.Width, run.Style)) run.Output.WriteLine(line);
        foreach (var each in report.Partitions.Where(each => each.Gone > 0))
            run.Report.Say($"note: {each.Gone} events of partition {each.Partition} were not in the log any more when they were to be archived");
        foreach (var each in report.Partitions.Where(each => each.NoDocument > 0))
            run.Report.Say($"note: {each.NoDocument} events of partition {each.Partition} made no document, and are among the raw ones");
        foreach (var note in report.Notes) run.Report.Say($"note: {note}");
        foreach (var fault in report.Faults) run.Report.Error($"partition {fault.Partition}: {(fault.Name.Length > 0 ? $"`{fault.Name}`: " : "")}{fault.Words}");
    }

    private static Cell ResultOf(ArchiveReport report, ArchiveRun run) =>
        report.Faults.Any(fault => (fault.Log, fault.Partition) == (run.Log, run.Partition)) ? new("not whole", Tone.Bad) : run.Manifests == 0 ? new("nothing yet", Tone.Dim) : new("whole", Tone.Good);

    private static Cell Number(long number) => new(number.ToString("N0", CultureInfo.InvariantCulture), number == 0 ? Tone.Dim : Tone.Plain);
}
