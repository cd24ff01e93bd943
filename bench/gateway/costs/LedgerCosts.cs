using System.Diagnostics;
using System.Globalization;
using Stoker.Gateway.Ledger;

namespace Stoker.Bench;

/// <summary>Rows as a gateway adds them, committed in groups of a given size; processor time for each row, all in.</summary>
internal static class LedgerCosts
{
    private static readonly string[] Models = ["microsoft/phi-3-mini", "qwen2.5-7b"];

    public static void Run()
    {
        Console.WriteLine("ledger                        rows     rows/s   cpu µs/row   bytes/row allocated");
        foreach (var keys in (int[])[10, 200])
        {
            foreach (var group in (int[])[500, 5000]) InGroups(keys, group, 400_000);
        }

        foreach (var rate in (int[])[1_000, 10_000, 50_000]) Paced(keys: 50, rate, seconds: 4);
    }

    private static void InGroups(int keys, int group, int rows) => InDirectory(path =>
    {
        using var writer = Open(path);
        var source = new Rows(keys);
        for (var i = 0; i < 40_000; i++) Add(i);
        var (cpu, allocated, watch) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), Stopwatch.StartNew());
        for (var i = 0; i < rows; i++) Add(i);
        writer.Flush();
        Print($"groups of {group}, {keys} keys", rows, watch.Elapsed, Environment.CpuUsage.TotalTime - cpu, GC.GetTotalAllocatedBytes() - allocated);

        void Add(int i)
        {
            writer.Add(source.Next());
            if (i % group == group - 1) writer.Flush();
        }
    });

    /// <summary>A rate for some seconds, committed when the writer does by itself. What the pacing costs is measured before and taken off.</summary>
    private static void Paced(int keys, int rate, int seconds) => InDirectory(path =>
    {
        using var writer = Open(path);
        var source = new Rows(keys);
        Pace(rate, 1, i => writer.Add(source.Next()));
        var idle = Pace(rate, seconds, static i => { });
        var (allocated, rows) = (GC.GetTotalAllocatedBytes(), 0);
        var busy = Pace(rate, seconds, i =>
        {
            writer.Add(source.Next());
            rows++;
        });
        Print($"{rate} rows/s, {keys} keys", rows, TimeSpan.FromSeconds(seconds), busy - idle, GC.GetTotalAllocatedBytes() - allocated);
    });

    private static TimeSpan Pace(int rate, int seconds, Action<int> each)
    {
        var (cpu, watch, done) = (Environment.CpuUsage.TotalTime, Stopwatch.StartNew(), 0);
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            for (var due = (int)(watch.Elapsed.TotalSeconds * rate); done < due; done++) each(done);
            Thread.Sleep(1);
        }

        return Environment.CpuUsage.TotalTime - cpu;
    }

    private static LedgerWriter Open(string path) => new(path, TimeSpan.FromDays(30), TimeProvider.System, Console.Error.WriteLine);

    private static void InDirectory(Action<string> work)
    {
        var directory = Directory.CreateTempSubdirectory("stoker-bench-");
        try
        {
            work(Path.Combine(directory.FullName, "ledger.db"));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static void Print(string what, int rows, TimeSpan wall, TimeSpan cpu, long allocated) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{what,-28} {rows,7} {rows / wall.TotalSeconds,10:N0} {cpu.TotalMicroseconds / rows,12:N2} {allocated / (double)rows,12:N1}"));

    /// <summary>Two models of two replicas each; of a hundred requests 96 are good, one by an alias in ten.</summary>
    private sealed class Rows(int keys)
    {
        private readonly string[] _keys = [.. Enumerable.Range(0, keys).Select(i => $"key_{i:D16}")];
        private readonly string[] _replicas = ["phi-3-mini.1", "phi-3-mini.2", "qwen.1", "qwen.2"];
        private uint _count;

        public LedgerRow Next()
        {
            var n = _count++;
            var mixed = n * 2_654_435_761u >> 8;
            var model = Models[mixed % 2];
            return new LedgerRow
            {
                At = DateTime.UtcNow.Ticks - (mixed % 20_000_000),
                Request = new RequestId(0x0123456789ABCDEF, n),
                Key = _keys[mixed / 7 % _keys.Length],
                ModelAsked = n % 10 == 0 ? "default" : model,
                Model = model,
                Replica = _replicas[(mixed % 2 * 2) + (mixed / 2 % 2)],
                Outcome = (n % 100) switch { 0 => RequestOutcome.Truncated, 1 => RequestOutcome.Failed, 2 or 3 => RequestOutcome.Abandoned, _ => RequestOutcome.Good },
                Prompt = (int)(20 + (mixed % 4000)),
                Cached = (int)(mixed % 20),
                Completion = (int)(1 + (mixed % 600)),
                FirstToken = 17.1234f + (mixed % 100),
                Duration = 317.77f + (mixed % 2000),
                Status = 200,
                IsStream = n % 3 == 0,
                Bytes = 700 + (mixed % 9000),
            };
        }
    }
}
