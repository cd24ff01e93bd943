using System.Text.Json;

namespace Stoker.Gateway.Answers;

/// <summary>
/// What engines answer when they refuse, brought into OpenAI's shape. The status and the engine's own words stay; a status that would
/// mislead a client about its key (401 and 403 concern ours) becomes 502, and a prompt that does not fit is 400 whatever the engine calls it.
/// </summary>
/// <remarks>
/// Seen: <c>{"error":{"message","type","param","code":400}}</c> and <c>{"object":"error","message","type":"BadRequestError","code":400}</c>
/// (vLLM, new and old), <c>{"error":{"code":400,"message","type"}}</c> (llama.cpp), <c>{"error":"…","error_type":"…"}</c> (TGI),
/// <c>{"error":"…"}</c> (Ollama, production-stack), <c>{"detail":"…"}</c> or <c>{"detail":[{"loc","msg"}]}</c> (FastAPI), plain text.
/// </remarks>
internal static class EngineErrors
{
    /// <summary>The prompt does not fit the model; clients look for this code to shorten it.</summary>
    public const string TooLong = "context_length_exceeded";

    private const int LongestMessage = 2000;

    /// <summary>
    /// What engines say when a prompt does not fit: vLLM (the second from its input processor), llama.cpp, SGLang, Ollama, TGI and text-embeddings-inference.
    /// </summary>
    private static readonly string[] TooLongWords =
    [
        "context length", "maximum model length", "context size", "maximum context", "maximum allowed length", "`inputs` must have less than", "`inputs` tokens + `max_new_tokens` must be",
    ];

    public static ApiError Read(int status, ReadOnlyMemory<byte> body)
    {
        var (message, code, param) = ReadBody(body);
        message = message is { Length: > 0 } ? message.Length > LongestMessage ? message[..LongestMessage] : message : $"the model server answered {status}";
        if (status is 401 or 403) return ApiErrors.UpstreamFailed($"it refused the gateway's own key ({message})");
        if (code == TooLong || SaysTooLong(status, message)) return new ApiError(400, TypeOf(400), TooLong, message) { Param = param };
        var shown = status is >= 400 and <= 599 ? status : 502;
        return new ApiError(shown, TypeOf(shown), CodeOf(shown, code), message) { Param = param };
    }

    /// <summary>An error that came within a stream.</summary>
    public static ApiError ReadEvent(ReadOnlyMemory<byte> data)
    {
        var (message, code, _) = ReadBody(data);
        return new ApiError(502, "server_error", int.TryParse(code, out _) ? null : code, message is { Length: > 0 } ? message : "the model server failed");
    }

    private static string TypeOf(int status) => status switch
    {
        429 => "requests",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    /// <summary>500 is Ollama's; only its own words count there, since an engine that is out of memory may well speak of contexts too.</summary>
    private static bool SaysTooLong(int status, string message) => status switch
    {
        400 or 413 or 422 => TooLongWords.Any(words => message.Contains(words, StringComparison.OrdinalIgnoreCase)),
        500 => message.Contains("exceeds the context length", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    private static string? CodeOf(int status, string? code) => status switch
    {
        404 => code is { Length: > 0 } && !int.TryParse(code, out _) ? code : "model_not_found",
        429 => "rate_limit_exceeded",
        _ => code is { Length: > 0 } && !int.TryParse(code, out _) ? code : null,
    };

    private static (string? Message, string? Code, string? Param) ReadBody(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return (root.ToString(), null, null);
            if (root.TryGetProperty("error"u8, out var error))
            {
                return error.ValueKind == JsonValueKind.Object
                    ? (Text(error, "message"), Text(error, "code"), Text(error, "param"))
                    : (error.ToString(), Text(root, "error_type"), null);
            }

            return root.TryGetProperty("detail"u8, out var detail) ? (Detail(detail), null, null) : (Text(root, "message"), Text(root, "code"), Text(root, "param"));
        }
        catch (JsonException)
        {
            return (System.Text.Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, LongestMessage)]).Trim(), null, null);
        }
    }

    private static string Detail(JsonElement detail) => detail.ValueKind == JsonValueKind.Array
        ? string.Join("; ", detail.EnumerateArray().Select(d => d.ValueKind == JsonValueKind.Object
            ? $"{(d.TryGetProperty("loc"u8, out var place) && place.ValueKind == JsonValueKind.Array ? string.Join('.', place.EnumerateArray()) : "body")}: {Text(d, "msg")}"
            : d.ToString()))
        : detail.ToString();

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number ? value.ToString() : null;
}
