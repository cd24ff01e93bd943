using System.Text;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Tests.Shared;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

public sealed class FullDiskTests
{
    private static readonly LogOptions Options = LogWorkshop.Small with { ProbeEvery = TimeSpan.FromMilliseconds(2) };

    [Fact]
    public void A_full_disk_refuses_loses_nothing_and_goes_on_by_itself()
    {
        using var workshop = LogWorkshop.Make(Options);
        var position = workshop.Partition.Position("worker");
        workshop.Disk.Room = 200_000;
        var written = new List<string>();
        while (workshop.Append($"event {written.Count}").Outcome == AppendOutcome.Durable) written.Add($"event {written.Count}");

        Assert.Equal(AppendAnswer.DiskFull, workshop.Partition.Append("refused"u8, 0, 0, new AppendInbox(() => { })));
        Assert.Equal(PartitionState.DiskFull, workshop.Partition.Status().State);
        Assert.Equal(written, workshop.ReadAll());
        // Positions are written in place.
        Assert.Equal(0, position.Set(position.Current with { Next = 3 }));

        workshop.Disk.Room = long.MaxValue;
        Await(workshop.Partition, PartitionState.Writable);
        Assert.Equal((ulong)written.Count, workshop.Append("goes on").FirstOffset);
        Assert.Equal([.. written, "goes on"], workshop.ReadAll());
        workshop.Close();
        Assert.Empty(workshop.OpenWhole().Torn);
    }

    [Fact]
    public void What_a_full_disk_left_half_written_is_no_damage_after_a_power_cut()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            using var workshop = LogWorkshop.Make(Options);
            workshop.Append("before");
            var full = true;
            workshop.Disk.Fault = (call, _, _) => call == DiskCall.Write && Volatile.Read(ref full) ? DiskFault.Full : null;
            Assert.Equal(AppendOutcome.DiskFull, workshop.Append(new string('l', 5000)).Outcome);
            Volatile.Write(ref full, false);
            Await(workshop.Partition, PartitionState.Writable);
            var cut = workshop.Disk.Calls + 1 + (seed % 3);
            workshop.Disk.CutAt = (_, _, call) => call >= cut;
            var answered = workshop.Append("short").Outcome == AppendOutcome.Durable;

            using var later = new LogWorkshop(workshop.Disk.AfterPowerCut(new Random(seed)), Options);
            later.OpenWhole();
            Assert.Equal("before", later.ReadAll()[0]);
            Assert.True(!answered || later.ReadAll()[1] == "short");
        }
    }

    [Fact]
    public void The_reserve_is_given_up_for_what_must_be_written_and_taken_again_first()
    {
        using var workshop = LogWorkshop.Make(Options with { ReserveBytes = 20_000 });
        var disk = workshop.Disk;
        disk.Room = 250_000;
        while (workshop.Append("event").Outcome == AppendOutcome.Durable)
        {
        }

        disk.Room = disk.Files(LogWorkshop.Root).Sum(path => (long)disk.Content(path).Length);
        Assert.ThrowsAny<IOException>(() => disk.WriteFile("/data/letter", new byte[15_000]));
        workshop.Log!.GiveUpReserve();
        disk.WriteFile("/data/letter", new byte[15_000]);
        // Room for a segment, but not for a segment and the reserve.
        disk.Room += 70_000;
        var probes = disk.Calls;
        while (disk.Calls < probes + 20) Thread.Yield();
        Assert.Equal(PartitionState.DiskFull, workshop.Partition.Status().State);
        disk.Room += 20_000;
        Await(workshop.Partition, PartitionState.Writable);
        Assert.Contains($"{LogWorkshop.Root}/reserve", disk.Files(LogWorkshop.Root));
    }

    [Fact]
    public void A_real_full_disk_is_the_same()
    {
        using var small = SmallDisk.Mount("2m");
        var options = new LogOptions(SegmentBytes: 256 * 1024, BatchBytes: 32 * 1024, ReserveBytes: 64 * 1024) { ProbeEvery = TimeSpan.FromMilliseconds(5), TestsDrive = false };
        var path = Path.Combine(small.Path, "log");
        var written = new List<string>();
        var opened = Assert.IsType<LogOpening.Opened>(StreamLog.Open(path, options, Disk.Instance, TimeProvider.System));
        string ballast;
        using (opened.Log)
        {
            var partition = opened.Log.Partitions[0];
            ballast = small.Fill(leaving: 600 * 1024);
            for (var number = 0; ; number++)
            {
                var payload = $"event {number} " + new string('r', 700);
                if (LogWorkshop.Append(partition, Encoding.UTF8.GetBytes(payload)).Outcome != AppendOutcome.Durable) break;
                written.Add(payload);
            }

            Assert.InRange(written.Count, 10, 2000);
            Assert.Equal(written, LogWorkshop.ReadAll(partition));
        }

        // A process that ends while the disk is full opens it again, and goes on when there is room.
        using var again = Assert.IsType<LogOpening.Opened>(StreamLog.Open(path, options, Disk.Instance, TimeProvider.System)).Log;
        Assert.Equal(written, LogWorkshop.ReadAll(again.Partitions[0]));
        while (LogWorkshop.Append(again.Partitions[0], "more"u8).Outcome == AppendOutcome.Durable) written.Add("more");
        File.Delete(ballast);
        Await(again.Partitions[0], PartitionState.Writable);
        Assert.Equal((ulong)written.Count, LogWorkshop.Append(again.Partitions[0], "goes on"u8).FirstOffset);
        Assert.Equal([.. written, "goes on"], LogWorkshop.ReadAll(again.Partitions[0]));
    }

    private static void Await(Partition partition, PartitionState state) =>
        Assert.True(SpinWait.SpinUntil(() => partition.Status().State == state, TimeSpan.FromSeconds(60)), $"it is {partition.Status().State} and not {state}");
}
