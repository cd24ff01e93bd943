using Stoker.Streams.Log;
using Stoker.Streams.Log.Opening;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

/// <summary>What was whole once and is no more: found, told, never served, and never taken for the end.</summary>
public sealed class DamageTests
{
    private const int Records = 12;

    private static readonly LogOptions Tiny = LogWorkshop.Small with { SegmentBytes = 5 * 4096, BatchBytes = 2 * 4096, ZeroAhead = 4096 };

    [Fact]
    public void A_flipped_bit_in_any_byte_is_found_and_nothing_wrong_is_served()
    {
        var whole = Written(out var records, out var paths);
        var random = new Random(1);
        foreach (var path in paths)
        {
            var content = whole.Content(path);
            var end = content.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
            // Every byte that means something; of the filling in between one now and then.
            for (var at = 0; at < end; at += LogWorkshop.IsFilling(content, at) ? 29 : 1)
            {
                var disk = whole.Copy();
                content[at] ^= (byte)(1 << random.Next(8));
                disk.SetContent(path, content);
                ExpectFound(disk, records, $"{path} at {at}");
                content = whole.Content(path);
            }
        }
    }

    [Fact]
    public void Quarantine_makes_every_flip_serveable_and_tells_what_is_gone()
    {
        var whole = Written(out var records, out var paths);
        foreach (var path in paths)
        {
            var content = whole.Content(path);
            var end = content.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
            for (var at = 0; at < end; at += 97)
            {
                var disk = whole.Copy();
                content[at] ^= 4;
                disk.SetContent(path, content);
                ExpectServed(disk, records, $"{path} at {at}");
                content = whole.Content(path);
            }
        }
    }

    [Fact]
    public void A_missing_segment_is_refused_wherever_it_was_and_quarantine_leaves_a_gap()
    {
        var whole = Written(out var records, out var paths);
        foreach (var path in paths.Where(path => path.EndsWith(".log", StringComparison.Ordinal)))
        {
            var disk = whole.Copy();
            disk.Remove(path);
            Assert.Contains(Refused(disk), damage => damage.Kind == DamageKind.SegmentMissing && path.EndsWith(damage.File, StringComparison.Ordinal));
            ExpectServed(disk, records, $"without {path}");
        }
    }

    [Fact]
    public void An_empty_segment_is_refused_in_words()
    {
        var whole = Written(out var records, out var paths);
        foreach (var path in paths.Where(path => path.EndsWith(".log", StringComparison.Ordinal)))
        {
            var disk = whole.Copy();
            disk.SetContent(path, []);
            Assert.Contains(Refused(disk), damage => damage.Words == "the file is empty" && path.EndsWith(damage.File, StringComparison.Ordinal));
            ExpectServed(disk, records, $"{path} being empty");
        }
    }

    [Fact]
    public void A_stale_segment_is_refused_and_quarantine_takes_it_away()
    {
        var whole = Written(out var records, out var paths);
        var segments = paths.Where(path => path.EndsWith(".log", StringComparison.Ordinal)).ToList();
        foreach (var (from, name) in new[] { (segments[0], 1UL), (segments[1], 2UL), (segments[^1], Records + 5UL), (segments[0], Records + 5UL) })
        {
            var disk = whole.Copy();
            disk.SetContent($"{LogWorkshop.Root}/0/{SegmentEntry.NameOf(name)}", disk.Content(from));
            Assert.NotEmpty(Refused(disk));
            ExpectServed(disk, records, $"with a copy of {from} as {name}");
        }
    }

    [Fact]
    public void A_segment_of_another_log_is_refused()
    {
        var one = Written(out _, out var paths);
        var other = Written(out _, out _);
        foreach (var path in paths.Where(path => path.EndsWith(".log", StringComparison.Ordinal)))
        {
            var disk = one.Copy();
            disk.SetContent(path, other.Content(path));
            Assert.Contains(Refused(disk), damage => damage.Words.StartsWith("it belongs to another log", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_consumer_beyond_the_end_means_that_the_end_is_gone()
    {
        using var workshop = LogWorkshop.Make();
        for (var i = 0; i < 3; i++) workshop.Append($"event {i}");
        var before = workshop.Disk.Content(workshop.Files()[0]);
        workshop.Append("event 3");
        var position = workshop.Partition.Position("worker");
        position.Set(position.Current with { Next = 4 });
        workshop.Close();
        workshop.Disk.SetContent(workshop.Files()[0], before);

        var damage = Assert.Single(Refused(workshop.Disk));
        Assert.Equal("0/00000000000000000000.log: `worker` is at 4, but the records end at 3; record 3 is lost", damage.ToString());
        LogQuarantine.Run(workshop.Disk, LogWorkshop.Root, LogWorkshop.Small);
        workshop.OpenWhole();
        Assert.Equal(["event 0", "event 1", "event 2", "gap 3-4"], workshop.ReadAll());
        Assert.Equal(4UL, workshop.Append("event 4").FirstOffset);
    }

    [Fact]
    public void A_partition_that_is_not_there_is_refused()
    {
        using var workshop = LogWorkshop.Make(LogWorkshop.Small with { Partitions = 3 });
        workshop.Close();
        workshop.Disk.Delete($"{LogWorkshop.Root}/1");
        Assert.Equal(DamageKind.PartitionMissing, Assert.Single(Refused(workshop.Disk)).Kind);
        workshop.Disk.Delete($"{LogWorkshop.Root}/identity");
        Assert.Equal(DamageKind.Identity, Assert.Single(Refused(workshop.Disk)).Kind);
    }

    [Fact]
    public void A_record_is_told_by_verification_down_to_segment_bytes_and_offsets()
    {
        var disk = Written(out _, out var paths);
        var segment = paths.Where(path => path.EndsWith(".log", StringComparison.Ordinal)).ElementAt(1);
        var content = disk.Content(segment);
        content[4096 + 300] ^= 1;
        disk.SetContent(segment, content);

        var report = LogVerifier.Run(disk, LogWorkshop.Root);

        var damage = Assert.Single(report.Damages);
        Assert.Equal("0/00000000000000000003.log, bytes 4096 to 8192: the checksum of a batch is wrong; record 3 is lost", damage.ToString());
        Assert.Equal([damage], Assert.Single(report.Segments, each => !each.IsWhole).Damages);
        Assert.Equal(Records - 1UL, report.Records);
    }

    private static SimulatedDisk Written(out List<string> records, out List<string> paths)
    {
        using var workshop = LogWorkshop.Make(Tiny);
        records = [.. Enumerable.Range(0, Records).Select(i => $"event {i} " + new string('e', 600))];
        foreach (var record in records) workshop.Append(record);
        var position = workshop.Partition.Position("worker");
        for (var i = 1; i < 4; i++) position.Set(position.Current with { Next = (ulong)i });
        workshop.Close();
        Assert.True(workshop.Files().Count >= 4);
        paths = [.. workshop.Disk.Files(LogWorkshop.Root).Where(path => !path.EndsWith("/lock", StringComparison.Ordinal))];
        return workshop.Disk;
    }

    private static IReadOnlyList<LogDamage> Refused(SimulatedDisk disk)
    {
        using var workshop = new LogWorkshop(disk, Tiny);
        return Assert.IsType<LogOpening.Refused>(workshop.Open()).Damages;
    }

    /// <summary>Refused; or opened, and then verification and every reader that comes there tell of it, or a note does where nothing is lost.</summary>
    private static void ExpectFound(SimulatedDisk disk, List<string> records, string where)
    {
        var report = LogVerifier.Run(disk, LogWorkshop.Root);
        using var workshop = new LogWorkshop(disk, Tiny);
        var opening = workshop.Open();
        if (opening is LogOpening.Refused refused)
        {
            Assert.False(report.IsWhole, $"{where}: verification sees nothing");
            Assert.All(refused.Damages, damage => Assert.NotEmpty(damage.Words));
            return;
        }

        var opened = Assert.IsType<LogOpening.Opened>(opening);
        var read = workshop.ReadAll();
        var isTold = read[^1].StartsWith("damaged", StringComparison.Ordinal);
        Assert.True(isTold || opened.Notes.Count > 0, $"{where}: opened without a word");
        Assert.Equal(records.Take(isTold ? read.Count - 1 : records.Count), isTold ? read.SkipLast(1) : read);
        Assert.True(!report.IsWhole || report.Notes.Count > 0, $"{where}: verification sees nothing");
    }

    private static void ExpectServed(SimulatedDisk disk, List<string> records, string where)
    {
        var lost = LogVerifier.Run(disk, LogWorkshop.Root);
        var quarantine = LogQuarantine.Run(disk, LogWorkshop.Root, Tiny);
        Assert.True(quarantine.Left.Count == 0, $"{where}: {string.Join('\n', quarantine.Left)}");
        using var workshop = new LogWorkshop(disk, Tiny);
        var opening = workshop.Open();
        Assert.True(opening is LogOpening.Opened, $"{where}: {(opening as LogOpening.Refused)?.Damages[0]}");
        var next = 0;
        foreach (var each in workshop.ReadAll())
        {
            if (each.StartsWith("gap ", StringComparison.Ordinal)) next = int.Parse(each[(each.IndexOf('-') + 1)..]);
            else Assert.Equal((where, records[next]), (where, records[next++]) with { Item2 = each });
        }

        Assert.True(next >= Records, $"{where}: {next} of {Records}");
        var after = workshop.Append("after");
        Assert.Equal((AppendOutcome.Durable, (ulong)next), (after.Outcome, after.FirstOffset));
        workshop.Close();
        workshop.OpenWhole();
        Assert.True(LogVerifier.Run(disk, LogWorkshop.Root).IsWhole, where);
        Assert.True(quarantine.Treated.Count > 0 == !lost.IsWhole, where);
    }
}
