using Stoker.Streams.Log;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

/// <summary>The same small story, told again and again with a fault at the first call of the disk, at the second, and so on until none is hit.</summary>
public sealed class IoErrorTests
{
    [Theory]
    [InlineData(DiskFault.Broken, false)]
    [InlineData(DiskFault.Broken, true)]
    [InlineData(DiskFault.Full, false)]
    [InlineData(DiskFault.Full, true)]
    [InlineData(DiskFault.Partial, false)]
    [InlineData(DiskFault.Interrupted, false)]
    public void A_fault_at_any_call_loses_nothing_that_was_answered(DiskFault fault, bool lasting)
    {
        for (var call = 1; ; call++)
        {
            var disk = NewDisk();
            using var story = new Story();
            disk.Fault = (_, _, number) => number == call || (lasting && number > call) ? fault : null;
            story.Tell(disk);
            disk.Fault = null;
            story.Check(disk.Copy(), $"{fault} at call {call}");
            story.Check(disk.AfterPowerCut(new Random(call)), $"{fault} at call {call}, then a power cut");
            if (disk.Faults == 0) return;
        }
    }

    [Theory]
    [InlineData("written, not synced", DiskCall.Sync, "/0/00000000000000000000.log")]
    [InlineData("before the write", DiskCall.Write, "/0/00000000000000000000.log")]
    [InlineData("a new segment before its room is claimed", DiskCall.Allocate, ".log.tmp")]
    [InlineData("a new segment not synced", DiskCall.Sync, ".log.tmp")]
    [InlineData("a new segment without its name", DiskCall.Rename, ".log")]
    [InlineData("a new segment's name not synced", DiskCall.SyncDirectory, "/0")]
    [InlineData("a seal not written back", DiskCall.SetLength, ".log")]
    [InlineData("the beginning not synced", DiskCall.Sync, "begin.position")]
    [InlineData("between the beginning and the deletions", DiskCall.Delete, ".log")]
    [InlineData("a position not synced", DiskCall.Sync, "worker.position")]
    [InlineData("a new position without its name", DiskCall.Rename, "worker.position")]
    public void Power_that_goes_at_a_named_point_loses_nothing_that_was_answered(string point, DiskCall call, string ending)
    {
        for (var occurrence = 1; occurrence < 40; occurrence++)
        {
            using var story = new Story();
            var (disk, seen) = (NewDisk(), 0);
            story.Open(disk);
            disk.CutAt = (each, path, _) => each == call && path.EndsWith(ending, StringComparison.Ordinal) && ++seen == occurrence;
            story.Go();
            Assert.True(disk.IsDark || occurrence > 1, $"{point} was never reached");
            if (!disk.IsDark) return;
            for (var seed = 0; seed < 8; seed++) story.Check(disk.AfterPowerCut(new Random(seed)), point);
            story.Check(disk.AfterKill(), point);
        }
    }

    [Fact]
    public void After_a_failed_sync_nothing_is_taken_until_the_log_is_opened_again()
    {
        using var workshop = LogWorkshop.Make();
        workshop.Append("before");
        workshop.Disk.Fault = (call, path, _) => call == DiskCall.Sync && path.EndsWith(".log", StringComparison.Ordinal) ? DiskFault.Broken : null;
        Assert.Equal(AppendOutcome.Failed, workshop.Append("lost").Outcome);
        workshop.Disk.Fault = null;
        var calls = workshop.Disk.Calls;

        Assert.Equal(AppendAnswer.Failed, workshop.Partition.Append("later"u8, 0, 0, new AppendInbox(() => { })));
        Assert.Equal(calls, workshop.Disk.Calls);
        Assert.Equal(PartitionState.Failed, workshop.Partition.Status().State);
        Assert.Equal("`/data/log/0/00000000000000000000.log` could not be synced: Input/output error", workshop.Partition.Status().Failure);
        Assert.Equal(["before"], workshop.ReadAll());

        workshop.Close();
        workshop.OpenWhole();
        var seen = workshop.ReadAll();
        Assert.Equal("before", seen[0]);
        workshop.Append("after");
        using var later = new LogWorkshop(workshop.Disk.AfterPowerCut(new Random(3)));
        later.OpenWhole();
        Assert.Equal([.. seen, "after"], later.ReadAll());
    }

    private static SimulatedDisk NewDisk()
    {
        var disk = new SimulatedDisk();
        disk.CreateDirectory("/data");
        disk.SyncDirectory("/");
        return disk;
    }

    /// <summary>Twenty records through several segments, a position, a deletion; twice, with a new opening in between.</summary>
    private sealed class Story : IDisposable
    {
        private static readonly LogOptions Options = LogWorkshop.Small with { SegmentBytes = 5 * 4096, BatchBytes = 2 * 4096, ProbeEvery = TimeSpan.FromMilliseconds(1) };

        private readonly Dictionary<ulong, string> _answered = [];
        private LogWorkshop? _workshop;
        private ulong _position;
        private ulong _mayBegin;

        public void Dispose() => _workshop?.Dispose();

        public void Tell(SimulatedDisk disk)
        {
            if (!Open(disk)) return;
            Go();
            if (Open(disk)) Go();
        }

        public bool Open(SimulatedDisk disk)
        {
            _workshop?.Dispose();
            _workshop = new LogWorkshop(disk, Options);
            return _workshop.Open() is LogOpening.Opened;
        }

        public void Go()
        {
            var partition = _workshop!.Partition;
            for (var i = 0; i < 10; i++)
            {
                var payload = $"event {i}";
                var result = _workshop.Append(payload);
                if (result.Outcome == AppendOutcome.Durable) _answered.Add(result.FirstOffset, payload);
                if (i % 5 == 4) Keep(partition);
            }

            _workshop.Close();
        }

        public void Check(SimulatedDisk disk, string when)
        {
            using var workshop = new LogWorkshop(disk, Options);
            var opening = workshop.Open();
            Assert.True(opening is LogOpening.Opened, $"{when}: {(opening is LogOpening.Refused refused ? refused.Damages[0] : opening)}");
            var begin = workshop.Partition.BeginOffset;
            Assert.True(begin <= _mayBegin, when);
            var found = workshop.ReadAll(begin);
            foreach (var (offset, payload) in _answered.Where(each => each.Key >= begin))
                Assert.True(offset - begin < (ulong)found.Count && found[(int)(offset - begin)] == payload, $"{when}: {payload} at {offset} is not there");
            Assert.True(workshop.Partition.Position("worker").Current.Next >= _position, $"{when}: the position went back");
            Assert.Equal(AppendOutcome.Durable, workshop.Append("after").Outcome);
        }

        private void Keep(Partition partition)
        {
            try
            {
                var file = partition.Position("worker");
                var end = partition.End;
                _mayBegin = Math.Max(_mayBegin, end.NextOffset);
                if (file.Set(file.Current with { Next = end.NextOffset, Hash = end.Hash }) == 0) _position = end.NextOffset;
                partition.TrimAsync(new RetentionLimits(Below: _position)).Wait();
            }
            catch (Exception e) when (e is IOException or AggregateException { InnerException: IOException })
            {
                // It was not answered.
            }
        }
    }
}
