using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Stoker.Drills.Streams.Shared;
using Stoker.Streams.Serving;
using Stoker.Streams.Work;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>A stream on a topic, while brokers fail, processes come, go and freeze, and others write the topic too. The cluster is librdkafka's mock.</summary>
public sealed class KafkaDrills
{
    /// <summary>How long a broker, or the store, does not answer: several tries of the library, and of a worker.</summary>
    private static readonly TimeSpan AwayFor = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Brokers_that_go_and_refuse_hold_events_up_and_lose_and_double_none()
    {
        await using var kafka = await MockKafka.StartAsync();
        await using var box = BoxOf(kafka);
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = Gentle(box, oracle))
        {
            await MoreAsync(box, oracle, 30);
            await kafka.DoAsync($"error {MockKafka.Produce} {MockKafka.NotEnoughReplicas} 3");
            await kafka.DoAsync($"error {MockKafka.Produce} {MockKafka.NotLeader} 2");
            await kafka.DoAsync($"error {MockKafka.Fetch} {MockKafka.TimedOut} 3");
            await MoreAsync(box, oracle, 30);
            await kafka.DoAsync("down 1");
            await Task.Delay(AwayFor, Cancellation);
            await kafka.DoAsync("up 1");
            await MoreAsync(box, oracle, 30);
            foreach (var broker in (int[])[1, 2, 3]) await kafka.DoAsync($"down {broker}");
            // Longer than an event is waited for: what could not be sent is refused, and sent again by its producer.
            await box.UntilAsync("producers are refused", () => Task.FromResult(producers.Refused > 0));
            Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, producers.LastRefusal.Status);
            Assert.True(producers.LastRefusal.RetryAfter > TimeSpan.Zero);
            await box.UntilAsync("the status tells", async () => (await box.StatusAsync())["partitions"]!.AsArray().Any(each => (string?)each!["state"] == "unavailable"));
            foreach (var broker in (int[])[1, 2, 3]) await kafka.DoAsync($"up {broker}");
            await MoreAsync(box, oracle, 30);
            await producers.StopAsync();
        }

        await box.AssertHoldsAsync(oracle);
        Assert.True(await box.MetricAsync("stoker_stream_kafka_sent_messages_total") > 0);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Partitions_go_from_process_to_process_while_the_store_is_slow()
    {
        await using var kafka = await MockKafka.StartAsync();
        await using var first = BoxOf(kafka);
        await using var second = Beside(first);
        var oracle = new Oracle(sources: 32);
        await first.UpAsync();
        await using (var producers = Gentle(first, oracle))
        {
            await MoreAsync(first, oracle, 30);
            using (var documents = first.OpenDocuments())
            {
                documents.Execute("BEGIN IMMEDIATE");
                await second.UpAsync();
                await MoreAsync(first, oracle, 50);
                await Task.Delay(AwayFor, Cancellation);
                documents.Execute("ROLLBACK");
            }

            await first.UntilAsync("each has some", async () => Elsewhere(await first.StatusAsync()) is > 0 and < 4 && Elsewhere(await second.StatusAsync()) is > 0 and < 4);
            await MoreAsync(first, oracle, 50);
            Assert.Equal(0, await second.EndAsync());
            await first.UntilAsync("all are the first one's again", async () => Elsewhere(await first.StatusAsync()) == 0);
            await MoreAsync(first, oracle, 30);
            await producers.StopAsync();
        }

        await first.AssertHoldsAsync(oracle);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_process_that_was_frozen_and_replaced_writes_nothing_when_it_goes_on()
    {
        await using var kafka = await MockKafka.StartAsync();
        await using var frozen = BoxOf(kafka);
        await using var other = Beside(frozen);
        var oracle = new Oracle(sources: 32);
        await frozen.UpAsync();
        for (var i = 0; i < 30; i++) await AcceptedAsync(frozen, oracle, oracle.Issue(noise: 40));
        await frozen.SettledAsync();
        frozen.Signal("STOP");
        await other.UpAsync();
        await using (var producers = Gentle(other, oracle))
        {
            await MoreAsync(other, oracle, 30);
            await other.UntilAsync("all partitions are taken over", async () => Elsewhere(await other.StatusAsync()) == 0 && (double)(await other.StatusAsync())["lag_seconds"]! < 2);
            frozen.Signal("CONT");
            await MoreAsync(other, oracle, 60);
            await frozen.UntilAsync("they are shared again", async () => Elsewhere(await frozen.StatusAsync()) is > 0 and < 4 && Elsewhere(await other.StatusAsync()) is > 0 and < 4);
            await MoreAsync(other, oracle, 30);
            await producers.StopAsync();
        }

        await other.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task What_others_put_into_the_topic_is_stored_and_what_is_no_event_is_a_dead_letter()
    {
        await using var kafka = await MockKafka.StartAsync(1);
        await using var box = BoxOf(kafka);
        await box.UpAsync();
        await kafka.PutAsync(0, """{"gpu_hardware":{"device_name":"T4"},"embedding":[1,2,3]}""", ("ce_specversion", "1.0"), ("ce_id", "binary"), ("ce_source", "/them"), ("ce_type", "gpu.facts.v1"), ("content-type", "application/json"));
        await kafka.PutAsync(0, "noise");
        await kafka.PutAsync(0, """{"specversion":"1.0","id":"structured","source":"/them","type":"note","data":{"a":1}}""", ("content-type", "application/cloudevents+json"));
        await kafka.PutAsync(0, """{"gpu_hardware":{}}""", ("ce_specversion", "1.0"), ("ce_id", "wrong"), ("ce_source", "/them"), ("ce_type", "gpu.facts.v1"), ("content-type", "application/json"));
        await box.UntilAsync("all are looked at", async () => (long)(await box.StatusAsync())["partitions"]![0]!["stored"]! == 4);
        Assert.Equal(["binary", "structured"], box.Documents().Select(document => document.Id).Order());
        Assert.Equal(12, box.Documents().Single(document => document.Id == "binary").Embedding.Length);
        using var letters = box.OpenDeadLetters();
        var aside = letters.List(DeadLetterState.Waiting, 10);
        Assert.Equal([("not_an_event", 1UL), ("missing", 3UL)], aside.Select(letter => (letter.Cause, letter.Offset)));
        Assert.Contains("noise", Encoding.UTF8.GetString(aside[0].Frame), StringComparison.Ordinal);
        Assert.Equal("$.gpu_hardware.device_name", aside[1].Path);
        Assert.True(letters.Set(0, 1, DeadLetterState.Retrying));
        await box.UntilAsync("it is no event this time either", () => Task.FromResult(letters.Find(0, 1) is { State: DeadLetterState.Waiting, Attempts: 2, Cause: "not_an_event" }));
    }

    [Fact]
    public async Task Documents_are_those_of_the_embedded_log_but_for_where_they_were_logged()
    {
        await using var kafka = await MockKafka.StartAsync(1);
        await using var onKafka = BoxOf(kafka);
        await using var embedded = new StreamBox(change: plan => plan with { Partitions = 1 });
        var found = new List<List<string>>();
        foreach (var box in (StreamBox[])[embedded, onKafka])
        {
            await box.UpAsync();
            (string Type, string Body, (string, string)[] Headers)[] posts =
            [
                ("application/json", """[{"metadata_id":"a","source_uri":"s3 with blanks","gpu_hardware":{"device_name":"T4"},"embedding":[0.1,2],"time":"2026-01-01T00:00:00Z","more":[1]},{"gpu_hardware":[{"device_name":"ä"}],"source_uri":"x"}]""", []),
                ("text/plain", "ready", [("ce-specversion", "1.0"), ("ce-id", "b%20b"), ("ce-source", "/box"), ("ce-type", "log.line"), ("ce-subject", "s"), ("ce-time", "2026-01-01T00:00:00.5+01:00"), ("ce-seat", "7"), ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
                ("application/cloudevents+json", """{"specversion":"1.0","id":"c","source":"/box","type":"note","dataschema":"https://example.com/s","count":3,"last":true,"data_base64":"AAH/","datacontenttype":"application/octet-stream"}""", []),
                ("application/cloudevents+json", """{"specversion":"1.0","id":"d","source":"/box","type":"empty"}""", []),
            ];
            foreach (var (type, body, headers) in posts)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, box.Plan.Path) { Content = new StringContent(body, Encoding.UTF8, type) };
                foreach (var (name, value) in headers) request.Headers.Add(name, value);
                using var answer = await box.Client.SendAsync(request, Cancellation);
                Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
            }

            await box.SettledAsync();
            found.Add([.. box.Documents().Select(document => $"{Plain(document.Json)} {Convert.ToHexString(document.Embedding)}").Order(StringComparer.Ordinal)]);
        }

        Assert.Equal(5, found[0].Count);
        Assert.Equal(found[0], found[1]);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_topic_that_is_not_the_one_that_the_store_has_had_is_noticed()
    {
        await using var kafka = await MockKafka.StartAsync(1);
        await using var box = BoxOf(kafka);
        var oracle = new Oracle();
        await box.UpAsync();
        await AcceptedAsync(box, oracle, oracle.Issue(), oracle.Issue());
        await box.SettledAsync();
        Assert.Equal(0, await box.EndAsync());
        using (var documents = box.OpenDocuments()) documents.Execute("UPDATE stoker_positions SET hash = 12345");
        await box.UpAsync();
        await AcceptedAsync(box, oracle, oracle.Issue());
        await box.UntilAsync("it is told", async () => ((string?)(await box.StatusAsync())["partitions"]![0]!["problem"])?.Contains("event 1 of the topic is not the one", StringComparison.Ordinal) == true);
        Assert.Equal(2, box.Documents().Count);
        Assert.Equal(0, await box.EndAsync());
        using (var documents = box.OpenDocuments()) documents.Execute("UPDATE stoker_positions SET next = 1000");
        await box.UpAsync();
        await box.UntilAsync("it is told", async () => ((string?)(await box.StatusAsync())["partitions"]![0]!["problem"])?.Contains("it is not the topic that it was", StringComparison.Ordinal) == true);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_stream_that_is_ended_while_no_broker_answers_ends_all_the_same()
    {
        await using var kafka = await MockKafka.StartAsync(1);
        await using var box = BoxOf(kafka);
        var oracle = new Oracle();
        await box.UpAsync();
        await AcceptedAsync(box, oracle, oracle.Issue());
        await box.SettledAsync();
        foreach (var broker in (int[])[1, 2, 3]) await kafka.DoAsync($"down {broker}");
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, await box.EndAsync());
        Assert.True(clock.Elapsed < StreamProcess.DrainTime, $"{clock.Elapsed}");
        foreach (var broker in (int[])[1, 2, 3]) await kafka.DoAsync($"up {broker}");
        await box.UpAsync();
        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_producer_that_can_never_go_on_ends_the_process_and_the_next_one_takes_events()
    {
        const int beginProducer = 22, notAuthorized = 31;
        await using var kafka = await MockKafka.StartAsync(1);
        await using var box = BoxOf(kafka);
        var oracle = new Oracle();
        await kafka.DoAsync($"error {beginProducer} {notAuthorized} 1");
        var process = box.Launch();
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("error: the log failed", box.Said, StringComparison.Ordinal);
        await box.UpAsync();
        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task Where_the_library_is_not_installed_it_is_said_which_package_has_it()
    {
        await using var kafka = await MockKafka.StartAsync(1);
        await using var box = BoxOf(kafka);
        var library = new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib" }.Select(directory => Path.Combine(directory, "librdkafka.so.1")).First(File.Exists);
        using var hidden = Process.Start(new ProcessStartInfo("unshare", ["--mount", "sh", "-c", $"mount --bind /dev/null {library} && exec \"$0\" stream-run --state {box.State} --stream {StreamBox.Name}", Machine.Program]) { RedirectStandardError = true })!;
        var said = await hidden.StandardError.ReadToEndAsync(Cancellation);
        await hidden.WaitForExitAsync(Cancellation);
        Assert.SkipWhen(said.StartsWith("unshare", StringComparison.Ordinal) || said.StartsWith("mount", StringComparison.Ordinal), $"a mount namespace of its own is not to be had: {said}");
        Assert.Equal(1, hidden.ExitCode);
        Assert.Contains("librdkafka1", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_stream_that_cannot_have_its_topic_says_why_and_ends()
    {
        await using var kafka = await MockKafka.StartAsync(2);
        await RefusedAsync(kafka.Address.Replace("/drill", "/other", StringComparison.Ordinal), 0, "there is no topic `other`");
        await RefusedAsync(kafka.Address, 3, "has 2 partitions and the file wants 3");
        await RefusedAsync($"kafka://127.0.0.1:{FreePorts.Take()}/drill", 0, "no broker of 127.0.0.1:");
    }

    private static async Task RefusedAsync(string address, int partitions, string why)
    {
        await using var box = new StreamBox(change: plan => plan with { Partitions = partitions, Log = address });
        var process = box.Launch();
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(1, process.ExitCode);
        Assert.Contains(why, box.Said, StringComparison.Ordinal);
    }

    private static StreamBox BoxOf(MockKafka kafka) => new(change: plan => plan with { Partitions = 0, Log = kafka.Address });

    /// <summary>Another process of the same stream, with its own state and the same documents.</summary>
    private static StreamBox Beside(StreamBox box) => new(change: plan => plan with { Partitions = 0, Log = box.Plan.Log, Store = $"sqlite:{Path.Combine(box.Place, "documents.db")}" });

    private static int Elsewhere(JsonNode status) => status["partitions"]!.AsArray().Count(each => (string?)each!["state"] == "stored_elsewhere");

    private static string Plain(string json)
    {
        var document = JsonNode.Parse(json)!.AsObject();
        var received = (string?)document["received"];
        document.Remove("received");
        if ((string?)document["time"] == received) document.Remove("time");
        document["lineage"]!.AsObject().Remove("log");
        return document.ToJsonString();
    }

    private static Producers Gentle(StreamBox box, Oracle oracle) => new(box, oracle, count: 3, batch: 6, issue: static made => made.Issue(noise: 40), pause: TimeSpan.FromMilliseconds(20));

    private static async Task MoreAsync(StreamBox box, Oracle oracle, int events)
    {
        var enough = oracle.Acknowledged + events;
        await box.UntilAsync($"{events} more events are acknowledged", () => Task.FromResult(oracle.Acknowledged >= enough));
    }

    private static async Task AcceptedAsync(StreamBox box, Oracle oracle, params DrillEvent[] events)
    {
        using var answer = await box.PostAsync(events);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
        foreach (var each in events) oracle.Acknowledge(each);
    }
}
