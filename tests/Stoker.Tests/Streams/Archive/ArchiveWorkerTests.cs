using System.Text;
using System.Text.Json;
using Stoker.Streams.Archive;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Opening;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

/// <summary>What the archive's worker does with what the log has and the archive answers.</summary>
public sealed class ArchiveWorkerTests
{
    [Fact]
    public async Task Events_become_lines_raw_and_enriched_under_names_of_their_first_offset()
    {
        await using var bench = new ArchiveBench();
        bench.Append("a", "b");
        bench.Run();
        await bench.ArchivedAsync();
        bench.Append("c");
        await bench.ArchivedAsync();
        var folder = $"log={bench.Partition.Log}/partition=0/date=2026-11-21";
        Assert.Equal(
            [$"/data/archive/frames/raw/{folder}/00000000000000000000.ndjson.gz", $"/data/archive/frames/raw/{folder}/00000000000000000002.ndjson.gz"], bench.Names(ArchiveSpec.Raw));
        Assert.Equal(["a", "b", "c"], bench.Ids(ArchiveSpec.Raw));
        Assert.Equal(["a", "b", "c"], bench.Ids(ArchiveSpec.Enriched));
        Assert.Equal("box-1", JsonDocument.Parse(bench.Lines(ArchiveSpec.Enriched)[0]).RootElement.GetProperty("enrichment").GetProperty("host").GetString());
        Assert.Equal(2, JsonDocument.Parse(bench.Lines(ArchiveSpec.Enriched)[2]).RootElement.GetProperty("lineage").GetProperty("offset").GetInt64());
        Assert.Equal((3ul, bench.Partition.End.Hash, true), (bench.Kept.Next, bench.Kept.Hash, bench.Kept.Required));
        Assert.Equal((3, 4), (bench.Worker.Progress.Events, bench.Worker.Progress.Objects));
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task Objects_go_before_their_manifest_and_the_manifest_before_the_position()
    {
        await using var bench = new ArchiveBench();
        var positions = new List<ulong>();
        bench.Store.Before = (_, _) =>
        {
            positions.Add(bench.Kept.Next);
            return null;
        };
        bench.Append("a");
        bench.Run();
        await bench.ArchivedAsync();
        Assert.Equal(["raw", "enriched", "manifest"], bench.Store.Puts.Select(name => name.Split('/')[1]));
        Assert.Equal([0ul, 0, 0], positions);
    }

    [Fact]
    public async Task In_an_outage_the_lag_grows_retention_waits_and_the_same_is_put_when_it_is_over()
    {
        await using var bench = new ArchiveBench();
        var isAway = true;
        bench.Store.Before = (_, _) => Volatile.Read(ref isAway) ? new ArchiveUnavailableException("nobody there") : null;
        bench.Append("a", "b");
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress is { Problem: "nobody there", Failures: >= 5 }, timePasses: true);
        Assert.True(bench.Worker.LagSeconds >= 60, $"{bench.Worker.LagSeconds}");
        Assert.Equal(0ul, bench.Worker.Progress.Next);
        Assert.Equal(0ul, await bench.Partition.TrimAsync(new RetentionLimits(Below: ulong.MaxValue)));
        bench.Append("c");
        Volatile.Write(ref isAway, false);
        await bench.ArchivedAsync();
        Assert.Equal(["a", "b", "c"], bench.Ids(ArchiveSpec.Raw));
        Assert.Null(bench.Worker.Progress.Problem);
        Assert.Equal(0, bench.Worker.LagSeconds);
        Assert.Single(bench.Said, line => line.Contains("nobody there", StringComparison.Ordinal));
        Assert.Single(bench.Said, line => line.Contains("archived again", StringComparison.Ordinal));
        await bench.AssertWholeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Ended_between_an_object_and_the_position_the_next_process_writes_over_what_is_there(int call)
    {
        await using var bench = new ArchiveBench();
        // It was put, and the process is about to end before it knows.
        bench.Store.After = (number, _) => number >= call ? new ArchiveUnavailableException("cut off") : null;
        bench.Append("a", "b");
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Failures > 0, timePasses: true);
        await bench.StopAsync();
        Assert.Equal(0ul, bench.Kept.Next);
        Assert.NotEmpty(bench.Names(ArchiveSpec.Raw));
        bench.Store.After = null;
        bench.Append("c");
        await bench.AgainAsync();
        await bench.ArchivedAsync();
        Assert.Equal(["a", "b", "c"], bench.Ids(ArchiveSpec.Raw));
        Assert.Equal(["a", "b", "c"], bench.Ids(ArchiveSpec.Enriched));
        Assert.Single(bench.Manifests());
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task What_was_not_closed_when_the_process_ended_is_gathered_anew()
    {
        await using var bench = new ArchiveBench();
        bench.Append("a");
        bench.Run();
        await bench.ArchivedAsync();
        bench.Append("b");
        await bench.UntilAsync(() => bench.Worker.LagSeconds >= 10, timePasses: true);
        await bench.AgainAsync();
        Assert.Equal(1ul, bench.Kept.Next);
        bench.Append("c");
        await bench.ArchivedAsync();
        Assert.Equal(["a", "b", "c"], bench.Ids(ArchiveSpec.Raw));
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task An_object_is_closed_when_it_is_full_and_a_log_that_is_behind_is_not_cut_by_age()
    {
        var workshop = LogWorkshop.Make();
        var random = new Random(7);
        for (var i = 0; i < 200; i++)
        {
            var noise = new byte[2000];
            random.NextBytes(noise);
            ArchiveBench.Append(workshop.Partition, $"e{i}", "application/octet-stream", noise, ArchiveBench.Start - TimeSpan.FromHours(1) + TimeSpan.FromSeconds(i));
        }

        await using var bench = new ArchiveBench(workshop, new ArchiveSpec(ArchiveBench.Root) { EverySeconds = 1, Bytes = 64 << 10 });
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Next >= 150);
        Assert.InRange(bench.Manifests().Count, 4, 12);
        await bench.ArchivedAsync();
        Assert.Equal(200, bench.Lines(ArchiveSpec.Raw).Count);
        Assert.All(bench.Manifests().Take(4).SelectMany(each => each.Objects).Where(made => made.What == ArchiveSpec.Raw), made => Assert.InRange(made.Bytes, 60 << 10, 200 << 10));
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task With_events_without_a_pause_an_object_is_closed_by_its_age_all_the_same()
    {
        await using var bench = new ArchiveBench();
        bench.Run();
        var events = 0;
        await bench.UntilAsync(() =>
        {
            // They come until two objects are closed: how soon the worker sees them is the machine's affair.
            bench.Append($"e{events++}");
            bench.Time.Advance(TimeSpan.FromSeconds(5));
            return bench.Manifests().Count >= 2;
        });
        Assert.InRange(events, bench.Spec.EverySeconds / 5, int.MaxValue);
        Assert.All(bench.Manifests(), each => Assert.InRange(each.Events, 2, events));
    }

    [Fact]
    public async Task A_day_has_objects_of_its_own()
    {
        await using var bench = new ArchiveBench(spec: new ArchiveSpec(ArchiveBench.Root) { EverySeconds = 100_000 });
        bench.Time.Advance(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1));
        bench.Append("before");
        bench.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Append("after");
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 1);
        Assert.Contains("date=2026-11-21", Assert.Single(bench.Names(ArchiveSpec.Raw)), StringComparison.Ordinal);
        bench.Time.Advance(TimeSpan.FromDays(2));
        await bench.ArchivedAsync();
        Assert.Contains("date=2026-11-22", bench.Names(ArchiveSpec.Raw)[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_makes_no_document_is_among_the_raw_lines_and_named_in_the_manifest()
    {
        await using var bench = new ArchiveBench();
        LogWorkshop.Append(bench.Partition, Encoding.UTF8.GetBytes("no envelope"), LogModule.MicrosecondsOf(ArchiveBench.Start));
        bench.Append("a");
        bench.AppendData("broken1", "application/json", "{");
        bench.AppendData("broken2", "application/json", "{");
        bench.Append("b");
        bench.Run();
        await bench.ArchivedAsync();
        Assert.Equal(["0-0", "a", "broken1", "broken2", "b"], bench.Ids(ArchiveSpec.Raw));
        Assert.Equal(["a", "b"], bench.Ids(ArchiveSpec.Enriched));
        Assert.Equal([(0ul, 1ul, "other_version"), (2, 4, "not_json")], Assert.Single(bench.Manifests()).NoDocument.Select(each => (each.From, each.To, each.Cause)));
        Assert.Equal("no envelope", Encoding.UTF8.GetString(JsonDocument.Parse(bench.Lines(ArchiveSpec.Raw)[0]).RootElement.GetProperty("data_base64").GetBytesFromBase64()));
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task Only_what_is_declared_is_kept()
    {
        await using var bench = new ArchiveBench(spec: new ArchiveSpec(ArchiveBench.Root) { EverySeconds = 10, What = [ArchiveSpec.Enriched] });
        bench.Append("a");
        bench.Run();
        await bench.ArchivedAsync();
        Assert.Empty(bench.Workshop.Disk.Files($"{ArchiveBench.Root}/{ArchiveBench.Stream}/raw"));
        Assert.Equal(["a"], bench.Ids(ArchiveSpec.Enriched));
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task A_gap_stands_in_the_manifest_of_the_events_behind_it()
    {
        var workshop = LogWorkshop.Make();
        foreach (var id in (string[])["a", "b", "c"]) ArchiveBench.Append(workshop.Partition, id, "application/json", "{}"u8.ToArray(), ArchiveBench.Start);
        workshop.Close();
        var file = workshop.Files()[0];
        var content = workshop.Disk.Content(file);
        content[(2 * 4096) + 100] ^= 1;
        workshop.Disk.SetContent(file, content);
        LogQuarantine.Run(workshop.Disk, LogWorkshop.Root, LogWorkshop.Small);
        workshop.OpenWhole();
        await using var bench = new ArchiveBench(workshop);
        bench.Run();
        await bench.ArchivedAsync();
        Assert.Equal(["a", "c"], bench.Ids(ArchiveSpec.Raw));
        Assert.Equal([(1ul, 2ul, "damaged")], bench.Manifests().SelectMany(each => each.Gone).Select(gone => (gone.From, gone.To, gone.Why)));
        Assert.Contains(bench.Said, line => line.Contains("events 1 to 1 of partition 0 were damaged", StringComparison.Ordinal));
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task Damage_is_told_and_passed_by_nobody_and_what_is_before_it_is_archived()
    {
        await using var bench = new ArchiveBench();
        bench.Append("a", "b", "c");
        var file = bench.Workshop.Files()[0];
        var content = bench.Workshop.Disk.Content(file);
        content[(2 * 4096) + 100] ^= 1;
        bench.Workshop.Disk.SetContent(file, content);
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Problem?.Contains("damaged", StringComparison.Ordinal) == true, timePasses: true);
        Assert.Equal(["a"], bench.Ids(ArchiveSpec.Raw));
        Assert.Equal(1ul, bench.Kept.Next);
    }

    [Fact]
    public async Task A_position_that_is_lost_is_found_again_in_the_archive()
    {
        await using var bench = new ArchiveBench();
        bench.Append("a", "b");
        bench.Run();
        await bench.ArchivedAsync();
        await bench.StopAsync();
        bench.Workshop.Close();
        bench.Workshop.Disk.Remove($"{LogWorkshop.Root}/0/archive.position");
        bench.Workshop.OpenWhole();
        bench.Append("c");
        await bench.AgainAsync();
        await bench.ArchivedAsync();
        Assert.Equal(["a", "b", "c"], bench.Ids(ArchiveSpec.Raw));
        Assert.Equal([0ul, 2], bench.Manifests().Select(each => each.FirstOffset));
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task A_log_that_was_begun_anew_writes_over_nothing_of_the_last_one()
    {
        await using var first = new ArchiveBench();
        first.Append("a", "b");
        first.Run();
        await first.ArchivedAsync();
        await first.StopAsync();
        first.Workshop.Close();
        first.Workshop.Disk.Rename(LogWorkshop.Root, "/data/old");
        first.Workshop.OpenWhole();
        first.Append("x");
        await first.AgainAsync();
        await first.ArchivedAsync();
        Assert.Equal(["a", "b", "x"], first.Ids(ArchiveSpec.Raw).Order());
        var report = await first.VerifyAsync();
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        Assert.Equal([(false, 2L), (true, 1L)], report.Partitions.Select(each => (each.IsOurs, each.Events)).Order());
    }

    [Fact]
    public async Task Without_an_archive_retention_waits_for_none_any_more()
    {
        var workshop = LogWorkshop.Make(LogWorkshop.Small with { SegmentBytes = 32 * 1024 });
        await using var bench = new ArchiveBench(workshop);
        bench.Store.Before = (_, _) => new ArchiveUnavailableException("away");
        for (var i = 0; i < 40; i++) bench.Append($"e{i}");
        bench.Run();
        await bench.UntilAsync(() => bench.Kept.Required);
        await bench.StopAsync();
        Assert.Equal(0ul, await bench.Partition.TrimAsync(new RetentionLimits(Below: ulong.MaxValue)));
        StreamArchive.Release(bench.Workshop.Log!);
        Assert.InRange(await bench.Partition.TrimAsync(new RetentionLimits(Below: ulong.MaxValue)), 1ul, 40ul);

        // Declared again: what is deleted is told, and stands in the manifest.
        bench.Store.Before = null;
        await bench.AgainAsync();
        await bench.ArchivedAsync();
        Assert.Equal((0ul, bench.Partition.BeginOffset, "deleted"), bench.Manifests()[0].Gone.Select(gone => (gone.From, gone.To, gone.Why)).Single());
        await bench.AssertWholeAsync();
    }

    [Fact]
    public async Task Events_of_a_mebibyte_are_lines_like_others()
    {
        var workshop = LogWorkshop.Make(LogWorkshop.Small with { SegmentBytes = 16 << 20, BatchBytes = 2 << 20 });
        await using var bench = new ArchiveBench(workshop, new ArchiveSpec(ArchiveBench.Root) { EverySeconds = 10 });
        var data = $"{{\"noise\":\"{new string('x', 1 << 20)}\"}}";
        for (var i = 0; i < 24; i++) bench.AppendData($"e{i}", "application/json", data);
        bench.Run();
        await bench.ArchivedAsync();
        Assert.Equal(24, bench.Lines(ArchiveSpec.Raw).Count(line => line.Length > 1 << 20));
        await bench.AssertWholeAsync();
    }
}
