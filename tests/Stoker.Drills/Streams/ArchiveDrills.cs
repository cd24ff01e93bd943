using System.IO.Compression;
using System.Text.Json.Nodes;
using Stoker.Drills.Streams.Shared;
using Stoker.Platform.Disks;
using Stoker.Streams.Archive;
using Stoker.Streams.Serving;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>
/// The archive of a stream's real process, in a directory and on a real S3 server, which are away, slow and cut off while the process is killed: every acknowledged event is in
/// one object. The same drills for each log.
/// </summary>
public abstract class ArchiveConformance
{
    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public virtual async Task Whatever_S3_does_events_are_taken_and_stored_and_each_is_archived_once()
    {
        using var server = await S3Server.StartAsync();
        using var relay = new CuttingRelay(server.Port);
        await using var bed = await BedAsync();
        await using var box = Box(bed, new ArchiveSpec($"s3://{S3Server.Bucket}/ca4") { Endpoint = $"http://127.0.0.1:{relay.Port}", EverySeconds = 1 });
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = Load(box, oracle))
        {
            await ArchivingAsync(box);
            server.Kill();
            await TroubledAsync(box, oracle, "cannot be reached");
            // Nor does it need the archive to begin.
            box.Kill();
            await box.UpAsync();
            await TroubledAsync(box, oracle, "cannot be reached");
            await server.UpAsync();
            await ArchivingAsync(box);

            relay.Hold();
            await LagsAsync(box);
            await MoreAsync(box, oracle);
            // Between an object and the position, with the answer on its way.
            box.Kill();
            relay.Release();
            await box.UpAsync();
            await ArchivingAsync(box);

            for (var cut = 0; cut < 4; cut++)
            {
                relay.CutsAnswer = true;
                await box.UntilAsync("an answer is cut off", () => Task.FromResult(!relay.CutsAnswer));
                await ArchivingAsync(box);
            }

            await producers.StopAsync();
        }

        Assert.Contains("are not archived", box.Said, StringComparison.Ordinal);
        Assert.Contains("are archived again", box.Said, StringComparison.Ordinal);
        await box.AssertHoldsAsync(oracle);
        await AssertArchivedAsync(box, oracle);
    }

    private protected async Task KillAsync(int rounds)
    {
        var directory = Directory.CreateTempSubdirectory("stoker-archive-");
        try
        {
            await using var bed = await BedAsync();
            await using var box = Box(bed, new ArchiveSpec(directory.FullName) { EverySeconds = 1, Bytes = 20_000 });
            var oracle = new Oracle();
            await box.UpAsync();
            await using (var producers = Load(box, oracle))
            {
                for (var round = 0; round < rounds; round++)
                {
                    if (round % 3 == 2) await Task.Delay(round * 37 % 400, Cancellation);
                    else await MoreAsync(box, oracle, 1 + (round * 37 % 400));
                    box.Kill();
                    box.Launch();
                }

                await MoreAsync(box, oracle);
                await producers.StopAsync();
            }

            await box.AssertHoldsAsync(oracle);
            await AssertArchivedAsync(box, oracle);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private protected abstract Task<LogBed> BedAsync();

    private protected virtual Producers Load(StreamBox box, Oracle oracle) => new(box, oracle, count: 4, batch: 10);

    private protected static StreamBox Box(LogBed bed, ArchiveSpec archive, string id = S3Server.Key, string secret = S3Server.Key)
    {
        var box = new StreamBox(change: plan => bed.Change(plan) with { Archive = archive });
        (box.Variables["AWS_ACCESS_KEY_ID"], box.Variables["AWS_SECRET_ACCESS_KEY"]) = (id, secret);
        return box;
    }

    /// <summary>All of the log is archived; every acknowledged event is a raw line once for each time that the log took it, and a document; and the program's own proof says so.</summary>
    /// <param name="isEachInOne">False: a process that was frozen may have put some once more.</param>
    private protected static async Task AssertArchivedAsync(StreamBox box, Oracle oracle, bool isEachInOne = true)
    {
        await box.UntilAsync("all of the log is archived", async () => Partitions(await box.StatusAsync()).All(p => (long)p["next"]! == (long?)p["archived"]));
        using var store = ArchiveModule.Open(box.Plan.Archive!, Disk.Instance, name => box.Variables.GetValueOrDefault(name));
        using var log = LogOpener.Look(box.Plan, Path.Combine(box.Place, "log"), static _ => null, TimeProvider.System, static _ => { });
        var report = await new ArchiveVerifier(store, StreamBox.Name, log, static _ => { }).RunAsync(Cancellation);
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        Assert.Equal(report.Partitions.Sum(run => run.Events), report.Partitions.Sum(run => run.HeldToLog));
        var logged = Partitions(await box.StatusAsync()).Sum(p => (long)p["next"]!);
        var raw = await LinesAsync(store, ArchiveSpec.Raw);
        Assert.Equal(logged, raw.Select(line => (string)line["stokerreceipt"]!).Distinct().Count());
        if (isEachInOne) Assert.Equal((logged, logged), (report.Partitions.Sum(run => run.Events), raw.Count));
        var archived = raw.Select(line => ((string)line["source"]!, (string)line["id"]!)).ToHashSet();
        Assert.Empty(oracle.AcknowledgedKeys.Except(archived).Take(5));
        var enriched = await LinesAsync(store, ArchiveSpec.Enriched);
        var documents = enriched.GroupBy(line => (string)line["_id"]!).Select(same => same.First()).Select(line => new StoredEvent(
            (string)line["source"]!, (string)line["metadata_id"]!, line.ToJsonString(), Convert.FromBase64String((string)line["embedding"]!))).ToList();
        oracle.AssertHolds(documents);
    }

    private protected static async Task<List<JsonNode>> LinesAsync(IArchiveStore store, string what)
    {
        var lines = new List<JsonNode>();
        await foreach (var name in store.ListAsync($"{StreamBox.Name}/{what}/", Cancellation))
        {
            await using var stream = await store.ReadAsync(name, Cancellation);
            using var reader = new StreamReader(new GZipStream(stream!, CompressionMode.Decompress));
            while (await reader.ReadLineAsync(Cancellation) is { } line) lines.Add(JsonNode.Parse(line)!);
        }

        return lines;
    }

    private static async Task TroubledAsync(StreamBox box, Oracle oracle, string expected)
    {
        await box.UntilAsync("the status tells of the outage", async () => Problems(await box.StatusAsync()).Any(problem => problem.Contains(expected, StringComparison.Ordinal)));
        await MoreAsync(box, oracle);
        await LagsAsync(box);
        // What the store has is not held up by it.
        await box.CaughtUpAsync("stored", "problem");
    }

    private static Task LagsAsync(StreamBox box) => box.UntilAsync("the archive's lag grows", async () => Partitions(await box.StatusAsync()).Any(p => (double?)p["archive_lag_seconds"] > 2));

    private protected static Task ArchivingAsync(StreamBox box) => box.CaughtUpAsync("archived", "archive_problem");

    private protected static IEnumerable<JsonNode> Partitions(JsonNode status) => status["partitions"]!.AsArray().Select(p => p!);

    private protected static IEnumerable<string> Problems(JsonNode status) => Partitions(status).Select(p => (string?)p["archive_problem"]).OfType<string>();

    private protected static async Task MoreAsync(StreamBox box, Oracle oracle, int events = 100)
    {
        var enough = oracle.Acknowledged + events;
        await box.UntilAsync("events are acknowledged", () => Task.FromResult(oracle.Acknowledged >= enough));
    }
}

public sealed class ArchiveDrills : ArchiveConformance
{
    [Fact]
    public Task Killed_twenty_times_under_load_every_acknowledged_event_is_archived_once() => KillAsync(20);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Killed_five_hundred_times_under_load_every_acknowledged_event_is_archived_once() => KillAsync(500);

    // A wrong secret is none for s3rver, which does not check signatures of version 4.
    [Theory]
    [InlineData("AKIAWRONG", S3Server.Key, "does not know the access key in `AWS_ACCESS_KEY_ID`")]
    [InlineData(S3Server.Key, "", "the variable `AWS_SECRET_ACCESS_KEY`, which is to hold the secret key")]
    public async Task Wrong_keys_are_told_in_words_and_hold_nothing_else_up(string id, string secret, string expected)
    {
        using var server = await S3Server.StartAsync();
        await using var bed = await BedAsync();
        await using var box = Box(bed, new ArchiveSpec($"s3://{S3Server.Bucket}") { Endpoint = $"http://127.0.0.1:{server.Port}", EverySeconds = 1 }, id, secret);
        await box.UpAsync();
        var oracle = new Oracle();
        var sent = oracle.Issue();
        await box.UntilAsync("it is taken", async () => (await box.PostAsync(sent)).IsSuccessStatusCode);
        oracle.Acknowledge(sent);
        await box.UntilAsync("the status tells of the keys", async () => Problems(await box.StatusAsync()).Any(problem => problem.Contains(expected, StringComparison.Ordinal)));
        Assert.DoesNotContain(S3Server.Key, box.Said, StringComparison.Ordinal);
        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_told_and_archived_to_when_it_is_made()
    {
        using var server = await S3Server.StartAsync();
        await using var bed = await BedAsync();
        await using var box = Box(bed, new ArchiveSpec("s3://nowhere") { Endpoint = $"http://127.0.0.1:{server.Port}", EverySeconds = 1 });
        await box.UpAsync();
        await box.UntilAsync("it is taken", async () => (await box.PostAsync(new Oracle().Issue())).IsSuccessStatusCode);
        await box.UntilAsync("the status tells of the bucket", async () => Problems(await box.StatusAsync()).Any(problem => problem.Contains("make the bucket first", StringComparison.Ordinal)));
    }

    private protected override Task<LogBed> BedAsync() => Task.FromResult(LogBed.Embedded(2));
}
