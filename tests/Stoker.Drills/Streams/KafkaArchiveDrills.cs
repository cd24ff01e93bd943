using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Streams.Shared;
using Stoker.Platform.Disks;
using Stoker.Streams.Archive;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>The archive of a stream on a topic, which no log of its own keeps the position of and which any process of the group may go on with. The cluster is librdkafka's mock.</summary>
public sealed class KafkaArchiveDrills : ArchiveConformance
{
    [Fact]
    public Task Killed_three_times_under_load_every_acknowledged_event_is_archived_once() => KillAsync(3);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Killed_thirty_times_under_load_every_acknowledged_event_is_archived_once() => KillAsync(30);

    [Fact]
    [Trait("Category", "Slow")]
    public override Task Whatever_S3_does_events_are_taken_and_stored_and_each_is_archived_once() => base.Whatever_S3_does_events_are_taken_and_stored_and_each_is_archived_once();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Partitions_that_go_from_process_to_process_and_one_that_was_frozen_are_archived_whole()
    {
        var directory = Directory.CreateTempSubdirectory("stoker-archive-");
        try
        {
            await using var bed = await BedAsync();
            var spec = new ArchiveSpec(directory.FullName) { EverySeconds = 1 };
            await using var first = Box(bed, spec);
            await using var second = new StreamBox(change: plan => bed.Change(plan) with { Archive = spec, Store = $"sqlite:{Path.Combine(first.Place, "documents.db")}" });
            var oracle = new Oracle(sources: 32);
            await first.UpAsync();
            await using (var producers = Load(first, oracle))
            {
                await ArchivingAsync(first);
                await second.UpAsync();
                await first.UntilAsync("each archives some", async () => Archived(await first.StatusAsync()) is > 0 and < 4 && Archived(await second.StatusAsync()) is > 0 and < 4);
                await MoreAsync(first, oracle);
                second.Signal("STOP");
                await first.UntilAsync("all are archived here", async () => Archived(await first.StatusAsync()) == 4);
                await MoreAsync(first, oracle);
                second.Signal("CONT");
                await MoreAsync(first, oracle);
                await first.UntilAsync("they are shared again", async () => Archived(await first.StatusAsync()) is > 0 and < 4 && Archived(await second.StatusAsync()) is > 0 and < 4);
                Assert.Equal(0, await second.EndAsync());
                await producers.StopAsync();
            }

            await first.AssertHoldsAsync(oracle);
            await first.UntilAsync("all are archived here", async () => Archived(await first.StatusAsync()) == 4);
            await AssertArchivedAsync(first, oracle, isEachInOne: false);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_others_put_into_the_topic_is_archived_as_it_came_and_a_receipt_tells_when()
    {
        var directory = Directory.CreateTempSubdirectory("stoker-archive-");
        try
        {
            await using var kafka = await MockKafka.StartAsync(1);
            await using var box = new StreamBox(change: plan => plan with { Partitions = 0, Log = kafka.Address, Archive = new ArchiveSpec(directory.FullName) { EverySeconds = 1 } });
            await box.UpAsync();
            await kafka.PutAsync(0, """{"gpu_hardware":{"device_name":"T4"},"embedding":[1,2,3]}""", ("ce_specversion", "1.0"), ("ce_id", "right"), ("ce_source", "/them"), ("ce_type", "gpu.facts.v1"), ("content-type", "application/json"));
            await kafka.PutAsync(0, "noise");
            using (var posted = await box.Client.PostAsync(box.Plan.Path, new StringContent("""{"metadata_id":"ours","source_uri":"s","gpu_hardware":{"device_name":"T4"}}""", Encoding.UTF8, "application/json"), Cancellation))
                Assert.Equal("0-2", (string?)JsonNode.Parse(await posted.Content.ReadAsStringAsync(Cancellation))!["receipt"]!["id"]);
            await box.UntilAsync("all are stored and archived", async () => (await box.StatusAsync())["partitions"]![0]! is var all && ((long?)all["stored"], (long?)all["archived"]) == (3, 3));
            var receipt = JsonNode.Parse(await box.Client.GetStringAsync("/receipts/0-2", Cancellation))!;
            Assert.Equal(("stored", "archived"), ((string?)receipt["state"], (string?)receipt["archive"]));
            Assert.NotNull(receipt["archived"]);
            using var store = ArchiveModule.Open(box.Plan.Archive!, Disk.Instance, static _ => null);
            var raw = (await LinesAsync(store, ArchiveSpec.Raw)).OrderBy(line => (string)line["stokerreceipt"]!, StringComparer.Ordinal).ToList();
            Assert.Equal(["right", "0-1", "ours"], raw.Select(line => (string?)line["id"]));
            Assert.Contains("noise", Encoding.UTF8.GetString(Convert.FromBase64String((string)raw[1]["data_base64"]!)), StringComparison.Ordinal);
            Assert.Equal(["ours", "right"], (await LinesAsync(store, ArchiveSpec.Enriched)).Select(line => (string?)line["metadata_id"]).Order());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private protected override Task<LogBed> BedAsync() => LogBed.KafkaAsync(4);

    /// <summary>Few and small: a mock cluster forgets what is more than 5 MiB of a partition.</summary>
    private protected override Producers Load(StreamBox box, Oracle oracle) => new(box, oracle, count: 3, batch: 6, issue: static made => made.Issue(noise: 40), pause: TimeSpan.FromMilliseconds(80));

    private static int Archived(JsonNode status) => Partitions(status).Count(each => each["archived"] is not null);
}
