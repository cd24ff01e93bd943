using System.Text;
using System.Text.Json;
using Stoker.Http;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Stoker.Streams.Schemas;
using Xunit;

namespace Stoker.Tests.Streams.Ingest;

public sealed class IngestReaderTests
{
    private const string Facts = """{"gpu_hardware": {"device_name": "T4"}}""";

    [Fact]
    public void A_document_that_is_sent_again_has_the_same_identity_and_another_one_has_not()
    {
        var door = new Door();
        var first = Id(door.Post("application/json", Facts));
        Assert.Equal(first, Id(door.Post("application/json", $" {Facts}\n")));
        Assert.Equal(first, Id(door.Post("application/x-ndjson", $"{Facts}\n")));
        Assert.NotEqual(first, Id(door.Post("application/json", Facts.Replace("T4", "T5", StringComparison.Ordinal))));
        Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", first);
    }

    [Fact]
    public void A_key_in_a_store_tells_source_and_id_apart()
    {
        var (left, right) = (new byte[EventIdentity.Length], new byte[EventIdentity.Length]);
        EventIdentity.OfEvent("ab"u8, "c"u8, left);
        EventIdentity.OfEvent("a"u8, "bc"u8, right);
        Assert.NotEqual(left, right);
    }

    [Fact]
    public void The_keys_of_an_id_stand_together_whatever_its_source()
    {
        Span<byte> text = stackalloc byte[EventIdentity.Length];
        var keys = new SortedDictionary<Guid, string>();
        foreach (var id in (string[])["a", "b", "frame-1", "frame-2", "é"])
        {
            var (first, last) = EventIdentity.KeysOf(id);
            foreach (var source in (string[])["s3://one", "s3://two", ""])
            {
                EventIdentity.OfEvent(Encoding.UTF8.GetBytes(source), Encoding.UTF8.GetBytes(id), text);
                var key = Guid.Parse(text);
                Assert.Equal(8, key.Version);
                Assert.InRange(key, first, last);
                keys.Add(key, id);
            }
        }

        Assert.Equal(5, keys.Values.Zip(keys.Values.Skip(1)).Count(pair => pair.First != pair.Second) + 1);
    }

    [Fact]
    public void What_a_stream_asks_for_is_asked_of_every_document()
    {
        var door = new Door(new IngestSpec { Required = ["embedding", "source_uri"], Embedding = new VectorSpec { Dimension = 3 } });
        Assert.Equal(["$.embedding missing", "$.source_uri missing"], Mistakes(door.Post("application/json", Facts)));
        Assert.Equal(["$.embedding dimension"], Mistakes(door.Post("application/json", """{"gpu_hardware": {"device_name": "T4"}, "source_uri": "s", "embedding": [1, 2]}""")));
    }

    [Fact]
    public void A_declared_type_is_held_to_its_schema_and_only_declared_ones_are_taken()
    {
        var schema = JsonSchema.Read("""{"type": "object", "required": ["line"], "additionalProperties": false, "properties": {"line": {"type": "string"}, "embedding": true}}"""u8.ToArray()).Schema;
        var door = new Door(new IngestSpec { Types = [new EventTypeSpec("log.line.v1", schema, new VectorSpec { Dimension = 2 })], OnlyDeclaredTypes = true });
        Assert.Equal(202, door.Post("application/cloudevents+json", Event("log.line.v1", """{"line": "x", "embedding": [1, 2]}""")).Status);
        Assert.Equal(["$.data.lime unknown_field", "$.data.line missing", "$.data.embedding dimension"], Mistakes(door.Post("application/cloudevents+json", Event("log.line.v1", """{"lime": "x", "embedding": [1]}"""))));
        Assert.Equal(["$.type unknown_type"], Mistakes(door.Post("application/cloudevents+json", Event("other", "{}"))));
        Assert.Equal(202, door.Post("application/json", Facts).Status);
    }

    [Fact]
    public void Metadata_may_have_another_type_with_another_schema()
    {
        var schema = JsonSchema.Read("""{"required": ["camera"]}"""u8.ToArray()).Schema;
        var door = new Door(new IngestSpec { MetadataType = "image.v2", Types = [new EventTypeSpec("image.v2", schema)] });
        Assert.Equal(["$.camera missing"], Mistakes(door.Post("application/json", """{"embedding": [1]}""")));
        Assert.Equal(["$.metadata_id wrong_type", "$.time not_a_time"], Mistakes(door.Post("application/json", """{"camera": 1, "metadata_id": 5, "time": "noon"}""")));
        Assert.Contains("type: image.v2", door.Post("application/json", """{"camera": 1, "embedding": [1]}""").Logged[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_are_held_and_events_of_64_KiB_are_within_them()
    {
        Assert.True(new IngestSpec().MaxEvent >= 64 * 1024);
        var door = new Door(new IngestSpec { MaxEvent = 100, MaxBatch = 2 });
        var large = Facts[..^1] + $", \"camera\": \"{new string('x', 100)}\"}}";
        Assert.Equal((413, "too_large"), (door.Post("application/json", large).Status, Code(door.Post("application/json", large))));
        Assert.Equal(207, door.Post("application/json", $"[{Facts}, {large}]").Status);
        Assert.Equal((413, "batch_too_long"), (door.Post("application/json", $"[{Facts}, {Facts}, {Facts}]").Status, Code(door.Post("application/json", $"[{Facts}, {Facts}, {Facts}]"))));
        Assert.Equal(413, door.Post("application/x-ndjson", $"{Facts}\n{Facts}\n{Facts}").Status);
    }

    [Fact]
    public void What_is_very_deep_is_answered_whatever_looks_at_it()
    {
        var schema = JsonSchema.Read("""{"$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}, "uniqueItems": true}}, "$ref": "#/$defs/n"}"""u8.ToArray()).Schema;
        var door = new Door(new IngestSpec { MetadataType = "deep", Types = [new EventTypeSpec("deep", schema)] });
        var deep = $"{string.Concat(Enumerable.Repeat("{\"n\": ", 4000))}[[1], [1]]{new string('}', 4000)}";
        Assert.Equal((422, "too_deep"), (door.Post("application/json", deep).Status, Code(door.Post("application/json", deep))));
        Assert.Equal("too_deep", Code(door.Post("application/cloudevents+json", Event("deep", deep))));
        Assert.Equal(400, door.Post("application/json", string.Concat(Enumerable.Repeat("{\"n\": ", 100_000))).Status);
    }

    [Fact]
    public void Of_very_many_mistakes_the_first_are_told_and_the_others_counted()
    {
        var answer = new Door().Post("application/json", $$"""{"gpu_hardware": {"device_name": "T4"}, "embedding": [{{string.Join(',', Enumerable.Repeat("null", 768))}}] }""");
        var body = JsonDocument.Parse(answer.Body).RootElement;
        Assert.Equal((64, 768 - 64), (body.GetProperty("mistakes").GetArrayLength(), body.GetProperty("more_mistakes").GetInt32()));
    }

    [Fact]
    public void A_reader_that_was_used_for_something_else_says_the_same()
    {
        var door = new Door();
        var files = Directory.GetFiles(Path.Combine(Architecture.Repository.Root, "tests/Stoker.Tests/Streams/Ingest/bad"), "*.http").Order(StringComparer.Ordinal).ToList();
        foreach (var file in files)
        {
            var text = File.ReadAllText(file).Split("\n\n", 2);
            var request = Encoding.UTF8.GetBytes($"{text[0].Replace("\n", "\r\n", StringComparison.Ordinal)}\r\n\r\n{text[1]}");
            var fresh = new Door().Post(request);
            var used = door.Post(request);
            Assert.Equal((fresh.Status, fresh.Logged.Count), (used.Status, used.Logged.Count));
        }
    }

    [Fact]
    public void Whatever_bytes_come_they_are_answered()
    {
        var random = new Random(11);
        var door = new Door();
        string[] types = ["application/json", "application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json", "text/plain", "x; y=\"", ""];
        var seeds = Directory.GetFiles(Path.Combine(Architecture.Repository.Root, "tests/Stoker.Tests/Streams/Ingest"), "*.http", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => Encoding.UTF8.GetBytes(File.ReadAllText(file).Split("\n\n", 2)[1])).Where(body => body.Length is > 0 and < 2000).ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var body = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var i = random.Next(4); i > 0; i--) body[random.Next(body.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) body = body[..random.Next(body.Length)];
            var binary = random.Next(3) == 0 ? $"ce-id: %{random.Next(0x80):x2}{random.Next(9)}\r\nce-source: \"/a%\"\r\nce-type: {(random.Next(2) == 0 ? "gpu.facts.v1" : "t")}\r\nce-specversion: 1.0\r\n" : "";
            byte[] request = [.. Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: s\r\nContent-Type: {types[random.Next(types.Length)]}\r\n{binary}\r\n"), .. body];
            Assert.InRange(door.Post(request).Status, 202, 422);
        }
    }

    [Theory]
    [InlineData("application/json", "document")]
    [InlineData("application/json", "vector-base64-float32")]
    [InlineData("application/json", "array")]
    [InlineData("application/json", "document-without-id")]
    [InlineData("application/x-ndjson", "lines")]
    [InlineData("application/cloudevents+json", "structured")]
    [InlineData("application/cloudevents+json", "structured-gpu-facts-base64")]
    public void An_accepted_event_costs_no_allocation(string contentType, string file)
    {
        var text = File.ReadAllText(Path.Combine(Architecture.Repository.Root, "tests/Stoker.Tests/Streams/Ingest/good", file + ".http")).Split("\n\n", 2)[1];
        var (head, body) = Door.Split(Encoding.UTF8.GetBytes($"POST / HTTP/1.1\r\nHost: s\r\nContent-Type: {contentType}\r\nce-x: 1\r\n\r\n{text}"));
        Assert.Equal(0, AllocatedBy(head, body));
    }

    [Fact]
    public void An_accepted_event_in_headers_costs_no_allocation()
    {
        var (head, body) = Door.Split(Encoding.UTF8.GetBytes($"POST / HTTP/1.1\r\nHost: s\r\nContent-Type: application/json\r\nce-id: 1\r\nce-source: /a\r\nce-subject: a%20b\r\nce-type: gpu.facts.v1\r\nce-specversion: 1.0\r\n\r\n{Facts}"));
        Assert.Equal(0, AllocatedBy(head, body));
    }

    private static long AllocatedBy(MessageHead head, byte[] body)
    {
        var reader = new IngestReader(new IngestSpec());
        var frame = new byte[64 * 1024];
        var producer = "colab"u8.ToArray();
        long allocated = 0;

        // The first rounds grow the arrays and compile the code; of the others a single one without an allocation is proof.
        for (var round = 0; round < 200; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var result = reader.Read(head, body, producer, Door.Noon);
            for (var i = 0; i < result.Count; i++) EnvelopeFrame.Write(result[i].Event, frame.AsSpan(0, EnvelopeFrame.Measure(result[i].Event)));
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(result.Count, result.AcceptedCount);
            if (allocated == 0 && round > 10) break;
        }

        return allocated;
    }

    private static string Event(string type, string data) => $$"""{"specversion": "1.0", "id": "1", "source": "/a", "type": "{{type}}", "data": {{data}}}""";

    private static string Id(DoorAnswer answer)
    {
        var body = JsonDocument.Parse(answer.Body).RootElement;
        return (body.TryGetProperty("items", out var items) ? items[0] : body).GetProperty("metadata_id").GetString()!;
    }

    private static string Code(DoorAnswer answer) => JsonDocument.Parse(answer.Body).RootElement.GetProperty("mistakes")[0].GetProperty("code").GetString()!;

    private static IEnumerable<string> Mistakes(DoorAnswer answer) =>
        JsonDocument.Parse(answer.Body).RootElement.GetProperty("mistakes").EnumerateArray().Select(mistake => $"{mistake.GetProperty("path").GetString()} {mistake.GetProperty("code").GetString()}");
}
