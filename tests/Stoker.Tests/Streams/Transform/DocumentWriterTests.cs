using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Stoker.Streams.Transform;
using Stoker.Tests.Streams.Events;
using Stoker.Tests.Streams.Ingest;
using Xunit;

namespace Stoker.Tests.Streams.Transform;

public sealed class DocumentWriterTests
{
    private const string Document = """
        {
          "metadata_id": "img-1", "source_uri": "gs://ca4/1.png", "time": "2026-03-01T12:00:00+01:00",
          "embedding": [0.5, -1],
          "gpu_hardware": {"device_name": "Tesla T4", "total_memory": 1.50e10},
          "extra": {"label": "cat", "a b": [1, {"c": 2}]},
          "camera": "north", "lineage": "mine", "caf\u00e9": "\u00e9\n"
        }
        """;

    private static readonly EventPlace Place = new("gpu-metadata", 2, 77);

    [Fact]
    public void A_document_has_what_was_sent_on_one_line_and_where_it_came_from()
    {
        var (json, vector) = Write(Post("application/json", Document), enrichment: new EventEnrichment("colab-1", "GPU-1"));
        Assert.Equal(
            """
            {"_id":"26554609-c3f5-8623-b498-bac99caa2b90","metadata_id":"img-1","source":"gs://ca4/1.png","type":"gpu.facts.v1","time":"2026-03-01T12:00:00+01:00",
            "received":"2026-11-21T12:00:00.0000000Z","embedding_dim":2,"source_uri":"gs://ca4/1.png","gpu_hardware":{"device_name":"Tesla T4","total_memory":1.50e10},
            "extra":{"label":"cat","a b":[1,{"c":2}]},"other":{"camera":"north","lineage":"mine","café":"\u00e9\n"},
            "lineage":{"log":"gpu-metadata","partition":2,"offset":77,"producer":"colab","schema":"gpu.facts.v1","transform":"1"},
            "enrichment":{"host":"colab-1","gpu":"GPU-1"}}
            """.ReplaceLineEndings(""), json);
        Assert.Equal([0.5f, -1f], vector);
    }

    [Fact]
    public void Other_events_keep_their_data_whole_and_their_attributes()
    {
        var structured = """{"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "subject": "s", "n": 5, "b": true, "x": "y", "data": [1, null]}""";
        Assert.Contains("\"data\":[1,null],\"attributes\":{\"n\":5,\"b\":true,\"x\":\"y\"}", Write(Post("application/cloudevents+json", structured)).Json, StringComparison.Ordinal);
        var text = """{"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "datacontenttype": "text/plain", "data": "a\"b"}""";
        Assert.Contains("\"content_type\":\"text/plain\",\"data_text\":\"a\\\"b\"", Write(Post("application/cloudevents+json", text)).Json, StringComparison.Ordinal);
        var bytes = """{"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "datacontenttype": "image/png", "data_base64": "/wA="}""";
        Assert.Contains("\"data_base64\":\"/wA=\"", Write(Post("application/cloudevents+json", bytes)).Json, StringComparison.Ordinal);
        Assert.DoesNotContain("data", Write(Post("application/cloudevents+json", """{"specversion": "1.0", "id": "1", "source": "/a", "type": "t"}""")).Json.Replace("metadata", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cloud_event_with_gpu_facts_becomes_the_same_kind_of_document()
    {
        var json = Write(Post("application/cloudevents+json", """{"specversion": "1.0", "id": "1", "source": "/a", "type": "gpu.facts.v1", "data": {"metadata_id": "other", "gpu_hardware": {"device_name": "T4"}, "embedding": "AACAPw=="}}""")).Json;
        Assert.Contains("\"metadata_id\":\"1\"", json, StringComparison.Ordinal);
        Assert.Contains("\"embedding_dim\":1,\"gpu_hardware\":{\"device_name\":\"T4\"},\"other\":{\"metadata_id\":\"other\"}", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_are_written_moved_and_dropped_as_declared()
    {
        var plan = Plan(new TransformSpec
        {
            Version = "7",
            Map =
            [
                new MapSpec("gpu", "$.gpu_hardware.device_name"), new MapSpec("site", null, "{\"name\": \"lab\"}"), new MapSpec("extra.second", "$.extra['a b'][1].c"),
                new MapSpec("deep.er", "$.metadata_id"), new MapSpec("nowhere", "$.not.there"), new MapSpec("gpu_hardware", "$.gpu_hardware.device_name"),
            ],
            Rename = [new RenameSpec("$.extra.label", "label"), new RenameSpec("$.other.missing", "found")],
            Drop = ["$.other.camera", "enrichment", "$.extra['a b']"],
        });
        var json = Write(Post("application/json", Document), plan, new EventEnrichment("h", null)).Json;
        Assert.Equal(
            """
            {"_id":"26554609-c3f5-8623-b498-bac99caa2b90","metadata_id":"img-1","source":"gs://ca4/1.png","type":"gpu.facts.v1","time":"2026-03-01T12:00:00+01:00",
            "received":"2026-11-21T12:00:00.0000000Z","embedding_dim":2,"source_uri":"gs://ca4/1.png","extra":{"second":2},"other":{"lineage":"mine","café":"\u00e9\n"},
            "lineage":{"log":"gpu-metadata","partition":2,"offset":77,"producer":"colab","schema":"gpu.facts.v1","transform":"7"},
            "gpu":"Tesla T4","site":{"name":"lab"},"deep":{"er":"img-1"},"gpu_hardware":"Tesla T4","label":"cat"}
            """.ReplaceLineEndings(""), json);
    }

    [Theory]
    [InlineData("_id", "$.a", "identifies")]
    [InlineData("lineage.offset", "$.a", "identifies")]
    [InlineData("a[0]", "$.b", "item of an array")]
    [InlineData("a..b", "$.b", "not a path")]
    [InlineData("a", "$.b[*]", "not a path")]
    [InlineData("a", "$", "whole document")]
    [InlineData("a", "$.b['c", "not a path")]
    public void A_mapping_that_cannot_be_is_told(string target, string path, string expected)
    {
        var (plan, problems) = TransformPlan.Make(new TransformSpec { Map = [new MapSpec(target, path)] });
        Assert.Null(plan);
        Assert.Contains(problems, problem => problem.Message.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Mappings_that_contradict_each_other_are_told()
    {
        Assert.Null(TransformPlan.Make(new TransformSpec { Map = [new MapSpec("a", "$.b"), new MapSpec("a", "$.c")] }).Plan);
        Assert.Null(TransformPlan.Make(new TransformSpec { Map = [new MapSpec("a", "$.b"), new MapSpec("a.b", "$.c")] }).Plan);
        Assert.Null(TransformPlan.Make(new TransformSpec { Map = [new MapSpec("a.b", "$.b"), new MapSpec("a", "$.c")] }).Plan);
        Assert.Null(TransformPlan.Make(new TransformSpec { Map = [new MapSpec("a", null, "{")] }).Plan);
    }

    [Fact]
    public void The_same_event_gives_the_same_bytes()
    {
        var frame = Post("application/json", Document);
        using var used = new DocumentWriter(TransformPlan.Plain);
        for (var i = 0; i < 3; i++)
        {
            var (document, _) = used.Write(Read(frame), Place, EventEnrichment.None);
            Assert.Equal(Write(frame).Json, Encoding.UTF8.GetString(document!.Json.Span));
        }
    }

    [Fact]
    public void Time_is_the_events_own_or_when_it_came()
    {
        using var writer = new DocumentWriter(TransformPlan.Plain);
        Assert.Equal(new DateTime(2026, 3, 1, 11, 0, 0), writer.Write(Read(Post("application/json", Document)), Place, EventEnrichment.None).Document!.Time);
        Assert.Equal(Door.Noon, writer.Write(Read(Post("application/json", """{"gpu_hardware": {"device_name": "T4"}}""")), Place, EventEnrichment.None).Document!.Time);
    }

    [Fact]
    public void Data_that_are_not_what_they_are_said_to_be_are_poison_with_a_path()
    {
        using var writer = new DocumentWriter(TransformPlan.Plain);
        var envelope = Read(Post("application/json", Document));
        envelope.Data = "{\"a\": [1, x]}"u8.ToArray();
        Assert.Equal("$.a[1]", writer.Write(envelope, Place, EventEnrichment.None).Poison!.Path);
        envelope.Data = "{\"embedding\": [1]}"u8.ToArray();
        Assert.Equal("$.embedding", writer.Write(envelope, Place, EventEnrichment.None).Poison!.Path);
    }

    [Fact]
    public void Whatever_a_frame_says_becomes_JSON_or_poison()
    {
        var random = new Random(4);
        var plan = Plan(new TransformSpec { Map = [new MapSpec("a.b", "$.type"), new MapSpec("data.x", "$.source")], Drop = ["$.attributes"] });
        using var writer = new DocumentWriter(plan);
        for (var round = 0; round < 3000; round++)
        {
            var envelope = Envelopes.Random(random);
            if (random.Next(2) == 0)
            {
                envelope.ContentType = "application/json"u8.ToArray();
                envelope.Data = Encoding.UTF8.GetBytes(Json.RandomJson.Text(random, 4));
                envelope.Dimension = random.Next(3) == 0 ? 1 : 0;
            }

            var (document, poison) = writer.Write(envelope, Place, EventEnrichment.None);
            Assert.True(document is null != poison is null);
            if (document is not null)
            {
                using var parsed = JsonDocument.Parse(document.Json);
                Assert.DoesNotContain((byte)'\n', document.Json.ToArray());
            }
        }
    }

    private static TransformPlan Plan(TransformSpec spec)
    {
        var (plan, problems) = TransformPlan.Make(spec);
        Assert.Empty(problems);
        return plan!;
    }

    private static (string Json, float[] Vector) Write(byte[] frame, TransformPlan? plan = null, EventEnrichment? enrichment = null)
    {
        using var writer = new DocumentWriter(plan ?? TransformPlan.Plain);
        var (document, poison) = writer.Write(Read(frame), Place, enrichment ?? EventEnrichment.None);
        Assert.Null(poison);
        Assert.Contains(Encoding.UTF8.GetString(document!.Key.Span), Encoding.UTF8.GetString(document.Json.Span), StringComparison.Ordinal);
        return (Encoding.UTF8.GetString(document.Json.Span), MemoryMarshal.Cast<byte, float>(document.Embedding.Span).ToArray());
    }

    private static byte[] Post(string contentType, string body)
    {
        var (head, bytes) = Door.Split(Encoding.UTF8.GetBytes($"POST / HTTP/1.1\r\nHost: s\r\nContent-Type: {contentType}\r\n\r\n{body}"));
        var result = new IngestReader(new IngestSpec()).Read(head, bytes, "colab"u8.ToArray(), Door.Noon);
        Assert.Empty(result[0].Mistakes.Kept);
        return Door.Frame(result[0].Event);
    }

    private static EventEnvelope Read(byte[] frame)
    {
        var envelope = new EventEnvelope();
        Assert.Equal(FrameFault.None, EnvelopeFrame.TryRead(frame, envelope));
        return envelope;
    }
}
