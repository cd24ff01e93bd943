using System.Diagnostics;
using Stoker.Streams.Log;

namespace Stoker.Bench;

/// <summary>One commit after another, each waited for: what the log adds to a write and its sync. In turns with the bare drive.</summary>
internal static class CommitRows
{
    private const int Rounds = 600;

    public static void Run(string directory)
    {
        Console.WriteLine("\n## One commit after another\n\n| event | events a commit | bytes on the disk | drive p50 µs | p99 | log p50 µs | p99 | × |\n|---|---|---|---|---|---|---|---|");
        using var drive = new RawDrive(directory);
        foreach (var (name, size) in LogOfBench.Events)
        {
            foreach (var count in (int[])[1, 10, 100]) Row(directory, drive, name, size, count);
        }
    }

    private static void Row(string directory, RawDrive drive, string name, int size, int count)
    {
        using var log = new LogOfBench(directory);
        using var arrived = new SemaphoreSlim(0);
        var inbox = new AppendInbox(() => arrived.Release());
        var (records, payload, results) = (new RecordBuffer(), LogOfBench.Event(size), new List<AppendResult>());
        for (var i = 0; i < count; i++) records.Add(payload, i, 1);
        var extent = (80 + records.Bytes.Length + 8 + 4095) & ~4095;
        var (raw, ours) = (new List<double>(), new List<double>());
        for (var round = -50; round < Rounds; round++)
        {
            var (bare, began) = (drive.Write(extent), Stopwatch.GetTimestamp());
            if (log.Partition.Append(records, inbox, null) != AppendAnswer.Taken) throw new InvalidOperationException("not taken");
            arrived.Wait();
            var took = Stopwatch.GetElapsedTime(began);
            results = inbox.Take(results);
            if (results is not [{ Outcome: AppendOutcome.Durable }]) throw new InvalidOperationException("not durable");
            if (round < 0) continue;
            raw.Add(bare.TotalMicroseconds);
            ours.Add(took.TotalMicroseconds);
        }

        raw.Sort();
        ours.Sort();
        Console.WriteLine($"| {name} | {count} | {extent:N0} | {At(raw, 0.5):N0} | {At(raw, 0.99):N0} | {At(ours, 0.5):N0} | {At(ours, 0.99):N0} | {At(ours, 0.5) / At(raw, 0.5):N2} |");
    }

    private static double At(List<double> sorted, double part) => sorted[(int)((sorted.Count - 1) * part)];
}
