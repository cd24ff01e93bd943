using System.Diagnostics;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;

namespace Stoker.Bench;

/// <summary>As many as go, from one thread that takes its answers as an event loop would; the bare drive then writes the same bytes in as many syncs.</summary>
internal static class FloodRows
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(4);

    public static void Run(string directory)
    {
        Console.WriteLine(
            "\n## As many as go\n\n| event | appended | events/s | MB/s | commits/s | events a commit | drive, same bytes and syncs, MB/s | log ÷ drive | CPU µs an event | read back, events/s |\n|---|---|---|---|---|---|---|---|---|---|");
        foreach (var (name, size) in LogOfBench.Events)
        {
            foreach (var count in (int[])[1, 100]) Row(directory, name, size, count);
        }
    }

    private static void Row(string directory, string name, int size, int count)
    {
        using var log = new LogOfBench(directory);
        using var arrived = new SemaphoreSlim(0);
        var inbox = new AppendInbox(() => arrived.Release());
        var (records, payload, results) = (new RecordBuffer(), LogOfBench.Event(size), new List<AppendResult>());
        for (var i = 0; i < count; i++) records.Add(payload, i, 1);
        Flood(TimeSpan.FromSeconds(1));
        var (cpu, commits, first, began) = (Environment.CpuUsage.TotalTime, log.Partition.Status().Commits, log.Partition.End.NextOffset, Stopwatch.GetTimestamp());
        Flood(Time);
        var (took, used) = (Stopwatch.GetElapsedTime(began), Environment.CpuUsage.TotalTime - cpu);
        commits = log.Partition.Status().Commits - commits;
        var events = (double)(log.Partition.End.NextOffset - first);
        var bytes = events * (size + 20);
        var read = ReadBack(log.Partition, first);
        using var drive = new RawDrive(directory);
        var (each, bare) = ((int)Math.Max(4096, ((long)(bytes / commits) + 4095) & ~4095), TimeSpan.Zero);
        var rounds = (int)Math.Min(commits, 400);
        for (var i = 0; i < rounds; i++) bare += drive.Write(each);
        var (ours, raw) = (bytes / took.TotalSeconds / 1e6, bytes / commits * rounds / bare.TotalSeconds / 1e6);
        Console.WriteLine(
            $"| {name} | {(count == 1 ? "one by one" : $"{count} at once")} | {events / took.TotalSeconds:N0} | {ours:N0} | {commits / took.TotalSeconds:N0} | {events / commits:N0} | {raw:N0} | {ours / raw:N2} | {used.TotalMicroseconds / events:N2} | {read:N0} |");

        void Flood(TimeSpan time)
        {
            var (from, waiting) = (Stopwatch.GetTimestamp(), 0);
            while (Stopwatch.GetElapsedTime(from) < time)
            {
                while (log.Partition.Append(records, inbox, null) == AppendAnswer.Taken) waiting++;
                Take();
            }

            while (waiting > 0) Take();

            void Take()
            {
                arrived.Wait();
                results = inbox.Take(results);
                waiting -= results.Count;
            }
        }
    }

    private static double ReadBack(Partition partition, ulong from)
    {
        var began = Stopwatch.GetTimestamp();
        using var reader = partition.Read(from);
        var (count, bytes) = (0L, 0L);
        while (reader.Read() is ReadOutcome.Batch { Value: var batch })
        {
            using (batch)
            {
                foreach (var record in batch) (count, bytes) = (count + 1, bytes + record.Payload.Length);
            }
        }

        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
