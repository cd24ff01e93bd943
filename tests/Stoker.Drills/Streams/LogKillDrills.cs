using System.Diagnostics;
using System.Globalization;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>A process that appends is killed, again and again, also while it opens the log. Only this one knows which ids were given out and which were answered.</summary>
public sealed class LogKillDrills
{
    private const long IdsOfARound = 1_000_000;

    [Fact]
    public void Twenty_kills_lose_nothing_that_was_answered() => Kill(20);

    [Fact]
    [Trait("Category", "Slow")]
    public void A_thousand_kills_lose_nothing_that_was_answered() => Kill(1000);

    private static void Kill(int rounds)
    {
        var directory = Directory.CreateTempSubdirectory("stoker-log-drill-").FullName;
        try
        {
            var path = Path.Combine(directory, "log");
            var oracle = new Oracle();
            var random = new Random(1);
            for (var round = 0; round < rounds; round++) Round(path, round, random, oracle);
            oracle.Check(path, rounds);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Round(string path, int round, Random random, Oracle oracle)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[LogChild.Variable] = $"{path} {round * IdsOfARound}";
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        // One in five while it opens; else after some answers, at a moment that chance decides.
        var answers = random.Next(5) == 0 ? 0 : 1 + random.Next(400);
        if (answers == 0) Thread.Sleep(random.Next(150));
        for (var seen = 0; seen < answers; seen++) oracle.Hear(child.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"it ended by itself: {errors.Result}"));
        child.Kill();
        while (child.StandardOutput.ReadLine() is { } line) oracle.Hear(line);
        child.WaitForExit();
        Assert.Equal("", errors.Result);
    }

    private sealed class Oracle
    {
        private readonly Dictionary<long, ulong> _answered = [];
        private ulong _position;
        private int _opened;

        public void Hear(string line)
        {
            var words = line.Split(' ');
            switch (words)
            {
                case ["open", var next, _, "."]:
                    _opened++;
                    Assert.True(Number(next) >= (ulong)_answered.Count, $"it opened at {next}, though {_answered.Count} were answered");
                    break;
                case ["ack", var id, var offset, "."]:
                    Assert.True(_answered.TryAdd(long.Parse(id, CultureInfo.InvariantCulture), Number(offset)), $"{id} was answered twice");
                    break;
                case ["position", var next, "."]:
                    _position = Number(next);
                    break;
            }
        }

        public void Check(string path, int rounds)
        {
            Assert.True(LogVerifier.Run(Disk.Instance, path).IsWhole);
            using var log = Assert.IsType<LogOpening.Opened>(StreamLog.Open(path, LogChild.Options, Disk.Instance, TimeProvider.System)).Log;
            var found = new Dictionary<long, ulong>();
            using var reader = log.Partitions[0].Read(0);
            while (reader.Read() is var outcome && outcome is not ReadOutcome.End)
            {
                using var batch = Assert.IsType<ReadOutcome.Batch>(outcome).Value;
                foreach (var record in batch)
                {
                    Assert.True(found.TryAdd(record.Time, record.Offset), $"{record.Time} is there twice");
                    Assert.True(record.Payload.Span.SequenceEqual(LogChild.Event(record.Time)), $"{record.Time} is not what was sent");
                    Assert.InRange(record.Time / IdsOfARound, 0, rounds - 1);
                }
            }

            foreach (var (id, offset) in _answered) Assert.Equal(offset, found.GetValueOrDefault(id, ulong.MaxValue));
            var position = Assert.IsType<PositionReading.Found>(PositionFile.Read(Disk.Instance, Path.Combine(path, "0", "worker.position"), log.Id.TagOf(0)));
            Assert.InRange(position.Position.Next, _position, log.Partitions[0].End.NextOffset);
            // The story is worth something only if there were kills before, in and after the opening, and appends that were not answered.
            Assert.InRange(_opened, rounds / 2, rounds);
            Assert.True(_answered.Count > rounds * 20 && found.Count >= _answered.Count);
        }

        private static ulong Number(string word) => ulong.Parse(word, CultureInfo.InvariantCulture);
    }
}
