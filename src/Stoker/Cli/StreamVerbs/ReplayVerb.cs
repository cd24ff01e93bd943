using System.Globalization;
using Stoker.Platform;
using Stoker.Streams;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Stores;
using Stoker.Streams.Work;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream replay</c>: the log transformed anew, held to the store or into it.</summary>
internal static class ReplayVerb
{
    public static Verb Create()
    {
        var name = StreamChoice.Argument();
        var from = Parameters.Text(
            "--from", "OFFSET|TIME",
            $"the first event, by its offset in each partition, or the first that came then or later: {Moments.Grammar}; default: the first that the log has");
        var dry = Parameters.Flag("--dry-run", "change nothing; show how the documents would differ from those in the store");
        var replace = Parameters.Flag("--replace", "have the store take documents that differ, too: after a change of the stream's mappings");
        var declared = Parameters.Flag("--declared", "with --dry-run: by the mappings that the estate file has now, which need not be applied yet");
        return new Verb("replay", "transform events of the log anew, and have the store take the documents that it lacks")
        {
            Example = "stoker stream replay gpu-metadata --from 2h30m --dry-run",
            Remarks =
            [
                "Also while the stream runs. Goes as far as the stream has stored; dead letters are left to `stoker stream dead`. A document that is there stays as "
                + "it is, because events do not change; their mappings may, and --replace writes a document anew where it was made of the same event and differs. "
                + "A bare number is an offset; a duration needs its unit, as in 90s.",
                "With --dry-run it ends with 1 where a document is missing or differs.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Interrupted],
        }.With(name, from, dry, declared, replace).Does(StreamChoice.With(name, async (run, stream) =>
        {
            if (ModeOf(run, run.Get(dry), run.Get(replace), run.Get(declared)) is not { } mode) return ExitCode.Usage;
            return PlanOf(run, stream, run.Get(declared)) is { } plan ? await RunAsync(run, stream with { Plan = plan }, run.Get(from), mode) : ExitCode.EstateIsWrong;
        }));
    }

    private static ReplayMode? ModeOf(Invocation run, bool isDry, bool replaces, bool isDeclared)
    {
        if (isDeclared && !isDry)
        {
            run.Report.Error("`--declared` needs `--dry-run`", "`stoker up` puts mappings into force; then `stoker stream replay --replace`");
            return null;
        }

        if (!isDry || !replaces) return isDry ? ReplayMode.Compare : replaces ? ReplayMode.Replace : ReplayMode.Fill;
        run.Report.Error("`--dry-run` and `--replace` exclude each other", "with --dry-run alone it shows what --replace would change");
        return null;
    }

    /// <summary>As it was applied, or as the file has it; null: the file is wrong, which has been said then.</summary>
    private static StreamPlan? PlanOf(Invocation run, StreamChoice stream, bool isDeclared)
    {
        if (!isDeclared) return stream.Plan;
        if (run.Choice is not { } choice) return null;
        var reading = choice.Read(run.Env);
        if (!reading.IsWrong && reading.Spec!.Part<StreamsSpec>()?.Streams.FirstOrDefault(each => each.Name.Value == stream.Name) is { } found)
            return stream.Plan with { Map = found.Map, Host = StreamPlan.Of(reading.Spec, found).Host };
        DiagnosticPrinter.For(run, reading.Directory).Print(reading.Bag);
        if (!reading.IsWrong) run.Report.Error($"the estate file declares no stream `{stream.Name}`");
        return null;
    }

    private static async Task<ExitCode> RunAsync(Invocation run, StreamChoice stream, string? from, ReplayMode mode)
    {
        var start = StartOf(run, from);
        if (start is null)
        {
            run.Report.Error($"`--from {from}` is no offset and not {Moments.Grammar}");
            return ExitCode.Usage;
        }

        using var log = stream.Look(run);
        if (log is null)
        {
            run.Report.Error($"stream `{stream.Name}` has no log yet", "it is made when the stream runs for the first time");
            return ExitCode.NotAsItShouldBe;
        }

        using var interrupts = run.World.Interrupts();
        try
        {
            return await ReplayAsync(run, stream, log, start, mode, interrupts.First);
        }
        catch (OperationCanceledException) when (interrupts.First.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private static Func<IPartitionView, ulong>? StartOf(Invocation run, string? from)
    {
        if (from is null) return partition => partition.BeginOffset;
        if (ulong.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)) return partition => Math.Max(offset, partition.BeginOffset);
        return Moments.Parse(from, run.World.Clock) is { } time ? partition => partition.OffsetAt(LogModule.MicrosecondsOf(time)) : null;
    }

    private static async Task<ExitCode> ReplayAsync(Invocation run, StreamChoice stream, LogView log, Func<IPartitionView, ulong> start, ReplayMode mode, CancellationToken stop)
    {
        var clock = new SteadyClock();
        // One that is not there yet is made: the documents of its log belong there.
        await using var store = StoresModule.Open(stream.StoreSpec(run) with { Replaces = mode == ReplayMode.Replace }, clock);
        using var letters = DeadLetterStore.Open(stream.Directory);
        var repaint = run.World.Terminal.ErrorIsTerminal;
        var sums = await new Replay(log, store, letters, stream.Plan.ToTransform(), clock).RunAsync(
            start, mode, sums =>
            {
                if (repaint) run.Report.Write($"\r\e[K{sums.Events:N0} events");
            }, stop);
        if (repaint) run.Report.Write("\r\e[K");
        if (run.Json) run.PrintJson(Document(stream, sums, mode), StreamDocumentJson.Readable.ReplayDocument);
        else Print(run, sums, mode);
        return sums.Poison > 0 || (mode == ReplayMode.Compare && sums.Different + sums.Missing > 0) ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static ReplayDocument Document(StreamChoice stream, ReplaySums sums, ReplayMode mode) => new(
        stream.Name, mode == ReplayMode.Compare, mode == ReplayMode.Replace, sums.Events, sums.Same, sums.Different, sums.Missing, sums.Stored,
        sums.Duplicates, sums.Poison, sums.DeadLetters, sums.Gone, sums.Waiting, sums.Fields, sums.Examples);

    private static void Print(Invocation run, ReplaySums sums, ReplayMode mode)
    {
        run.Output.WriteLine($"{sums.Events:N0} events read");
        if (mode != ReplayMode.Fill)
        {
            Line(sums.Same, "the same in the store", Tone.Good);
            Line(sums.Different, mode == ReplayMode.Replace ? "were different in the store" : "different in the store", mode == ReplayMode.Replace ? Tone.Busy : Tone.Bad);
            foreach (var (field, count) in sums.Fields) run.Output.WriteLine($"    {field}: {count:N0}");
            Line(sums.Missing, mode == ReplayMode.Replace ? "were not in the store" : "not in the store", mode == ReplayMode.Replace ? Tone.Busy : Tone.Bad);
            Line(sums.Duplicates, "came again; the first counts", Tone.Dim);
            if (mode == ReplayMode.Replace) Line(sums.Stored, "are written anew", Tone.Good);
        }
        else
        {
            Line(sums.Stored, "were not in the store and are now", Tone.Good);
            Line(sums.Duplicates, "were there and stay as they are", Tone.Dim);
        }

        Line(sums.Poison, $"become no document; {sums.FirstPoison}", Tone.Bad);
        Line(sums.DeadLetters, "are dead letters and left to `stoker stream dead`", Tone.Dim);
        Line(sums.Gone, "were damaged and taken out of the log", Tone.Bad);
        Line(sums.Waiting, "are not stored yet, which is the stream's own work", Tone.Dim);
        foreach (var example in sums.Examples)
            run.Output.WriteLine($"  {example.Source} {example.Id} (offset {example.Offset}): {(example.Fields.Count == 0 ? "missing" : string.Join(", ", example.Fields))}");

        void Line(long count, string text, Tone tone)
        {
            if (count > 0) run.Output.WriteLine($"{run.Style.Paint($"{count,12:N0}", tone)} {text}");
        }
    }
}
