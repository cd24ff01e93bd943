using System.Text;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

/// <summary>Random appends, positions, deletions, kills and power cuts against a list of what was answered.</summary>
public sealed class PowerCutTests
{
    [Fact]
    public void What_was_answered_outlives_every_power_cut_and_nothing_else_appears()
    {
        var sum = new Sum();
        for (var seed = 0; seed < 250; seed++) Story.Tell(seed, null, sum);

        // The story is worth its telling only if these have come about.
        Assert.True(sum is { Torn: > 20, Cuts: > 800, CutsInRecovery: > 100, Deleted: > 10, Unanswered: > 100 }, sum.ToString());
    }

    // Each of these is a fault in the log that must not go unseen.
    [Theory]
    [InlineData(DiskCall.Sync, ".log")]
    [InlineData(DiskCall.Sync, ".log.tmp")]
    [InlineData(DiskCall.Sync, ".position")]
    [InlineData(DiskCall.SyncDirectory, "/0")]
    public void A_log_that_forgets_a_sync_is_found_out(DiskCall call, string ending)
    {
        var caught = 0;
        for (var seed = 0; seed < 250 && caught == 0; seed++)
        {
            try
            {
                Story.Tell(seed, (each, path) => each == call && path.EndsWith(ending, StringComparison.Ordinal), new Sum());
            }
            catch (Xunit.Sdk.XunitException)
            {
                caught++;
            }
        }

        Assert.Equal(1, caught);
    }

    private sealed record Sum
    {
        public int Stories { get; set; }

        public int Torn { get; set; }

        public int Cuts { get; set; }

        public int CutsInRecovery { get; set; }

        public int Deleted { get; set; }

        public int Unanswered { get; set; }
    }

    private sealed class Story(Random random, Sum sum)
    {
        /// <summary>What is known to be there: what was answered, and what a reader has seen.</summary>
        private readonly SortedDictionary<ulong, string> _known = [];
        private readonly Dictionary<string, bool> _issued = [];
        private ulong _position;
        private ulong _positionInDoubt;
        private int _number;

        public static void Tell(int seed, Func<DiskCall, string, bool>? forgets, Sum sum)
        {
            var random = new Random(seed);
            var story = new Story(random, sum);
            var disk = new SimulatedDisk { ForgetsSync = forgets };
            disk.CreateDirectory("/data");
            disk.SyncDirectory("/");
            for (var round = 0; round < 5; round++) disk = story.Round(disk, forgets);
            sum.Stories++;
        }

        private SimulatedDisk Round(SimulatedDisk disk, Func<DiskCall, string, bool>? forgets)
        {
            using var workshop = new LogWorkshop(disk, LogWorkshop.Small with { BatchBytes = 8192 + (random.Next(3) * 4096) });
            // Sometimes the power goes while the log is being made or recovered.
            var inRecovery = random.Next(4) == 0;
            var cut = disk.Calls + 1 + random.Next(inRecovery ? 12 : 400);
            disk.CutAt = (_, _, call) => call >= cut;
            var opening = workshop.Open();
            if (opening is LogOpening.Opened opened)
            {
                sum.Torn += opened.Torn.Count;
                disk.CutAt = null;
                Check(workshop);
                cut = disk.Calls + 1 + random.Next(400);
                disk.CutAt = (_, _, call) => call >= cut;
                while (!disk.IsDark) Act(workshop);
            }
            else
            {
                Assert.True(disk.IsDark, $"it was not opened although the disk is well: {opening}{string.Concat((opening as LogOpening.Refused)?.Damages.Select(damage => $"\n{damage}") ?? [])}");
                sum.CutsInRecovery++;
            }

            sum.Cuts++;
            workshop.Close();
            var after = random.Next(5) == 0 ? disk.AfterKill() : disk.AfterPowerCut(random);
            after.ForgetsSync = forgets;
            return after;
        }

        private void Act(LogWorkshop workshop)
        {
            switch (random.Next(12))
            {
                case 0:
                    SetPosition(workshop);
                    break;
                case 1:
                    Trim(workshop);
                    break;
                default:
                    AppendSome(workshop);
                    break;
            }
        }

        private void AppendSome(LogWorkshop workshop)
        {
            var (inbox, records) = (new AppendInbox(() => { }), new RecordBuffer());
            var taken = 0;
            for (var count = 1 + random.Next(6); count > 0; count--)
            {
                records.Clear();
                var payloads = Enumerable.Range(0, random.Next(4) == 0 ? 5 : 1).Select(_ => NextPayload()).ToList();
                foreach (var payload in payloads) records.Add(Encoding.UTF8.GetBytes(payload), _number, 1);
                if (workshop.Partition.Append(records, inbox, payloads) == AppendAnswer.Taken) taken++;
            }

            var results = new List<AppendResult>();
            while (results.Count < taken)
            {
                results.AddRange(inbox.Take([]));
                Thread.Yield();
            }

            foreach (var result in results)
            {
                if (result.Outcome != AppendOutcome.Durable) sum.Unanswered++;
                else foreach (var (index, payload) in ((List<string>)result.State!).Index()) _known.Add(result.FirstOffset + (ulong)index, payload);
            }
        }

        /// <summary>Also of zeros, by which a torn batch is told.</summary>
        private string NextPayload()
        {
            var payload = $"event {_number++} " + new string(random.Next(3) == 0 ? '\0' : 'x', random.Next(10) == 0 ? random.Next(3000) : random.Next(40));
            _issued.Add(payload, true);
            return payload;
        }

        private void SetPosition(LogWorkshop workshop)
        {
            try
            {
                var file = workshop.Partition.Position("worker");
                var next = workshop.Partition.End.NextOffset;
                _positionInDoubt = next;
                if (file.Set(new Position(next, workshop.Partition.End.Hash, Required: true)) == 0) _position = next;
            }
            catch (IOException) when (workshop.Disk.IsDark)
            {
                // The power is gone.
            }
        }

        private void Trim(LogWorkshop workshop)
        {
            try
            {
                var begin = workshop.Partition.TrimAsync(new RetentionLimits(Below: _position)).Result;
                foreach (var gone in _known.Keys.TakeWhile(offset => offset < begin).ToList())
                {
                    _known.Remove(gone);
                    sum.Deleted++;
                }
            }
            catch (AggregateException e) when (e.InnerException is IOException or ObjectDisposedException)
            {
                Assert.True(workshop.Disk.IsDark);
            }
        }

        private void Check(LogWorkshop workshop)
        {
            var partition = workshop.Partition;
            var found = new Dictionary<ulong, string>();
            using var reader = partition.Read(partition.BeginOffset);
            while (reader.Read() is var outcome && outcome is not ReadOutcome.End)
            {
                using var batch = outcome is ReadOutcome.Batch each ? each.Value : throw new Xunit.Sdk.XunitException(outcome.ToString());
                foreach (var record in batch) found.Add(record.Offset, Encoding.UTF8.GetString(record.Payload.Span));
            }

            // A deletion that was not answered may have taken place.
            foreach (var gone in _known.Keys.TakeWhile(offset => offset < partition.BeginOffset).ToList())
            {
                Assert.True(gone < Math.Max(_position, _positionInDoubt), "a record is gone that was needed");
                _known.Remove(gone);
            }

            foreach (var (offset, payload) in _known) Assert.Equal(payload, found.GetValueOrDefault(offset));
            foreach (var payload in found.Values) Assert.True(_issued.ContainsKey(payload), "a record that nobody wrote");
            Assert.Equal(found.Count, found.Values.Distinct().Count());
            Assert.Equal((ulong)found.Count, partition.End.NextOffset - partition.BeginOffset);
            // What was seen once must stay.
            foreach (var (offset, payload) in found) _known[offset] = payload;
            var position = PositionFile.Read(workshop.Disk, $"{LogWorkshop.Root}/0/worker.position", partition.Log.TagOf(0));
            if (position is PositionReading.Found read) Assert.Contains(read.Position.Next, new[] { _position, _positionInDoubt, 0UL, partition.BeginOffset });
            else Assert.Equal(0UL, _position);
            if (position is PositionReading.Found { Position.Next: var next }) Assert.True(next >= _position, "a position went back");
            _position = position is PositionReading.Found { Position.Next: var now } ? now : 0;
        }
    }
}
