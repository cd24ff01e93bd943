using System.Diagnostics;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Opening;

namespace Stoker.Bench;

/// <summary>Opening a log of 10 GB, and proving every byte of it. It is written for real, by the log itself; the page cache is emptied where that is allowed.</summary>
internal static class OpenRows
{
    private const long Size = 10_000_000_000;

    public static void Run(string directory)
    {
        var path = Path.Combine(directory, "big");
        try
        {
            Fill(path);
            Console.WriteLine("\n## A log of 10 GB\n\n| | page cache | segments | seconds |\n|---|---|---|---|");
            foreach (var cold in (bool[])[true, false])
            {
                var isCold = cold && DropCache();
                var began = Stopwatch.GetTimestamp();
                using var log = LogOfBench.Open(path);
                Print("opened", isCold, log.Partitions[0].Status().Segments, began);
            }

            var emptied = DropCache();
            var from = Stopwatch.GetTimestamp();
            var report = LogVerifier.Run(Disk.Instance, path);
            if (!report.IsWhole) throw new InvalidOperationException($"{report.Damages[0]}");
            Print("every byte verified", emptied, report.Segments.Count, from);
        }
        finally
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        }
    }

    private static void Print(string what, bool cold, int segments, long began) =>
        Console.WriteLine($"| {what} | {(cold ? "empty" : "warm")} | {segments} | {Stopwatch.GetElapsedTime(began).TotalSeconds:N2} |");

    private static void Fill(string path)
    {
        using var log = LogOfBench.Open(path);
        using var arrived = new SemaphoreSlim(0);
        var inbox = new AppendInbox(() => arrived.Release());
        var (records, payload, results, waiting) = (new RecordBuffer(), LogOfBench.Event(8567), new List<AppendResult>(), 0);
        for (var i = 0; i < 100; i++) records.Add(payload, i, 1);
        for (var written = 0L; written < Size || waiting > 0;)
        {
            while (written < Size && log.Partitions[0].Append(records, inbox, null) == AppendAnswer.Taken)
            {
                written += records.Bytes.Length;
                waiting++;
            }

            arrived.Wait();
            results = inbox.Take(results);
            waiting -= results.Count;
        }
    }

    private static bool DropCache()
    {
        try
        {
            File.WriteAllText("/proc/sys/vm/drop_caches", "3");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
