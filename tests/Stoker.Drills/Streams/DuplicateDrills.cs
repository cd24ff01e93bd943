using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>Events that come again, and events that are not what they should be.</summary>
public sealed class DuplicateDrills
{
    [Fact]
    public async Task What_is_posted_again_is_one_document_also_within_a_batch_and_after_a_kill()
    {
        await using var box = new StreamBox(change: plan => plan with { Partitions = 3 });
        var oracle = new Oracle();
        await box.UpAsync();
        var (a, b, c) = (oracle.Issue(), oracle.Issue(), oracle.Issue());
        await AcceptedAsync(box, oracle, a);
        await AcceptedAsync(box, oracle, a);
        await AcceptedAsync(box, oracle, a, b, a, b, b);
        await box.SettledAsync();
        Assert.Equal(2, await box.MetricAsync("stoker_stream_stored_total"));
        Assert.Equal(5, await box.MetricAsync("stoker_stream_duplicates_total"));
        box.Kill();
        await box.UpAsync();
        await AcceptedAsync(box, oracle, a, c);
        await AcceptedAsync(box, oracle, c);
        await box.SettledAsync();
        Assert.Equal(1, await box.MetricAsync("stoker_stream_stored_total"));
        Assert.Equal(2, await box.MetricAsync("stoker_stream_duplicates_total"));
        Assert.Equal(3, await box.MetricAsync("stoker_stream_events_total"));
        // The same id of another source is another event.
        var other = new DrillEvent("drill://elsewhere", a.Id, a.Json.Replace(a.Source, "drill://elsewhere", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Accepted, (await box.PostAsync(other)).StatusCode);
        await box.SettledAsync();
        Assert.Equal(2, box.Documents().Count(document => document.Id == a.Id));
        using (var documents = box.OpenDocuments()) documents.Execute("DELETE FROM drill WHERE source = 'drill://elsewhere'");
        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task What_is_refused_is_never_stored_and_what_stands_beside_it_is()
    {
        await using var box = new StreamBox();
        var oracle = new Oracle();
        await box.UpAsync();
        for (var round = 0; round < 30; round++)
        {
            var events = Enumerable.Range(0, 9).Select(_ => oracle.Issue()).ToList();
            // First, in the middle, last, or all but one.
            bool IsBad(int place) => round % 4 == 3 ? place != 4 : place == round % 4 * 4;
            var body = string.Join('\n', events.Select((made, place) => IsBad(place) ? made.Json.Replace("\"device_name\":\"Tesla T4\",", "", StringComparison.Ordinal) : made.Json));
            using var answer = await box.Client.PostAsync(box.Plan.Path, new StringContent(body, Encoding.UTF8, "application/x-ndjson"));
            Assert.Equal(HttpStatusCode.MultiStatus, answer.StatusCode);
            var verdicts = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["items"]!.AsArray();
            for (var place = 0; place < events.Count; place++)
            {
                Assert.Equal(IsBad(place) ? "rejected" : "accepted", (string?)verdicts[place]!["status"]);
                if (IsBad(place)) oracle.Refuse(events[place]);
                else oracle.Acknowledge(events[place]);
            }

            if (round % 10 != 5) continue;
            box.Kill();
            await box.UpAsync();
        }

        await box.AssertHoldsAsync(oracle);
    }

    private static async Task AcceptedAsync(StreamBox box, Oracle oracle, params DrillEvent[] events)
    {
        using var answer = await box.PostAsync(events);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        foreach (var each in events) oracle.Acknowledge(each);
    }
}
