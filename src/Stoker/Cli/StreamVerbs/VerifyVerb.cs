using System.Globalization;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Stores;
using Stoker.Streams.Work;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream verify</c>: every byte of the log, and whether the store has had just what the log has.</summary>
internal static class VerifyVerb
{
    public static Verb Create()
    {
        var name = StreamChoice.Argument();
        return new Verb("verify", "read every byte of a stream's log, name what is damaged, and hold the store's position to the log's running hash")
        {
            Example = "stoker stream verify gpu-metadata",
            Remarks =
            [
                "Also while the stream runs: it needs no lock and changes nothing. The running hash is over every event of a partition in order; where the store's "
                + "and the log's agree, the store has had each event up to its position, unchanged and in order.",
                "Of a topic of Kafka the bytes are the brokers'; what is compared is whether the last event that the store has had is the topic's.",
                "Ends with 1 where something is damaged, or the store cannot be asked or does not agree.",
            ],
            ExitCodes = StreamCommand.Codes,
        }.With(name).Does(StreamChoice.With(name, RunAsync));
    }

    public static DamageDocument Document(LogDamage damage) =>
        new($"{damage.Kind}", damage.Partition, damage.File, damage.FromByte, damage.ToByte, damage.FirstOffset, damage.NextOffset, damage.Words);

    private static SegmentDocument Document(SegmentReport segment) => new(
        segment.Partition, segment.File, segment.FirstOffset, segment.NextOffset, segment.Records, segment.Bytes, segment.IsSealed, segment.Hash.ToString());

    private static async Task<ExitCode> RunAsync(Invocation run, StreamChoice stream)
    {
        if (stream.Plan.Log is not null) return await RunRemoteAsync(run, stream);
        if (Disk.Instance.List(stream.Log) is not { Count: > 0 })
        {
            run.Report.Error($"stream `{stream.Name}` has no log yet", "it is made when the stream runs for the first time");
            return ExitCode.NotAsItShouldBe;
        }

        // Before the log: what is stored meanwhile is in it then.
        var positions = await PositionsAsync(run, stream);
        var report = LogVerifier.Run(Disk.Instance, stream.Log);
        var compared = positions.Count == 0 || report.Log is null ? [] : Compare(stream, positions);
        if (run.Json)
        {
            run.PrintJson(
                new VerifyDocument(
                    stream.Name, report.Log?.ToString(), report.IsWhole, report.Records, report.Segments.Sum(segment => segment.Bytes),
                    [.. report.Segments.Select(Document)],
                    [.. report.Damages.Select(Document)], report.Notes, compared),
                StreamDocumentJson.Readable.VerifyDocument);
        }
        else
        {
            Print(run, stream, report, compared);
        }

        return report.IsWhole && compared.All(each => each.Result is "agrees" or "none") ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    /// <summary>Where the store is in each partition; a problem in words where it cannot be asked.</summary>
    private static async Task<List<(int Partition, StorePosition? Position, string? Problem)>> PositionsAsync(Invocation run, StreamChoice stream)
    {
        if (Disk.Instance.ReadFile(Path.Combine(stream.Log, LogIdentity.FileName)) is not { } bytes || LogIdentity.TryRead(bytes) is not { } identity) return [];
        return await PositionsAsync(run, stream, identity.Id.ToString(), identity.Partitions);
    }

    private static async Task<List<(int Partition, StorePosition? Position, string? Problem)>> PositionsAsync(Invocation run, StreamChoice stream, string log, int partitions)
    {
        var found = new List<(int, StorePosition?, string?)>();
        await using var store = stream.OpenStore(run);
        for (var partition = 0; partition < partitions; partition++)
        {
            try
            {
                found.Add((partition, store is null ? null : await store.PositionAsync(new LogPlace(log, partition), default), null));
            }
            catch (StoreUnavailableException unavailable)
            {
                found.Add((partition, null, unavailable.Message));
            }
        }

        return found;
    }

    private static List<StoreComparison> Compare(StreamChoice stream, List<(int Partition, StorePosition? Position, string? Problem)> positions)
    {
        var files = LogFiles.Look(Disk.Instance, stream.Log)!.ToView();
        return [.. positions.Select(each => Compare(files, each.Partition, each.Position, each.Problem))];
    }

    /// <summary>Of a topic: whether the last event that the store has had is the topic's. The bytes, and their checksums, are the broker's.</summary>
    private static async Task<ExitCode> RunRemoteAsync(Invocation run, StreamChoice stream)
    {
        // Twice: what is stored meanwhile is in the topic that is looked at afterwards.
        List<(int, StorePosition?, string?)> positions;
        using (var before = stream.Look(run)!) positions = await PositionsAsync(run, stream, before.Name, before.Partitions.Count);
        using var view = stream.Look(run)!;
        var compared = positions.Select(each => Compare(view, each.Item1, each.Item2, each.Item3)).ToList();
        const string note = "the bytes of a topic are its brokers', who hold them to their own checksums; what is compared is the store's position";
        var events = view.Partitions.Sum(partition => (long)(partition.NextOffset - partition.BeginOffset));
        if (run.Json) run.PrintJson(new VerifyDocument(stream.Name, view.Name, true, (ulong)events, 0, [], [], [note], compared), StreamDocumentJson.Readable.VerifyDocument);
        else
        {
            Print(run, compared);
            run.Report.Say($"note: {note}");
        }

        return compared.All(each => each.Result is "agrees" or "none") ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    private static StoreComparison Compare(LogView files, int number, StorePosition? position, string? problem)
    {
        if (problem is not null) return new StoreComparison(number, null, null, null, "unknown", problem);
        if (position is not { } store) return new StoreComparison(number, null, null, null, "none", "the store has had no event");
        var hash = $"{store.Hash:x16}";
        var partition = files.Partitions[number];
        if ((ulong)store.Next > partition.NextOffset)
        {
            return Is("ahead", $"the store has had {store.Next} events, and the log has only {partition.NextOffset}: it is not the log that it was");
        }

        if ((ulong)store.Next <= partition.BeginOffset) return Is("none", $"the store has had nothing of what the log has, which begins at {partition.BeginOffset}");
        if (partition.HashBefore((ulong)store.Next) is not { } log) return Is("unknown", $"the log cannot be read just before event {store.Next}");
        var agreed = files.IsRemote
            ? $"event {store.Next - 1}, the last that the store has had, is the topic's"
            : $"the store has had the events before {store.Next}, all of them and unchanged";
        return log.Value == store.Hash
            ? Is("agrees", agreed, log)
            : Is("differs", $"the events before {store.Next} are not those that the store has had", log);

        StoreComparison Is(string result, string words, RunningHash? log = null) => new(number, store.Next, hash, log?.ToString(), result, words);
    }

    private static void Print(Invocation run, List<StoreComparison> compared)
    {
        foreach (var each in compared)
        {
            var result = run.Style.Paint(each.Result, each.Result is "agrees" or "none" ? Tone.Good : Tone.Bad);
            run.Output.WriteLine($"store, partition {each.Partition}: {result}; {each.Words}");
        }
    }

    private static void Print(Invocation run, StreamChoice stream, VerifyReport report, List<StoreComparison> compared)
    {
        IReadOnlyList<TableColumn> columns =
        [
            new("SEGMENT"), new("FIRST", Right: true), new("NEXT", Right: true), new("EVENTS", Right: true), new("BYTES", Right: true, Sacrifice: 1), new("SEALED", Sacrifice: 2), new("RESULT"),
        ];
        var rows = report.Segments.Select(each => new TableRow(
        [
            new(each.File), new($"{each.FirstOffset}"), new($"{each.NextOffset}"), new($"{each.Records}"),
            new(each.Bytes.ToString("N0", CultureInfo.InvariantCulture)), new(each.IsSealed ? "yes" : "no"),
            each.IsWhole ? new("whole", Tone.Good) : new("damaged", Tone.Bad),
        ])).ToList();
        foreach (var line in Table.Lay(columns, rows, run.Width, run.Style)) run.Output.WriteLine(line);
        Print(run, compared);
        foreach (var note in report.Notes) run.Report.Say($"note: {note}");
        foreach (var damage in report.Damages) run.Report.Error($"damaged: {damage}");
        if (!report.IsWhole) run.Report.Hint($"`stoker stop {stream.Name}`, then `stoker stream quarantine {stream.Name}` sets the damage aside, so that the rest can be served");
    }
}
