using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>An estate whose stream declares keys, types and mappings, run as its owner runs it: changed, applied again, replayed.</summary>
public sealed class DeclaredDrills
{
    private const string Schema = """{"type": "object", "required": ["line"], "properties": {"line": {"type": "string"}}}""";

    private const string Declared = "declared-secret-of-colab-0123456789";

    private const string Line = """{"specversion":"1.0","id":"1","source":"s","type":"log.line","data":{"line":1}}""";

    [Fact]
    public async Task Keys_are_made_asked_for_limited_and_revoked()
    {
        using var machine = new Machine(Estate("auth: keys", "keys: {colab: {file: colab.key}}", out var address));
        machine.Write("colab.key", Declared);
        machine.Up();
        machine.UntilState("facts", "healthy");
        using var client = new HttpClient { BaseAddress = address };
        Assert.Equal(401, await PostAsync(client, null, "a"));
        Assert.Equal(202, await PostAsync(client, Declared, "a"));
        var key = machine.Run("key", "create", "ci", "--scope", "ingest", "--epm", "2").Succeeded().Output.Trim();
        Assert.Equal(202, await PostAsync(client, key, "b"));
        Assert.Equal(202, await PostAsync(client, key, "c"));
        Assert.Equal(429, await PostAsync(client, key, "d"));
        var other = machine.Run("key", "create", "other", "--scope", "ingest", "--stream", "elsewhere").Succeeded().Output.Trim();
        Assert.Equal(403, await PostAsync(client, other, "e"));

        // The owner's verbs need no key to be handed to them.
        machine.Run("stream", "check").Succeeded();
        machine.Until("the first event is stored", () => (string?)machine.Run("stream", "receipt", "0-0", "--json").Succeeded().Json["state"] == "stored");
        machine.Write("facts.ndjson", """{"metadata_id": "sent", "gpu_hardware": {"device_name": "T4"}}""" + "\n");
        machine.Write("ci.key", key + "\n");
        machine.Run("stream", "send", "facts.ndjson").Succeeded();
        var limited = machine.Run("stream", "send", "facts.ndjson", "--key-file", "ci.key", "--patience", "0s", "--no-spool");
        Assert.Equal(1, limited.Code);
        Assert.Contains("limit", limited.Errors, StringComparison.Ordinal);
        Assert.Equal("stoker:owner", (string?)Document(machine, "sent")["source"]);
        Assert.Equal("colab", (string?)Document(machine, "a")["lineage"]!["producer"]);

        machine.Run("key", "revoke", "ci").Succeeded();
        machine.Until("the key is refused", () => PostAsync(client, key, "f").GetAwaiter().GetResult() == 401);
        var refused = machine.Run("stream", "send", "facts.ndjson", "--key-file", "ci.key");
        Assert.Equal(1, refused.Code);
        Assert.Contains("revoked", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_map_is_shown_by_a_dry_run_and_put_into_force_by_a_replay_that_replaces()
    {
        using var machine = new Machine("");
        machine.Write("line.json", Schema);
        var estate = Estate("types: {log.line: {schema: line.json}}", "map: {set: {gpu: $.gpu_hardware.device_name}}", out var address);
        machine.Write("stoker.yaml", estate);
        machine.Up();
        machine.UntilState("facts", "healthy");
        using var client = new HttpClient { BaseAddress = address };
        Assert.Equal(202, await PostAsync(client, null, "a"));
        Assert.Equal(202, await PostAsync(client, null, "b"));
        Assert.Equal(422, await PostAsync(client, Line, "application/cloudevents+json", null));
        machine.Run("stream", "check").Succeeded();
        _ = Document(machine, "b");
        var first = Document(machine, "a");
        Assert.Equal("T4", (string?)first["gpu"]);

        // Another schema is another plan: the same file, and `up` starts the stream anew.
        machine.Write("line.json", Schema.Replace("string", "integer", StringComparison.Ordinal));
        machine.Write("stoker.yaml", estate.Replace("set: {gpu: ", "version: second, set: {card: ", StringComparison.Ordinal));
        var preview = machine.Run("stream", "replay", "--dry-run", "--declared", "--json");
        Assert.Equal((1, 3), (preview.Code, (int)preview.Json["different"]!));
        Assert.Equal(2, (int)preview.Json["fields"]!["$.gpu"]!);
        Assert.Equal(3, (int)machine.Run("stream", "replay", "--dry-run", "--json").Succeeded().Json["same"]!);
        machine.Up();
        machine.UntilState("facts", "healthy");
        Assert.Equal(202, await PostAsync(client, Line, "application/cloudevents+json", null));
        machine.Run("stream", "check").Succeeded();
        _ = Document(machine, "1");
        Assert.Equal("T4", (string?)Document(machine, "a")["gpu"]);

        var dry = machine.Run("stream", "replay", "--dry-run", "--json");
        Assert.Equal(1, dry.Code);
        Assert.Equal((3, 2), ((int)dry.Json["different"]!, (int)dry.Json["same"]!));
        Assert.Equal(2, (int)dry.Json["fields"]!["$.card"]!);
        var replaced = machine.Run("stream", "replay", "--replace", "--json").Succeeded().Json;
        Assert.Equal((3, 2, 3), ((int)replaced["different"]!, (int)replaced["same"]!, (int)replaced["stored"]!));
        var second = Document(machine, "a");
        Assert.Equal((null, "T4"), ((string?)second["gpu"], (string?)second["card"]));
        Assert.StartsWith("second-", (string?)second["lineage"]!["transform"], StringComparison.Ordinal);
        Assert.Equal((string?)first["_id"], (string?)second["_id"]);
        Assert.Equal(5, (int)machine.Run("stream", "replay", "--dry-run", "--json").Succeeded().Json["same"]!);
        machine.Run("stream", "check").Succeeded();
    }

    private static string Estate(string first, string second, out Uri address)
    {
        var port = FreePorts.Take();
        address = new Uri($"http://127.0.0.1:{port}");
        return $"name: drill\nstreams:\n  facts:\n    listen: 127.0.0.1:{port}\n    {first}\n    {second}\n";
    }

    private static JsonNode Document(Machine machine, string id)
    {
        JsonNode? found = null;
        machine.Until($"document {id} is stored", () => (found = machine.Run("stream", "query", "--id", id, "--json").Succeeded().Json["documents"]!.AsArray().FirstOrDefault()) is not null);
        return found!["document"]!;
    }

    private static Task<int> PostAsync(HttpClient client, string? key, string id) =>
        PostAsync(client, $$$"""{"metadata_id":"{{{id}}}",{{{(key is null ? "\"source_uri\":\"s\"," : "")}}}"gpu_hardware":{"device_name":"T4"}}""", "application/json", key);

    private static async Task<int> PostAsync(HttpClient client, string body, string type, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/metadata") { Content = new StringContent(body, Encoding.UTF8, type) };
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
