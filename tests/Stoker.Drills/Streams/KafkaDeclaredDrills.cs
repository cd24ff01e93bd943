using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>An estate whose stream declares types and mappings and has a topic for its log, run as its owner runs it. The cluster is librdkafka's mock.</summary>
public sealed class KafkaDeclaredDrills
{
    private const string Schema = """{"type": "object", "required": ["line"], "properties": {"line": {"type": "string"}}}""";

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Types_hold_for_what_others_write_too_and_mappings_for_documents_and_replays()
    {
        await using var kafka = await MockKafka.StartAsync(1);
        var port = FreePorts.Take();
        var estate = $"name: drill\nstreams:\n  facts:\n    listen: 127.0.0.1:{port}\n    log: {kafka.Address}\n    types: {{log.line: {{schema: line.json}}}}\n    map: {{set: {{gpu: $.gpu_hardware.device_name}}}}\n";
        using var machine = new Machine("");
        machine.Write("line.json", Schema);
        machine.Write("stoker.yaml", estate);
        machine.Up();
        machine.UntilState("facts", "healthy");
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        Assert.Equal(202, await PostAsync(client, """{"metadata_id":"a","source_uri":"s","gpu_hardware":{"device_name":"T4"}}""", "application/json"));
        Assert.Equal(422, await PostAsync(client, """{"specversion":"1.0","id":"1","source":"s","type":"log.line","data":{"line":1}}""", "application/cloudevents+json"));
        await kafka.PutAsync(0, """{"line":2}""", ("ce_specversion", "1.0"), ("ce_id", "wrong"), ("ce_source", "/them"), ("ce_type", "log.line"), ("content-type", "application/json"));
        await kafka.PutAsync(0, """{"line":"two"}""", ("ce_specversion", "1.0"), ("ce_id", "right"), ("ce_source", "/them"), ("ce_type", "log.line"), ("content-type", "application/json"));
        Assert.Equal("/them", (string?)Document(machine, "right")["source"]);
        Assert.Equal("T4", (string?)Document(machine, "a")["gpu"]);
        var cause = Assert.Single(machine.Run("stream", "dead", "list", "--json").Json["causes"]!.AsArray())!;
        Assert.Equal(("$.line", "0-1"), ((string?)Assert.Single(cause["paths"]!.AsArray()), (string?)Assert.Single(cause["ids"]!.AsArray())));

        machine.Write("stoker.yaml", estate.Replace("set: {gpu: ", "version: second, set: {card: ", StringComparison.Ordinal));
        var preview = machine.Run("stream", "replay", "--dry-run", "--declared", "--json");
        Assert.Equal((1, 1), (preview.Code, (int)preview.Json["fields"]!["$.gpu"]!));
        machine.Up();
        machine.UntilState("facts", "healthy");
        var replaced = machine.Run("stream", "replay", "--replace", "--json").Succeeded().Json;
        Assert.Equal((2, 1), ((int)replaced["stored"]!, (int)replaced["dead_letters"]!));
        var second = Document(machine, "a");
        Assert.Equal((null, "T4"), ((string?)second["gpu"], (string?)second["card"]));
        Assert.Equal(2, (int)machine.Run("stream", "replay", "--dry-run", "--json").Succeeded().Json["same"]!);
    }

    private static JsonNode Document(Machine machine, string id)
    {
        JsonNode? found = null;
        machine.Until($"document {id} is stored", () => (found = machine.Run("stream", "query", "--id", id, "--json").Succeeded().Json["documents"]!.AsArray().FirstOrDefault()) is not null);
        return found!["document"]!;
    }

    private static async Task<int> PostAsync(HttpClient client, string body, string type)
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var answer = await client.PostAsync("/metadata", content);
        return (int)answer.StatusCode;
    }
}
