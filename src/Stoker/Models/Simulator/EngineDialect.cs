using System.Text.Encodings.Web;
using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator;

/// <summary>Errors and metrics in the words of the engine that is played.</summary>
internal static class EngineDialect
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static Utf8JsonWriter Writer(System.Buffers.IBufferWriter<byte> to) => new(to, Readable);

    /// <summary>The status with which the engine says so.</summary>
    public static int Status(EngineKind engine, Refusal refusal) => (engine, refusal.Status) switch
    {
        // TGI: validation and overload have numbers of their own.
        (EngineKind.Tgi, 400) => 422,
        (EngineKind.Tgi, 503) when refusal.Type == "TooManyRequests" => 429,
        _ => refusal.Status,
    };

    public static byte[] Error(EngineKind engine, Refusal refusal)
    {
        var buffer = new OutBuffer();
        using var json = Writer(buffer);
        var status = Status(engine, refusal);
        json.WriteStartObject();
        switch (engine)
        {
            case EngineKind.Tgi:
                json.WriteString("error", refusal.Message);
                json.WriteString("error_type", status switch { 422 => "validation", 429 => "overloaded", 404 => "not_found", _ => "generation" });
                break;
            case EngineKind.Sglang:
                json.WriteString("object", "error");
                Fields(json, refusal.Message, refusal.Type, refusal.Param, status);
                break;
            case EngineKind.LlamaCpp:
                json.WriteStartObject("error");
                json.WriteNumber("code", status);
                json.WriteString("message", refusal.Message);
                json.WriteString("type", LlamaType(status));
                json.WriteEndObject();
                break;
            case EngineKind.Ollama:
                json.WriteStartObject("error");
                Fields(json, refusal.Message, status switch { 400 => "invalid_request_error", 404 => "not_found_error", _ => "api_error" }, null, null);
                json.WriteEndObject();
                break;
            default:
                json.WriteStartObject("error");
                Fields(json, refusal.Message, refusal.Type, refusal.Param, status);
                json.WriteEndObject();
                break;
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.Span.ToArray();
    }

    public static Refusal Unauthorized(EngineKind engine) =>
        new(401, "AuthenticationError", engine == EngineKind.LlamaCpp ? "Invalid API Key" : "Unauthorized");

    public static Refusal UnknownModel(EngineKind engine, string model) => engine switch
    {
        EngineKind.Ollama => new Refusal(404, "NotFoundError", $"model \"{model}\" not found, try pulling it first"),
        _ => new Refusal(404, "NotFoundError", $"The model `{model}` does not exist.", "model"),
    };

    public static Refusal TooLong(EngineKind engine, int most, int asked) => engine switch
    {
        EngineKind.LlamaCpp => Refusal.Bad($"request ({asked} tokens) exceeds the available context size ({most} tokens), try increasing it"),
        EngineKind.Tgi => Refusal.Bad($"`inputs` tokens + `max_new_tokens` must be <= {most}. Given: {asked}"),
        _ => Refusal.Bad($"This model's maximum context length is {most} tokens. However, your request has {asked} input tokens. Please reduce the length of the input messages.", "input_tokens"),
    };

    public static Refusal Loading(EngineKind engine) =>
        new(503, "ServiceUnavailableError", engine == EngineKind.LlamaCpp ? "Loading model" : "The model is not loaded yet");

    private static void Fields(Utf8JsonWriter json, string message, string type, string? param, int? code)
    {
        json.WriteString("message", message);
        json.WriteString("type", type);
        json.WriteString("param", param);
        if (code is { } number) json.WriteNumber("code", number);
        else json.WriteNull("code");
    }

    private static string LlamaType(int status) => status switch
    {
        401 => "authentication_error",
        404 => "not_found_error",
        503 => "unavailable_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };
}
