using System.Text;
using Stoker.Streams.Archive;
using Stoker.Streams.Log;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

/// <summary>What a verification finds of what was done to an archive.</summary>
public sealed class ArchiveVerifierTests
{
    [Fact]
    public async Task A_flipped_bit_anywhere_is_found()
    {
        await using var bench = await MakeAsync();
        var random = new Random(3);
        foreach (var name in bench.Names(ArchiveSpec.Raw).Concat(bench.Names(ArchiveSpec.Enriched)).Concat(bench.Names("manifest")))
        {
            var whole = bench.Workshop.Disk.Content(name);
            for (var i = 0; i < 8; i++)
            {
                var flipped = whole.ToArray();
                flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
                // White space aside, a manifest has nothing that could be another way and mean the same.
                bench.Workshop.Disk.SetContent(name, flipped);
                var report = await bench.VerifyAsync();
                if (!name.EndsWith(".json", StringComparison.Ordinal) || !IsTime(whole, flipped)) Assert.False(report.IsWhole, $"{name}: {Encoding.UTF8.GetString(flipped)}");
            }

            bench.Workshop.Disk.SetContent(name, whole);
        }

        await bench.AssertWholeAsync();
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("enriched")]
    public async Task An_object_that_is_missing_is_named(string what)
    {
        await using var bench = await MakeAsync();
        var name = bench.Names(what)[1];
        bench.Workshop.Disk.Remove(name);
        var fault = Assert.Single((await bench.VerifyAsync()).Faults);
        Assert.EndsWith(fault.Name, name, StringComparison.Ordinal);
        Assert.Equal("it is not there", fault.Words);
    }

    [Theory]
    [InlineData(0, "is archived from event 2")]
    [InlineData(1, "events 2 to 3 are in no object")]
    [InlineData(2, "the archive ends at 4")]
    public async Task A_manifest_that_is_missing_is_a_hole_that_is_told(int which, string expected)
    {
        await using var bench = await MakeAsync();
        bench.Workshop.Disk.Remove(bench.Names("manifest")[which]);
        var report = await bench.VerifyAsync();
        Assert.Contains(report.Faults.Select(fault => fault.Words).Concat(report.Notes), words => words.Contains(expected, StringComparison.Ordinal));
        Assert.Contains(report.Notes, note => note.Contains("is named by no manifest", StringComparison.Ordinal));
        if (which > 0) Assert.False(report.IsWhole);
    }

    [Fact]
    public async Task A_manifest_that_was_written_anew_over_other_events_is_found_by_the_hashes()
    {
        await using var bench = await MakeAsync();
        var name = bench.Names("manifest")[1];
        var manifest = ArchiveManifest.FromJson(bench.Workshop.Disk.Content(name));
        bench.Workshop.Disk.SetContent(name, (manifest with { Hash = new string('0', 16) }).ToJson());
        var words = (await bench.VerifyAsync()).Faults.Select(fault => fault.Words).ToList();
        Assert.Contains(words, each => each.Contains("the log's running hash before event 4", StringComparison.Ordinal));
        Assert.Contains(words, each => each.Contains("events between them are not the same", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Objects_that_are_right_in_themselves_are_held_to_the_log()
    {
        await using var bench = await MakeAsync();
        await using var other = new ArchiveBench(spec: bench.Spec);
        // Two objects of the same log with the same offsets and another event in them, as no crash could leave them.
        var name = bench.Names("manifest")[0];
        var manifest = ArchiveManifest.FromJson(bench.Workshop.Disk.Content(name));
        other.Append("x", "y");
        other.Run();
        await other.ArchivedAsync();
        var foreign = other.Manifests()[0].Objects.Single(made => made.What == ArchiveSpec.Raw);
        var raw = manifest.Objects.Single(made => made.What == ArchiveSpec.Raw);
        bench.Workshop.Disk.SetContent($"{ArchiveBench.Root}/{raw.Name}", other.Workshop.Disk.Content($"{ArchiveBench.Root}/{foreign.Name}"));
        bench.Workshop.Disk.SetContent(name, (manifest with { Objects = [foreign with { Name = raw.Name }, .. manifest.Objects.Where(made => made != raw)] }).ToJson());
        Assert.Equal("the raw lines of events 0 to 1 are not those that the log gives", Assert.Single((await bench.VerifyAsync()).Faults).Words);
    }

    [Fact]
    public async Task What_the_log_has_deleted_since_is_held_to_the_hash_and_what_is_left_to_every_line()
    {
        var workshop = LogWorkshop.Make(LogWorkshop.Small with { SegmentBytes = 32 * 1024 });
        await using var bench = new ArchiveBench(workshop);
        bench.Run();
        for (var i = 0; i < 20; i++)
        {
            bench.Append($"a{i}", $"b{i}");
            await bench.ArchivedAsync();
        }

        Assert.Equal(40, (await bench.VerifyAsync()).Partitions.Single().HeldToLog);
        Assert.InRange(await bench.Partition.TrimAsync(new RetentionLimits(Below: ulong.MaxValue)), 1ul, 40ul);
        var report = await bench.VerifyAsync();
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        Assert.InRange(report.Partitions.Single().HeldToLog, 1, 39);
        Assert.Equal(40, report.Partitions.Single().Events);
    }

    [Fact]
    public async Task What_waits_is_counted_and_is_no_fault()
    {
        await using var bench = await MakeAsync();
        bench.Append("waits");
        var report = await bench.VerifyAsync();
        Assert.True(report.IsWhole);
        Assert.Equal(1ul, report.Partitions.Single().Waiting);
    }

    /// <summary>Three objects of two events each.</summary>
    private static async Task<ArchiveBench> MakeAsync()
    {
        var bench = new ArchiveBench();
        bench.Run();
        foreach (var id in (string[])["a", "b", "c"])
        {
            bench.Append($"{id}1", $"{id}2");
            await bench.ArchivedAsync();
        }

        Assert.Equal(3, bench.Manifests().Count);
        return bench;
    }

    /// <summary>The difference is within what nothing can be held to: times, and words for people.</summary>
    private static bool IsTime(byte[] whole, byte[] flipped)
    {
        var at = whole.AsSpan().CommonPrefixLength(flipped);
        var (from, to) = (whole.AsSpan().IndexOf("\"first_logged\""u8), whole.AsSpan().IndexOf("\"gone\""u8));
        return at >= from && at < to;
    }
}
