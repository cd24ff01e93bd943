using System.Buffers;
using System.Text.Json;
using Stoker.Gateway.Forwarding;

namespace Stoker.Gateway.Pages;

/// <summary>
/// The gateway's OpenAPI 3.1 document: the paths it forwards and its own, with the estate's models as the values of <c>model</c>. What a request may
/// hold besides is the engine's business, so bodies are open objects with the keys that the gateway reads.
/// </summary>
internal static class OpenApiDocument
{
    public static byte[] Write(GatewayPlan plan)
    {
        var buffer = new ArrayBufferWriter<byte>(8192);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("openapi", "3.1.0");
        json.WriteStartObject("info");
        json.WriteString("title", $"Models of {plan.Estate}");
        json.WriteString("version", "v1");
        json.WriteString("description", "An OpenAI-compatible gateway. Any OpenAI client works: set its base URL to this address and `/v1`.");
        json.WriteEndObject();
        json.WriteStartObject("paths");
        foreach (var endpoint in EndpointTable.All) WriteForwarded(json, endpoint, plan);
        WriteGet(json, "/v1/models", "The models that the key may use.");
        WriteGet(json, "/v1/models/{model}", "One model; its id may hold slashes.", parameter: "model");
        WriteGet(json, "/health", "200 while the gateway runs.", open: true);
        WriteGet(json, "/ready", "200 when each model has a replica that serves, else 503 with the names of those that have none.", open: true);
        WriteGet(json, "/metrics", "Metrics in Prometheus' text format; from another machine with a key of scope `metrics`.", open: true);
        json.WriteEndObject();
        WriteComponents(json, plan);
        if (plan.RequiresKeys) WriteSecurity(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteForwarded(Utf8JsonWriter json, Endpoint endpoint, GatewayPlan plan)
    {
        json.WriteStartObject(endpoint.Path);
        json.WriteStartObject("post");
        json.WriteString("operationId", endpoint.Path.Trim('/').Replace('/', '_'));
        json.WriteString("summary", SummaryOf(endpoint));
        json.WriteStartObject("requestBody");
        json.WriteBoolean("required", true);
        json.WriteStartObject("content");
        json.WriteStartObject(endpoint.Shape == EndpointShape.Form ? "multipart/form-data" : "application/json");
        WriteReference(json, "schema", endpoint.Shape == EndpointShape.Form ? "Form" : endpoint.Shape == EndpointShape.Completions ? "Completion" : "Request");
        if (ExampleOf(endpoint, plan) is { } example)
        {
            json.WritePropertyName("example");
            json.WriteRawValue(example);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        WriteResponses(json, streams: endpoint.Shape is EndpointShape.Completions or EndpointShape.Responses);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteGet(Utf8JsonWriter json, string path, string summary, string? parameter = null, bool open = false)
    {
        json.WriteStartObject(path);
        json.WriteStartObject("get");
        json.WriteString("summary", summary);
        if (open)
        {
            json.WriteStartArray("security");
            json.WriteEndArray();
        }

        if (parameter is not null)
        {
            json.WriteStartArray("parameters");
            json.WriteStartObject();
            json.WriteString("name", parameter);
            json.WriteString("in", "path");
            json.WriteBoolean("required", true);
            WriteType(json, "schema", "string");
            json.WriteEndObject();
            json.WriteEndArray();
        }

        WriteResponses(json, streams: false);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteResponses(Utf8JsonWriter json, bool streams)
    {
        json.WriteStartObject("responses");
        json.WriteStartObject("200");
        json.WriteString("description", streams ? "The answer, or with `stream: true` its events." : "The answer.");
        json.WriteEndObject();
        json.WriteStartObject("default");
        json.WriteString("description", "An error.");
        json.WriteStartObject("content");
        json.WriteStartObject("application/json");
        WriteReference(json, "schema", "Error");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter json, GatewayPlan plan)
    {
        json.WriteStartObject("components");
        json.WriteStartObject("schemas");
        WriteBody(json, "Request", plan, []);
        WriteBody(json, "Form", plan, []);
        WriteBody(json, "Completion", plan, [("stream", "boolean"), ("max_tokens", "integer"), ("max_completion_tokens", "integer"), ("n", "integer")]);
        json.WriteStartObject("Error");
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        json.WriteStartObject("error");
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (var name in (string[])["message", "type", "param", "code"]) WriteType(json, name, name is "message" or "type" ? "string" : null);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        if (plan.RequiresKeys)
        {
            json.WriteStartObject("securitySchemes");
            json.WriteStartObject("key");
            json.WriteString("type", "http");
            json.WriteString("scheme", "bearer");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, string name, GatewayPlan plan, (string Name, string Type)[] more)
    {
        json.WriteStartObject(name);
        json.WriteString("type", "object");
        json.WriteStartArray("required");
        json.WriteStringValue("model");
        json.WriteEndArray();
        json.WriteStartObject("properties");
        json.WriteStartObject("model");
        json.WriteString("type", "string");
        json.WriteStartArray("examples");
        foreach (var route in plan.Routes) json.WriteStringValue(route.Name);
        json.WriteEndArray();
        json.WriteEndObject();
        foreach (var (key, type) in more) WriteType(json, key, type);
        json.WriteEndObject();
        json.WriteBoolean("additionalProperties", true);
        json.WriteEndObject();
    }

    private static void WriteSecurity(Utf8JsonWriter json)
    {
        json.WriteStartArray("security");
        json.WriteStartObject();
        json.WriteStartArray("key");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    /// <param name="type">Null: a string or null.</param>
    private static void WriteType(Utf8JsonWriter json, string name, string? type)
    {
        json.WriteStartObject(name);
        if (type is not null)
        {
            json.WriteString("type", type);
        }
        else
        {
            json.WriteStartArray("type");
            json.WriteStringValue("string");
            json.WriteStringValue("null");
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteReference(Utf8JsonWriter json, string name, string schema)
    {
        json.WriteStartObject(name);
        json.WriteString("$ref", $"#/components/schemas/{schema}");
        json.WriteEndObject();
    }

    private static string SummaryOf(Endpoint endpoint) => endpoint.Path switch
    {
        "/v1/chat/completions" => "Answer a conversation.",
        "/v1/completions" => "Continue a text.",
        "/v1/embeddings" => "Turn texts into vectors.",
        "/v1/responses" => "Answer, in the manner of OpenAI's Responses.",
        "/v1/rerank" => "Order documents by how well they answer a question.",
        "/v1/audio/speech" => "Turn text into speech.",
        "/v1/audio/transcriptions" => "Turn speech into text.",
        "/v1/audio/translations" => "Turn speech into English text.",
        "/v1/images/generations" => "Make pictures from words.",
        "/v1/images/edits" => "Change a picture.",
        "/v1/images/variations" => "Vary a picture.",
        _ => endpoint.Operation,
    };

    private static string? ExampleOf(Endpoint endpoint, GatewayPlan plan)
    {
        var model = JsonEncodedText.Encode(plan.Routes.Count > 0 ? plan.Routes[0].Name : "MODEL");
        return endpoint.Path switch
        {
            "/v1/chat/completions" => $"{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello!\"}}],\"stream\":true}}",
            "/v1/completions" => $"{{\"model\":\"{model}\",\"prompt\":\"Once upon a time\",\"max_tokens\":64}}",
            "/v1/embeddings" => $"{{\"model\":\"{model}\",\"input\":\"Hello!\"}}",
            "/v1/responses" => $"{{\"model\":\"{model}\",\"input\":\"Hello!\"}}",
            "/v1/rerank" => $"{{\"model\":\"{model}\",\"query\":\"What is a GPU?\",\"documents\":[\"A processor for graphics.\",\"A fish.\"]}}",
            "/v1/audio/speech" => $"{{\"model\":\"{model}\",\"input\":\"Hello!\",\"voice\":\"alloy\"}}",
            "/v1/images/generations" => $"{{\"model\":\"{model}\",\"prompt\":\"A lighthouse at dusk\"}}",
            _ => null,
        };
    }
}
