using System.Net;
using System.Text.Json.Nodes;
using Stoker.Drills.Streams.Shared;
using Stoker.Streams.Work;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>What a stream promises, whichever log it has. The same drills for each.</summary>
public abstract class StreamConformance
{
    private const string Trigger = "CREATE TRIGGER refusing BEFORE INSERT ON drill WHEN new.id LIKE 'poison%' BEGIN SELECT raise(ABORT, 'not this one'); END";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public virtual async Task Killed_under_load_every_acknowledged_event_is_stored_once()
    {
        await using var bed = await BedAsync(4);
        await using var box = new StreamBox(change: bed.Change);
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = Gentle(box, oracle))
        {
            for (var round = 0; round < 5; round++)
            {
                // One dies while it begins.
                if (round == 3) await Task.Delay(300, Cancellation);
                else await MoreAsync(box, oracle, 20 + (round * 15));
                box.Kill();
                box.Launch();
            }

            await MoreAsync(box, oracle, 50);
            await producers.StopAsync();
            Assert.True(producers.Unanswered > 0, "no producer noticed");
            Assert.True(producers.SentAgain > 0, "nothing was sent twice");
        }

        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public virtual async Task Ended_under_load_the_next_process_stores_what_the_last_one_acknowledged()
    {
        await using var bed = await BedAsync(2);
        await using var box = new StreamBox(change: bed.Change);
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = Gentle(box, oracle))
        {
            for (var round = 0; round < 3; round++)
            {
                await MoreAsync(box, oracle, 20 + (round * 40));
                Assert.Equal(0, await box.EndAsync());
                await box.UpAsync();
            }

            await producers.StopAsync();
        }

        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public virtual async Task What_comes_again_is_one_document_also_within_a_batch_and_after_a_kill()
    {
        await using var bed = await BedAsync(3);
        await using var box = new StreamBox(change: bed.Change);
        var oracle = new Oracle();
        await box.UpAsync();
        var (a, b, c) = (oracle.Issue(), oracle.Issue(), oracle.Issue());
        await AcceptedAsync(box, oracle, a);
        await AcceptedAsync(box, oracle, a, b, a, b, b);
        await box.SettledAsync();
        Assert.Equal(2, await box.MetricAsync("stoker_stream_stored_total"));
        Assert.Equal(4, await box.MetricAsync("stoker_stream_duplicates_total"));
        box.Kill();
        await box.UpAsync();
        await AcceptedAsync(box, oracle, c, a, c);
        await box.SettledAsync();
        Assert.Equal(1, await box.MetricAsync("stoker_stream_stored_total"));
        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task Poison_first_in_the_middle_and_last_is_put_aside_and_stored_when_it_is_asked_for_again()
    {
        await using var bed = await BedAsync(2);
        await using var box = new StreamBox(change: bed.Change);
        var oracle = new Oracle();
        await box.UpAsync();
        await box.AssertHoldsAsync(oracle);
        using (var documents = box.OpenDocuments()) documents.Execute(Trigger);
        var poison = new HashSet<string>();
        for (var round = 0; round < 4; round++)
        {
            var events = Enumerable.Range(0, 9).Select(place => oracle.Issue(round == 3 || place == round * 4 ? "poison" : "good")).ToList();
            poison.UnionWith(events.Select(made => made.Id).Where(id => id.StartsWith("poison", StringComparison.Ordinal)));
            await AcceptedAsync(box, oracle, [.. events]);
        }

        await box.AssertHoldsAsync(oracle, poison);
        using var letters = box.OpenDeadLetters();
        var aside = letters.List(DeadLetterState.Waiting, int.MaxValue);
        Assert.Equal(poison.Order(), aside.Select(letter => letter.EventId).Order());
        Assert.All(aside, letter => Assert.Equal("store_refused", letter.Cause));
        var receipt = JsonNode.Parse(await box.Client.GetStringAsync($"/receipts/{aside[0].Partition}-{aside[0].Offset}"))!;
        Assert.Equal("dead_lettered", (string?)receipt["state"]);
        using (var documents = box.OpenDocuments()) documents.Execute("DROP TRIGGER refusing");
        foreach (var letter in aside) Assert.True(letters.Set(letter.Partition, letter.Offset, DeadLetterState.Retrying));
        await box.UntilAsync("all are stored", () => Task.FromResult(letters.Count() == 0));
        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task A_receipt_follows_its_event_while_the_store_is_held_up_and_events_of_one_source_stay_in_their_order()
    {
        await using var bed = await BedAsync(3);
        await using var box = new StreamBox(change: bed.Change);
        var oracle = new Oracle(sources: 1);
        await box.UpAsync();
        await AcceptedAsync(box, oracle, oracle.Issue());
        await box.SettledAsync();
        List<JsonNode> receipts;
        using (var documents = box.OpenDocuments())
        {
            documents.Execute("BEGIN IMMEDIATE");
            var events = Enumerable.Range(0, 12).Select(_ => oracle.Issue()).ToArray();
            using var answer = await box.PostAsync(events);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            foreach (var each in events) oracle.Acknowledge(each);
            receipts = [.. JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!["items"]!.AsArray().Select(item => item!["receipt"]!)];
            Assert.Single(receipts.Select(receipt => (int)receipt["partition"]!).Distinct());
            Assert.Equal(receipts.Select(receipt => (long)receipt["offset"]!).Order(), receipts.Select(receipt => (long)receipt["offset"]!));
            Assert.Equal("logged", await StateAsync(box, receipts[^1]));
            await box.UntilAsync("the lag grows", async () => (double)(await box.StatusAsync())["lag_seconds"]! > 1);
            documents.Execute("ROLLBACK");
        }

        await box.SettledAsync();
        foreach (var receipt in receipts) Assert.Equal("stored", await StateAsync(box, receipt));
        Assert.Equal(HttpStatusCode.NotFound, (await box.Client.GetAsync("/receipts/0-999999", Cancellation)).StatusCode);
        await box.AssertHoldsAsync(oracle);
    }

    private protected abstract Task<LogBed> BedAsync(int partitions);

    /// <summary>Few and small: a mock cluster forgets what is more than 5 MiB of a partition.</summary>
    private protected static Producers Gentle(StreamBox box, Oracle oracle) => new(box, oracle, count: 3, batch: 6, issue: static made => made.Issue(noise: 40), pause: TimeSpan.FromMilliseconds(20));

    private protected static async Task MoreAsync(StreamBox box, Oracle oracle, int events)
    {
        var enough = oracle.Acknowledged + events;
        await box.UntilAsync($"{events} more events are acknowledged", () => Task.FromResult(oracle.Acknowledged >= enough));
    }

    private protected static async Task AcceptedAsync(StreamBox box, Oracle oracle, params DrillEvent[] events)
    {
        using var answer = await box.PostAsync(events);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        foreach (var each in events) oracle.Acknowledge(each);
    }

    private static async Task<string?> StateAsync(StreamBox box, JsonNode receipt) => (string?)JsonNode.Parse(await box.Client.GetStringAsync($"/receipts/{receipt["id"]}", Cancellation))!["state"];
}

public sealed class EmbeddedConformance : StreamConformance
{
    private protected override Task<LogBed> BedAsync(int partitions) => Task.FromResult(LogBed.Embedded(partitions));
}

public sealed class KafkaConformance : StreamConformance
{
    [Fact]
    [Trait("Category", "Slow")]
    public override Task Killed_under_load_every_acknowledged_event_is_stored_once() => base.Killed_under_load_every_acknowledged_event_is_stored_once();

    [Fact]
    [Trait("Category", "Slow")]
    public override Task Ended_under_load_the_next_process_stores_what_the_last_one_acknowledged() => base.Ended_under_load_the_next_process_stores_what_the_last_one_acknowledged();

    [Fact]
    [Trait("Category", "Slow")]
    public override Task What_comes_again_is_one_document_also_within_a_batch_and_after_a_kill() => base.What_comes_again_is_one_document_also_within_a_batch_and_after_a_kill();

    private protected override Task<LogBed> BedAsync(int partitions) => LogBed.KafkaAsync(partitions);
}
