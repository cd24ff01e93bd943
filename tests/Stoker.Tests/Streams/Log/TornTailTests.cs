using Stoker.Streams.Log;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

/// <summary>A write that the power or a kill interrupted: what was whole before it stays, what was not is cut off and told.</summary>
public sealed class TornTailTests
{
    private static readonly string[] Payloads = ["first", "second " + new string('s', 5000), "third " + new string('\0', 3000), "fourth"];

    [Fact]
    public void A_file_cut_short_at_any_byte_of_its_last_batches_has_all_whole_records_before()
    {
        var (disk, path, ends) = Written();
        var content = disk.Content(path);
        for (var length = ends[0]; length < ends[^1]; length += LogWorkshop.IsFilling(content, length) ? 41 : 1)
        {
            var copy = disk.Copy();
            copy.SetContent(path, content[..length]);
            Expect(copy, ends.Count(end => end <= length), $"cut to {length}");
        }
    }

    [Fact]
    public void A_write_that_stopped_at_any_byte_leaves_all_whole_records_before()
    {
        var (disk, path, ends) = Written();
        var content = disk.Content(path);
        for (var length = ends[0]; length <= ends[^1]; length += LogWorkshop.IsFilling(content, length) ? 41 : 1)
        {
            var copy = disk.Copy();
            var torn = content.ToArray();
            torn.AsSpan(length).Clear();
            copy.SetContent(path, torn);
            // The padding of a batch may be whole when its last byte is.
            Expect(copy, ends.Count(end => end <= length), $"written to {length}");
        }
    }

    [Fact]
    public void A_batch_without_one_of_its_sectors_is_cut_off()
    {
        var (disk, path, ends) = Written();
        var content = disk.Content(path);
        for (var sector = ends[1]; sector < ends[2]; sector += 512)
        {
            if (!content.AsSpan(sector, 512).ContainsAnyExcept((byte)0)) continue;
            var copy = disk.Copy();
            var torn = content.ToArray();
            torn.AsSpan(sector, 512).Clear();
            torn.AsSpan(ends[2]).Clear();
            copy.SetContent(path, torn);
            Expect(copy, 2, $"without the sector at {sector}");
        }
    }

    [Fact]
    public void What_a_recovery_kept_is_on_the_disk_before_it_is_served()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            using var first = LogWorkshop.Make();
            first.Append("answered");
            // Written, but the process is gone before the sync.
            first.Disk.CutAt = (call, path, _) => call == DiskCall.Sync && path.EndsWith(".log", StringComparison.Ordinal);
            first.Append("not answered");
            using var second = new LogWorkshop(first.Disk.AfterKill());
            second.OpenWhole();
            // The page cache outlives the process.
            var seen = second.ReadAll();
            Assert.Equal(["answered", "not answered"], seen);
            second.Close();
            using var third = new LogWorkshop(second.Disk.AfterPowerCut(random));
            third.OpenWhole();
            Assert.Equal(seen, third.ReadAll());
        }
    }

    [Fact]
    public void A_cut_off_tail_is_told_with_its_place_and_size()
    {
        var (disk, path, ends) = Written();
        var content = disk.Content(path);
        content.AsSpan(ends[2] + 100).Clear();
        disk.SetContent(path, content);
        using var workshop = new LogWorkshop(disk);

        var torn = Assert.Single(workshop.OpenWhole().Torn);

        Assert.Equal(new TornTail(0, "0/00000000000000000000.log", 3, ends[2], 93), torn);
        Assert.Equal("0/00000000000000000000.log: a batch that was never acknowledged was cut off at byte 20480 (93 bytes); record 3 is next", torn.ToString());
        workshop.Append("after");
        Assert.Equal([.. Payloads[..3], "after"], workshop.ReadAll());
    }

    private static (SimulatedDisk Disk, string Path, List<int> Ends) Written()
    {
        using var workshop = LogWorkshop.Make();
        var ends = new List<int>();
        foreach (var payload in Payloads)
        {
            workshop.Append(payload);
            ends.Add(1 + workshop.Disk.Content(workshop.Files()[0]).AsSpan().LastIndexOfAnyExcept((byte)0));
        }

        workshop.Close();
        return (workshop.Disk, workshop.Files()[0], ends);
    }

    private static void Expect(SimulatedDisk disk, int whole, string when)
    {
        using var workshop = new LogWorkshop(disk);
        var opening = workshop.Open();
        Assert.True(opening is LogOpening.Opened, $"{when}: {opening}");
        Assert.Equal(Payloads[..whole], workshop.ReadAll());
        Assert.Equal((ulong)whole, workshop.Append("after").FirstOffset);
        workshop.Close();
        workshop.OpenWhole();
        Assert.Equal([.. Payloads[..whole], "after"], workshop.ReadAll());
    }
}
