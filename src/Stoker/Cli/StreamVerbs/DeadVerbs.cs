using System.CommandLine;
using System.Globalization;
using System.Text;
using Stoker.Platform;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Work;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream dead</c>: events that became no document. Works with and without the stream's process, which takes up retries within a second.</summary>
internal static class DeadVerbs
{
    public static Verb Create() => new Verb("dead", "events that became no document: why, and what to do with them")
    {
        Example = "stoker stream dead list",
        ExitCodes = StreamCommand.Codes,
    }.With(List(), Show(), Change("retry", "have dead letters tried again", DeadLetterState.Retrying, "are tried again within a second of the stream's running"),
        Change("drop", "mark dead letters as not wanted; they stay readable", DeadLetterState.Dropped, "are dropped"));

    private static Verb List()
    {
        var name = StreamChoice.Argument();
        var all = Parameters.Flag("--all", "also those that were stored since, or dropped", "-a");
        return new Verb("list", "show dead letters by their cause")
        {
            Example = "stoker stream dead list gpu-metadata --all",
            Remarks = ["Ends with 1 where some wait for somebody to decide."],
            ExitCodes = StreamCommand.Codes,
        }.With(name, all).Does(StreamChoice.With(name, (run, stream) => List(run, stream, run.Get(all))));
    }

    private static ExitCode List(Invocation run, StreamChoice stream, bool all)
    {
        var letters = Read(stream, store => store.List(null, int.MaxValue)).Where(letter => all || letter.State is DeadLetterState.Waiting or DeadLetterState.Retrying).ToList();
        var causes = letters.GroupBy(letter => letter.Cause).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Select(CauseOf).ToList();
        if (run.Json) run.PrintJson(new DeadLettersDocument(stream.Name, causes), StreamDocumentJson.Readable.DeadLettersDocument);
        else if (causes.Count == 0) run.Report.Say("no dead letters");
        else Print(run, causes);
        return causes.Sum(cause => cause.Waiting) > 0 ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static DeadCauseDocument CauseOf(IGrouping<string, DeadLetter> group)
    {
        var first = group.First();
        return new DeadCauseDocument(
            group.Key, Count(DeadLetterState.Waiting), Count(DeadLetterState.Retrying), Count(DeadLetterState.Stored), Count(DeadLetterState.Dropped),
            LogModule.TimeOf(group.Min(letter => letter.Logged)),
            [.. group.Select(letter => letter.Path).Where(path => path.Length > 0).Distinct().Take(10)], IdOf(first), first.Message, [.. group.Select(IdOf)]);

        int Count(DeadLetterState state) => group.Count(letter => letter.State == state);
    }

    private static void Print(Invocation run, List<DeadCauseDocument> causes)
    {
        IReadOnlyList<TableColumn> columns =
        [
            new("CAUSE"), new("WAITING", Right: true), new("RETRYING", Right: true, Sacrifice: 3), new("STORED", Right: true, Sacrifice: 4),
            new("DROPPED", Right: true, Sacrifice: 4), new("OLDEST", Sacrifice: 2), new("EXAMPLE"), new("PATHS", Sacrifice: 1, Most: 40), new("MESSAGE"),
        ];
        var rows = causes.Select(each => new TableRow(
        [
            new(each.Cause, Tone.Name), Number(each.Waiting), Number(each.Retrying), Number(each.Stored), Number(each.Dropped),
            new(Moments.DayAndTime(each.Oldest, run.World.Clock)), new(each.Example), new(string.Join(' ', each.Paths)), new(each.Message),
        ])).ToList();
        foreach (var line in Table.Lay(columns, rows, run.Width, run.Style)) run.Output.WriteLine(line);
    }

    private static Cell Number(int number) => new(number.ToString("N0", CultureInfo.InvariantCulture), number == 0 ? Tone.Dim : Tone.Plain);

    private static Verb Show()
    {
        var words = new Argument<string[]>(StreamChoice.ArgumentName) { Arity = new ArgumentArity(1, 2), HelpName = "[STREAM] ID", Description = "the stream, and the dead letter's id, as in 0-42" };
        return new Verb("show", "show a dead letter: why, where in the data, and the event as it came")
        {
            Example = "stoker stream dead show gpu-metadata 0-42",
            ExitCodes = StreamCommand.Codes,
        }.With(words).Does(run =>
        {
            var given = run.Get(words)!;
            if (StreamChoice.Find(run, given.Length > 1 ? given[0] : null, out var code) is not { } stream) return code;
            if (Parse(given[^1]) is not { } id || Read(stream, store => store.Find(id.Partition, id.Offset) is { } found ? [found] : []) is not [var letter])
            {
                run.Report.Error($"stream `{stream.Name}` has no dead letter `{given[^1]}`", "`stoker stream dead list` shows their ids");
                return ExitCode.NotAsItShouldBe;
            }

            var document = DocumentOf(letter);
            if (run.Json) run.PrintJson(document, StreamDocumentJson.Readable.DeadLetterDocument);
            else Print(run, document);
            return ExitCode.Done;
        });
    }

    private static DeadLetterDocument DocumentOf(DeadLetter letter)
    {
        var said = new EventEnvelope();
        var isRead = EnvelopeFrame.TryRead(letter.Frame, said) == FrameFault.None;
        var data = isRead ? said.Data : letter.Frame;
        var isText = System.Text.Unicode.Utf8.IsValid(data.Span) && !data.Span.Contains((byte)0);
        return new DeadLetterDocument(
            IdOf(letter), letter.State.ToString().ToLowerInvariant(), letter.Cause, letter.Path.Length > 0 ? letter.Path : null, letter.Message, letter.Source, letter.EventId,
            isRead ? Encoding.UTF8.GetString(said.Type.Span) : null, isRead && !said.ContentType.IsEmpty ? Encoding.UTF8.GetString(said.ContentType.Span) : null, LogModule.TimeOf(letter.Logged),
            LogModule.TimeOf(letter.FirstSeen), letter.Attempts, isText ? Encoding.UTF8.GetString(data.Span) : null, isText ? null : Convert.ToBase64String(data.Span));
    }

    private static void Print(Invocation run, DeadLetterDocument letter)
    {
        run.Output.WriteLine($"{letter.Id}: {run.Style.Paint(letter.State, letter.State == "waiting" ? Tone.Bad : Tone.Dim)}");
        run.Output.WriteLine($"  cause      {letter.Cause}{(letter.Path is { } path ? $" at {path}" : "")}: {letter.Message}");
        run.Output.WriteLine($"  event      {letter.Source} {letter.EventId} ({letter.Type ?? "unreadable"})");
        run.Output.WriteLine($"  logged     {Moments.DayAndTime(letter.Logged, run.World.Clock)}");
        run.Output.WriteLine($"  put aside  {Moments.DayAndTime(letter.FirstSeen, run.World.Clock)}, tried {letter.Attempts} {(letter.Attempts == 1 ? "time" : "times")}");
        run.Output.WriteLine();
        run.Output.WriteLine(letter.Data ?? letter.DataBase64);
    }

    private static Verb Change(string word, string summary, DeadLetterState to, string done)
    {
        var words = new Argument<string[]>(StreamChoice.ArgumentName) { Arity = ArgumentArity.ZeroOrMore, HelpName = "[STREAM] [ID...]", Description = "the stream, and ids as in 0-42" };
        var cause = Parameters.Text("--cause", "CAUSE", "all of this cause that wait");
        var all = Parameters.Flag("--all", "all that wait");
        return new Verb(word, summary)
        {
            Example = $"stoker stream dead {word} gpu-metadata --cause store_refused",
            Remarks = ["Ends with 1 where one of the ids is no dead letter, or is stored or is so already."],
            ExitCodes = StreamCommand.Codes,
        }.With(words, cause, all).Does(run =>
        {
            var given = run.Get(words)!;
            var hasName = given.Length > 0 && Parse(given[0]) is null;
            if (StreamChoice.Find(run, hasName ? given[0] : null, out var code) is not { } stream) return code;
            var ids = given.Skip(hasName ? 1 : 0).ToList();
            if ((ids.Count > 0 ? 1 : 0) + (run.Get(cause) is null ? 0 : 1) + (run.Get(all) ? 1 : 0) == 1) return Change(run, stream, ids, run.Get(cause), to, done);
            run.Report.Error("which ones?", $"ids, or `--cause`, or `--all`: `stoker stream dead {word} --help`");
            return ExitCode.Usage;
        });
    }

    private static ExitCode Change(Invocation run, StreamChoice stream, List<string> ids, string? cause, DeadLetterState to, string done)
    {
        var (changed, unchanged) = (new List<string>(), new List<string>());
        Read(stream, store =>
        {
            var meant = ids.Count > 0 ? ids : [.. store.List(DeadLetterState.Waiting, int.MaxValue).Where(letter => cause is null || letter.Cause == cause).Select(IdOf)];
            foreach (var id in meant) (Parse(id) is { } place && store.Set(place.Partition, place.Offset, to) ? changed : unchanged).Add(id);
            return [];
        });
        unchanged.AddRange(ids.Except(changed).Except(unchanged));
        if (run.Json) run.PrintJson(new DeadChangeDocument(stream.Name, to.ToString().ToLowerInvariant(), changed, unchanged), StreamDocumentJson.Readable.DeadChangeDocument);
        else if (changed.Count == 0 && unchanged.Count == 0) run.Report.Say("no dead letters wait");
        else if (changed.Count > 0) run.Report.Say(changed.Count == 1 ? $"{changed[0]}: {done.Replace("are ", "is ", StringComparison.Ordinal)}" : $"{changed.Count} {done}");
        foreach (var id in unchanged) run.Report.Error($"`{id}` is no dead letter that this can be done with", $"`stoker stream dead show {stream.Name} {id}`");
        return unchanged.Count == 0 ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    /// <summary>A stream that has put nothing aside has no file, and none is made.</summary>
    private static IReadOnlyList<DeadLetter> Read(StreamChoice stream, Func<DeadLetterStore, IReadOnlyList<DeadLetter>> read)
    {
        if (!Files.Exists(Path.Combine(stream.Directory, DeadLetterStore.FileName))) return [];
        using var store = DeadLetterStore.Open(stream.Directory);
        return read(store);
    }

    private static string IdOf(DeadLetter letter) => $"{letter.Partition}-{letter.Offset}";

    private static (int Partition, ulong Offset)? Parse(string id) =>
        id.Split('-') is [var partition, var offset] && int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && ulong.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? (number, place) : null;
}
