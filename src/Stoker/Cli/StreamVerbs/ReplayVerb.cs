using System.Globalization;
using Stoker.Platform;
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
        var from = Parameters.Text("--from", "OFFSET|TIME", $"the first event, by its offset in each partition, or the first that came then or later: {Moments.Grammar}; default: the first that the log has");
        var dry = Parameters.Flag("--dry-run", "change nothing; show how the documents would differ from those in the store");
        return new Verb("replay", "transform events of the log anew, and have the store take the documents that it lacks")
        {
            Example = "stoker stream replay gpu-metadata --from 2h30m --dry-run",
            Remarks =
            [
                "Also while the stream runs. Goes as far as the stream has stored; dead letters are left to `stoker stream dead`. A document that is there stays as it is: events do not change. A bare "
                + "number is an offset; a duration needs its unit, as in 90s.",
                "With --dry-run it ends with 1 where a document is missing or differs.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Interrupted],
        }.With(name, from, dry).Does(StreamChoice.With(name, (run, stream) => Run(run, stream, run.Get(from), run.Get(dry))));
    }

    private static ExitCode Run(Invocation run, StreamChoice stream, string? from, bool isDry)
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
            return RunAsync(run, stream, log, start, isDry, interrupts.First).GetAwaiter().GetResult();
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

    private static async Task<ExitCode> RunAsync(Invocation run, StreamChoice stream, LogView log, Func<IPartitionView, ulong> start, bool isDry, CancellationToken stop)
    {
        var clock = new SteadyClock();
        // One that is not there yet is made: the documents of its log belong there.
        await using var store = StoresModule.Open(stream.StoreSpec(run), clock);
        using var letters = DeadLetterStore.Open(stream.Directory);
        var repaint = run.World.Terminal.ErrorIsTerminal;
        var sums = await new Replay(log, store, letters, stream.Plan.Host, clock).RunAsync(
            start, isDry, sums =>
            {
                if (repaint) run.Report.Write($"\r\e[K{sums.Events:N0} events");
            }, stop);
        if (repaint) run.Report.Write("\r\e[K");
        if (run.Json) run.PrintJson(Document(stream, sums, isDry), StreamDocumentJson.Readable.ReplayDocument);
        else Print(run, sums, isDry);
        return sums.Poison > 0 || sums.Different > 0 || sums.Missing > 0 ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static ReplayDocument Document(StreamChoice stream, ReplaySums sums, bool isDry) => new(
        stream.Name, isDry, sums.Events, sums.Same, sums.Different, sums.Missing, sums.Stored, sums.Duplicates, sums.Poison, sums.DeadLetters, sums.Gone, sums.Waiting, sums.Fields, sums.Examples);

    private static void Print(Invocation run, ReplaySums sums, bool isDry)
    {
        run.Output.WriteLine($"{sums.Events:N0} events read");
        if (isDry)
        {
            Line(sums.Same, "the same in the store", Tone.Good);
            Line(sums.Different, "different in the store", Tone.Bad);
            foreach (var (field, count) in sums.Fields) run.Output.WriteLine($"    {field}: {count:N0}");
            Line(sums.Missing, "not in the store", Tone.Bad);
            Line(sums.Duplicates, "came again; the first counts", Tone.Dim);
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
