using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Streams.Shared;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Serving;
using Stoker.Streams.Work;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>Events that can never become documents: they are put aside with their reason, whatever stands beside them is stored.</summary>
public sealed class PoisonDrills
{
    private const string Trigger = "CREATE TRIGGER refusing BEFORE INSERT ON drill WHEN new.id LIKE 'poison%' BEGIN SELECT raise(ABORT, 'not this one'); END";

    [Fact]
    public async Task Poison_first_in_the_middle_and_last_is_put_aside_and_stored_when_it_is_asked_for_again()
    {
        await using var box = new StreamBox();
        var oracle = new Oracle();
        await box.UpAsync();
        await box.AssertHoldsAsync(oracle);
        using (var documents = box.OpenDocuments()) documents.Execute(Trigger);
        var poison = new HashSet<string>();
        for (var round = 0; round < 12; round++)
        {
            var events = Enumerable.Range(0, 9).Select(place => oracle.Issue(IsPoison(round, place) ? "poison" : "good")).ToList();
            poison.UnionWith(events.Select(made => made.Id).Where(id => id.StartsWith("poison", StringComparison.Ordinal)));
            Assert.Equal(HttpStatusCode.Accepted, (await box.PostAsync(events)).StatusCode);
            foreach (var each in events) oracle.Acknowledge(each);
            if (round % 4 != 3) continue;
            box.Kill();
            await box.UpAsync();
        }

        await box.AssertHoldsAsync(oracle, poison);
        using var letters = box.OpenDeadLetters();
        var aside = letters.List(DeadLetterState.Waiting, int.MaxValue);
        Assert.Equal(poison.Order(), aside.Select(letter => letter.EventId).Order());
        Assert.All(aside, letter => Assert.Equal("store_refused", letter.Cause));
        Assert.All(aside, letter => Assert.Contains("not this one", letter.Message, StringComparison.Ordinal));
        var receipt = JsonNode.Parse(await box.Client.GetStringAsync($"/receipts/{aside[0].Partition}-{aside[0].Offset}"))!;
        Assert.Equal("dead_lettered", (string?)receipt["state"]);

        foreach (var letter in aside.Take(2)) Assert.True(letters.Set(letter.Partition, letter.Offset, DeadLetterState.Retrying));
        // A kill between a letter and its position has counted some twice before.
        await box.UntilAsync("what is still refused waits again", () => Task.FromResult(
            letters.List(DeadLetterState.Waiting, int.MaxValue) is var waiting && waiting.Count == poison.Count
            && aside.Take(2).All(before => waiting.Single(now => (now.Partition, now.Offset) == (before.Partition, before.Offset)).Attempts == before.Attempts + 1)));
        using (var documents = box.OpenDocuments()) documents.Execute("DROP TRIGGER refusing");
        foreach (var letter in aside) Assert.True(letters.Set(letter.Partition, letter.Offset, DeadLetterState.Retrying));
        await box.UntilAsync("all are stored", () => Task.FromResult(letters.Count() == 0));
        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task What_another_version_wrote_into_the_log_is_put_aside_and_does_not_hold_up_what_follows()
    {
        await using var box = new StreamBox(change: plan => plan with { Partitions = 1 });
        var oracle = new Oracle();
        Directory.CreateDirectory(box.Place);
        var opened = StreamLog.Open(Path.Combine(box.Place, StreamProcess.LogDirectory), new LogOptions(), new Disk(), TimeProvider.System);
        using (var log = Assert.IsType<LogOpening.Opened>(opened).Log)
        {
            var inbox = new AppendInbox(() => { });
            Assert.Equal(AppendAnswer.Taken, log.Partitions[0].Append(Encoding.UTF8.GetBytes("not an envelope"), 0, 0, inbox));
        }

        await box.UpAsync();
        await box.AssertHoldsAsync(oracle, new HashSet<string> { "" });
        using var letters = box.OpenDeadLetters();
        Assert.Equal("not an envelope", Encoding.UTF8.GetString(Assert.Single(letters.List(null, 10)).Frame));
    }

    private static bool IsPoison(int round, int place) => (round % 4) switch { 0 => place == 0, 1 => place == 4, 2 => place == 8, _ => true };
}
