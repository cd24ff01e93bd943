using System.Text.Json.Nodes;
using Stoker.Streams;
using Stoker.Streams.Transform;
using Xunit;

namespace Stoker.Tests.Streams.Serving;

/// <summary>What a stream declares of types and documents, from the door to the store.</summary>
public sealed class DeclaredTests
{
    private const string LogLine = """{"type":"object","required":["line"],"properties":{"line":{"type":"string"},"level":{"enum":["info","error"]}},"additionalProperties":false}""";

    [Fact]
    public async Task Events_of_a_declared_type_are_held_to_its_schema_and_every_mistake_is_told_by_its_path()
    {
        await using var bench = StreamBench.Start(plan => plan with { Types = [new StreamTypePlan("log.line") { Schema = LogLine }] });
        Assert.Equal(202, (await bench.PostAsync(Event("log.line", """{"line":"ready","level":"info"}"""), "application/cloudevents+json")).Status);
        var (status, problem) = await bench.PostAsync(Event("log.line", """{"level":"loud","more":1}"""), "application/cloudevents+json");
        Assert.Equal(422, status);
        Assert.Equal(["$.data.level not_one_of", "$.data.line missing", "$.data.more unknown_field"], Mistakes(problem));
        Assert.Equal(202, (await bench.PostAsync(Event("other", """{"level":"loud"}"""), "application/cloudevents+json")).Status);
        Assert.Equal("log.line", (string?)(await bench.DocumentsAsync()).Single(document => (string?)document["type"] == "log.line")["lineage"]!["schema"]);
    }

    [Fact]
    public async Task Types_that_are_not_declared_are_refused_where_that_is_declared_but_not_those_of_a_check()
    {
        await using var bench = StreamBench.Start(plan => plan with { OnlyDeclaredTypes = true, Types = [new StreamTypePlan("heartbeat")] });
        Assert.Equal(202, (await bench.PostAsync(Event("heartbeat", "1"), "application/cloudevents+json")).Status);
        Assert.Equal(202, (await bench.PostAsync(Event("stoker.check.v1", "{}"), "application/cloudevents+json")).Status);
        Assert.Equal(202, (await bench.PostAsync(StreamBench.Fact("a"))).Status);
        var (status, problem) = await bench.PostAsync(Event("other", "1"), "application/cloudevents+json");
        Assert.Equal(422, status);
        Assert.Equal(["$.type unknown_type"], Mistakes(problem));
    }

    [Fact]
    public async Task A_declared_vector_is_checked_and_stands_beside_the_document()
    {
        await using var bench = StreamBench.Start(plan => plan with
        {
            Types = [new StreamTypePlan("frame.v2") { HasVector = true, Dimension = 2 }, new StreamTypePlan("frame.v3") { HasVector = true }],
        });
        Assert.Equal(["$.data.embedding dimension"], Mistakes((await bench.PostAsync(Event("frame.v2", """{"embedding":[1,2,3]}"""), "application/cloudevents+json")).Body));
        Assert.Equal(2, (int)(await bench.PostAsync(Event("frame.v2", """{"embedding":[1,2]}"""), "application/cloudevents+json")).Body["embedding_dim"]!);
        Assert.Equal(3, (int)(await bench.PostAsync(Event("frame.v3", """{"embedding":[1,2,3]}""", "2"), "application/cloudevents+json")).Body["embedding_dim"]!);
    }

    [Fact]
    public async Task A_built_in_type_that_is_declared_without_a_schema_keeps_its_own()
    {
        await using var bench = StreamBench.Start(plan => plan with { Types = [new StreamTypePlan("gpu.facts.v1")] });
        Assert.Equal(["$.gpu_hardware missing"], Mistakes((await bench.PostAsync("""{"source_uri":"s"}""")).Body));
    }

    [Fact]
    public async Task Declared_mappings_change_documents_and_their_version_stands_in_the_lineage()
    {
        var fields = new TransformSpec
        {
            Map = [new MapSpec("gpu", "$.gpu_hardware.device_name"), new MapSpec("site", null, "{\"floor\":3}")],
            Rename = [new RenameSpec("$.extra.label", "label")],
            Drop = ["$.other.debug"],
        };
        var map = new StreamMapPlan { Fields = fields }.Versioned("2");
        await using var bench = StreamBench.Start(plan => plan with { Map = map });
        await bench.PostAsync(StreamBench.Fact("a", ",\"extra\":{\"label\":\"cat\",\"kept\":1},\"debug\":true,\"camera\":\"north\""));
        var document = Assert.Single(await bench.DocumentsAsync());
        Assert.Equal(("Tesla T4", 3, "cat"), ((string?)document["gpu"], (int)document["site"]!["floor"]!, (string?)document["label"]));
        Assert.Equal("""{"kept":1}""", document["extra"]!.ToJsonString());
        Assert.Equal("""{"camera":"north"}""", document["other"]!.ToJsonString());
        Assert.Equal(map.Fields.Version, (string?)document["lineage"]!["transform"]);
        Assert.Matches("^2-[0-9a-f]{8}$", map.Fields.Version);
    }

    [Fact]
    public void Other_mappings_and_other_facts_of_hosts_are_another_version_and_the_same_are_the_same()
    {
        var bare = new StreamMapPlan { Fields = new TransformSpec { Drop = ["$.other.debug"] } };
        var known = bare with { HostPath = "$.extra.host", Hosts = [new HostFacts("mainpc") { Cpus = 8 }] };
        Assert.Equal(Version(bare), Version(new StreamMapPlan { Fields = new TransformSpec { Drop = ["$.other.debug"] } }));
        Assert.Equal(4, new[] { bare, bare with { Fields = new TransformSpec { Drop = ["$.other.trace"] } }, known, known with { Hosts = [new HostFacts("mainpc") { Cpus = 16 }] } }.Select(Version).Distinct().Count());

        static string Version(StreamMapPlan map) => map.Versioned(null).Fields.Version;
    }

    [Fact]
    public async Task Hosts_that_events_name_are_looked_up_and_documents_are_found_by_them()
    {
        var map = new StreamMapPlan
        {
            HostPath = "$.extra.host",
            Hosts =
            [
                new HostFacts("mainpc") { Address = "192.168.1.10", Cpus = 16, Memory = 68719476736, Gpus = [new HostGpu("RTX 4090", 25769803776, "GPU-1"), new HostGpu("RTX 4090", null, "GPU-2"), new HostGpu("Tesla T4", null, null)] },
                new HostFacts("pc2"),
            ],
        }.Versioned(null);
        await using var bench = StreamBench.Start(plan => plan with { Map = map, Host = "collector" });
        await bench.PostAsync(Named("uuid", "MainPC", ""","uuid":"gpu-2" """));
        await bench.PostAsync(Named("model", "192.168.1.10", ""));
        await bench.PostAsync(Named("elsewhere", "colab", ""));
        await bench.PostAsync(StreamBench.Fact("silent"));
        await bench.PostAsync(Named("cardless", "pc2", ""));
        var found = (await bench.DocumentsAsync()).ToDictionary(document => (string)document["metadata_id"]!, document => document["enrichment"]);
        Assert.Equal(("mainpc", "GPU-2", 16), ((string?)found["uuid"]!["host"], (string?)found["uuid"]!["gpu"], (int)found["uuid"]!["facts"]!["cpus"]!));
        Assert.Equal(3, found["uuid"]!["facts"]!["gpus"]!.AsArray().Count);
        Assert.Equal(("mainpc", "Tesla T4"), ((string?)found["model"]!["host"], (string?)found["model"]!["gpu"]));
        Assert.Null(found["elsewhere"]);
        Assert.Null(found["silent"]);
        Assert.Equal("""{"host":"pc2","facts":{"gpus":[]}}""", found["cardless"]!.ToJsonString());

        static string Named(string id, string host, string device) => $$$"""{"metadata_id":"{{{id}}}","source_uri":"s","gpu_hardware":{"device_name":"Tesla T4"{{{device}}}},"extra":{"host":"{{{host}}}"}}""";
    }

    private static string Event(string type, string data, string id = "1") => $$$"""{"specversion":"1.0","id":"{{{id}}}","source":"/{{{type}}}","type":"{{{type}}}","data":{{{data}}}}""";

    private static IEnumerable<string> Mistakes(JsonNode problem) => problem["mistakes"]!.AsArray().Select(mistake => $"{(string?)mistake!["path"]} {(string?)mistake["code"]}").Order(StringComparer.Ordinal);
}
