using System.Globalization;
using Stoker.Platform.Disks;
using Stoker.Streams.Archive;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Serving;
using Stoker.Streams.Stores;
using Stoker.Streams.Work;

namespace Stoker.Cli.StreamVerbs;

/// <summary>How streams are: as their processes say, else as their files say.</summary>
internal static class StreamStatusVerbs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Verb List() => new Verb("list", "show the streams of this host: where they listen, where they store, and how far behind they are")
    {
        Example = "stoker stream list --json",
        Remarks = ["The same document as `status`, a line for each stream."],
        ExitCodes = StreamCommand.Codes,
    }.Does(async run => run.State is not { } state ? ExitCode.EstateIsWrong : await ShowAsync(run, StreamChoice.All(state), List));

    public static Verb Status()
    {
        var name = StreamChoice.Argument();
        return new Verb("status", "show each partition: next event, how far the store is, lag, dead letters, and what is wrong")
        {
            Example = "stoker stream status gpu-metadata",
            Remarks =
            [
                "States: writable, disk_full, failed; with Kafka also stored_elsewhere (by another process of the group) and unavailable; stopped where no process "
                + "answers, and what is shown is read from the files then. Lag is the age of the oldest event that is not stored. ARCHIVED and BEHIND are the same "
                + "of the archive, where one is declared. Ends with 1 where a stream does not answer, does not store, archive or take events.",
            ],
            ExitCodes = StreamCommand.Codes,
        }.With(name).Does(async run =>
        {
            if (run.Get(name) is { } one) return StreamChoice.Find(run, one, out var code) is { } stream ? await ShowAsync(run, [stream], Partitions) : code;
            return run.State is not { } state ? ExitCode.EstateIsWrong : await ShowAsync(run, StreamChoice.All(state), Partitions);
        });
    }

    private static async Task<ExitCode> ShowAsync(Invocation run, IReadOnlyList<StreamChoice> streams, Func<IReadOnlyList<StreamView>, (List<TableColumn>, IReadOnlyList<TableRow>)> lay)
    {
        var views = new List<StreamView>();
        foreach (var stream in streams) views.Add(await LookAsync(run, stream));
        if (run.Json)
        {
            run.PrintJson(new StreamListDocument(views), StreamDocumentJson.Readable.StreamListDocument);
        }
        else if (views.Count == 0)
        {
            run.Report.Say("there are no streams here; declare one in `streams:`, and `stoker up`");
        }
        else
        {
            var (columns, rows) = lay(views);
            foreach (var line in Table.Lay(columns, rows, run.Width, run.Style)) run.Output.WriteLine(line);
            foreach (var view in views.Where(view => view.Silent is not null))
            {
                run.Report.Error(
                    $"stream `{view.Stream}` does not answer at {view.Url}: {view.Silent}",
                    "`stoker status` and `stoker logs` tell why; shown is what its files say");
            }
        }

        return views.All(view => view.IsWell) ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    private static async Task<StreamView> LookAsync(Invocation run, StreamChoice stream)
    {
        var url = StreamClient.AddressOf(stream.Plan) + stream.Plan.Path.TrimStart('/');
        try
        {
            using var client = stream.Client(run, Patience);
            var status = await client.StatusAsync(default);
            if (status.Stream != stream.Name) throw new StreamSilentException($"stream `{status.Stream}` answers there");
            return new StreamView(stream.Name, url, null, status.Log, status.Store, status.LagSeconds, status.DeadLetters, status.Partitions) { Archive = status.Archive };
        }
        catch (StreamSilentException silent)
        {
            return await ReadAsync(run, stream, url, silent.Message);
        }
    }

    /// <summary>What the files say of a stream whose process does not.</summary>
    private static async Task<StreamView> ReadAsync(Invocation run, StreamChoice stream, string url, string why)
    {
        var store = stream.StoreSpec(run).Address.ToString();
        var dead = LogFiles.DeadLetters(stream.Directory);
        using var log = stream.Look(run);
        if (log is null) return new StreamView(stream.Name, url, why, null, store, null, dead, []) { Archive = stream.Plan.Archive?.To };
        await using var open = stream.OpenStore(run);
        var partitions = new List<PartitionReport>();
        foreach (var partition in log.Partitions)
        {
            var problem = log.Damages.FirstOrDefault(damage => damage.Partition == partition.Partition) is { } damage ? $"the log is damaged: {damage}" : null;
            var stored = partition.BeginOffset;
            try
            {
                if (open is not null) stored = (ulong)((await open.PositionAsync(new LogPlace(log.Name, partition.Partition), default))?.Next ?? (long)stored);
            }
            catch (StoreUnavailableException unavailable)
            {
                problem ??= unavailable.Message;
            }

            var (archived, unreadable) = await ArchivedAsync(run, stream, log, partition);
            partitions.Add(new PartitionReport(
                partition.Partition, partition.BeginOffset, partition.NextOffset, stored, LagOf(run, partition, stored), "stopped", $"{partition.Hash}", partition.Bytes)
            {
                Problem = problem,
                Archived = archived,
                ArchiveLagSeconds = archived is { } next ? LagOf(run, partition, next) : null,
                ArchiveProblem = unreadable,
            });
        }

        return new StreamView(stream.Name, url, why, log.Name, store, partitions.Max(partition => partition.LagSeconds), dead, partitions)
        {
            Archive = stream.Plan.Archive?.To,
        };
    }

    /// <summary>How far the archive is: as the log keeps it, or of a topic as the archive itself has it.</summary>
    private static async Task<(ulong? Next, string? Problem)> ArchivedAsync(Invocation run, StreamChoice stream, LogView log, IPartitionView partition)
    {
        if (stream.Plan.Archive is not { } archive) return (null, null);
        if (!log.IsRemote) return ((partition as PartitionFiles)?.PositionOf(ArchiveModule.Consumer)?.Next ?? partition.BeginOffset, null);
        try
        {
            using var store = ArchiveModule.Open(archive, Disk.Instance, name => run.World.Variables.GetValueOrDefault(name));
            using var patience = new CancellationTokenSource(Patience);
            return ((await ManifestPosition.LastAsync(store, stream.Name, log.Name, partition.Partition, patience.Token))?.NextOffset ?? partition.BeginOffset, null);
        }
        catch (Exception away) when (away is IOException or OperationCanceledException)
        {
            return (null, away is IOException ? away.Message : $"it does not answer within {Patience.TotalSeconds} s");
        }
    }

    private static double LagOf(Invocation run, IPartitionView partition, ulong stored)
    {
        if (stored >= partition.NextOffset) return 0;
        foreach (var outcome in partition.Read(stored))
        {
            if (outcome is not ReadOutcome.Batch { Value: var batch }) continue;
            using (batch)
            {
                foreach (var record in batch) return Math.Round(Math.Max(0, (run.World.Clock.GetUtcNow() - LogModule.TimeOf(record.Time)).TotalSeconds), 3);
            }
        }

        return 0;
    }

    private static (List<TableColumn>, IReadOnlyList<TableRow>) List(IReadOnlyList<StreamView> views)
    {
        List<TableColumn> columns =
        [
            new("STREAM"), new("STATE"), new("EVENTS", Right: true, Sacrifice: 3), new("NOT STORED", Right: true), new("LAG", Right: true), new("DEAD", Right: true),
            new("AT", Sacrifice: 1), new("STORE", Sacrifice: 2),
        ];
        return (columns,
        [
            .. views.Select(view => new TableRow(
            [
                new(view.Stream, Tone.Name), StateCell(view), Number(view.Partitions.Aggregate(0UL, (sum, each) => sum + each.Next - each.Begin)),
                Number(view.Partitions.Aggregate(0UL, (sum, each) => sum + Waiting(each))), new(Lag(view.LagSeconds)), Number((ulong)view.DeadLetters), new(view.Url), new(view.Store),
            ])),
        ]);
    }

    private static (List<TableColumn>, IReadOnlyList<TableRow>) Partitions(IReadOnlyList<StreamView> views)
    {
        List<TableColumn> columns =
        [
            new("STREAM"), new("PARTITION", Right: true), new("STATE"), new("BEGIN", Right: true, Sacrifice: 2), new("NEXT", Right: true), new("STORED", Right: true), new("LAG", Right: true),
            new("DEAD", Right: true), new("BYTES", Right: true, Sacrifice: 1), new("PROBLEM"),
        ];
        var hasArchive = views.Any(view => view.Archive is not null);
        if (hasArchive) columns.InsertRange(columns.Count - 3, [new("ARCHIVED", Right: true), new("BEHIND", Right: true, Sacrifice: 3)]);
        var rows = new List<TableRow>();
        foreach (var view in views)
        {
            if (view.Partitions.Count == 0)
            {
                rows.Add(new TableRow(
                [
                    new(view.Stream, Tone.Name), new(""), new("stopped", Tone.Bad), new(""), new(""), new(""), new(""), .. Archive(null),
                    Number((ulong)view.DeadLetters), new(""), new("it has never run"),
                ]));
            }

            foreach (var each in view.Partitions)
            {
                rows.Add(new TableRow(
                [
                    new(view.Stream, Tone.Name), new($"{each.Partition}"), new(each.State, each.IsTaking ? Tone.Good : Tone.Bad), Number(each.Begin), Number(each.Next), Number(each.Stored),
                    new(Lag(each.LagSeconds)), .. Archive(each), each.Partition == 0 ? Number((ulong)view.DeadLetters) : new Cell(""), Number((ulong)each.Bytes), new(ProblemOf(each)),
                ]));
            }
        }

        return (columns, rows);

        Cell[] Archive(PartitionReport? each) => !hasArchive ? [] : each?.Archived is { } archived ? [Number(archived), new(Lag(each.ArchiveLagSeconds))] : [new(""), new("")];
    }

    private static Cell StateCell(StreamView view) =>
        view.Silent is not null ? new("stopped", Tone.Bad)
        : view.Partitions.FirstOrDefault(each => !each.IsTaking) is { } other ? new(other.State, Tone.Bad)
        : view.Partitions.Any(each => each.Problem is not null) ? new("not stored", Tone.Bad)
        : view.Partitions.Any(each => each.ArchiveProblem is not null) ? new("not archived", Tone.Bad)
        : new("writable", Tone.Good);

    private static string ProblemOf(PartitionReport each) =>
        string.Join("; ", new[] { each.Problem, each.ArchiveProblem is { } archive ? $"archive: {archive}" : null }.OfType<string>());

    private static ulong Waiting(PartitionReport partition) => partition.Next > partition.Stored ? partition.Next - partition.Stored : 0;

    private static Cell Number(ulong number) => new(number.ToString("N0", CultureInfo.InvariantCulture), number == 0 ? Tone.Dim : Tone.Plain);

    private static string Lag(double? seconds) => seconds is { } lag ? Durations.Short(TimeSpan.FromSeconds(lag)) : "";
}
