using System.Text.Json;

namespace Stoker.Models.Speed;

/// <summary>
/// What one event of a streamed chat completion means to the measurement. The format is OpenAI's:
/// <code>
/// data: {"choices":[{"delta":{"content":"one"},"finish_reason":null}],"usage":null}
/// data: {"choices":[],"usage":{"completion_tokens":64,"completion_tokens_details":{"reasoning_tokens":12}}}
/// data: [DONE]
/// </code>
/// vLLM and SGLang say <c>reasoning_content</c> or <c>reasoning</c> for thoughts.
/// </summary>
internal readonly record struct ChatEvent
{
    public bool IsDone { get; init; }

    public bool HasText { get; init; }

    public bool HasThought { get; init; }

    public bool HasFinish { get; init; }

    /// <summary>Tokens generated so far or in all; null: not told.</summary>
    public int? Tokens { get; init; }

    /// <summary>Those of them that were thought.</summary>
    public int Thought { get; init; }

    /// <summary>What the replica says went wrong, or what is wrong with the event; null: nothing.</summary>
    public string? Error { get; init; }

    /// <param name="data">The event's data, joined.</param>
    public static ChatEvent Read(ReadOnlySpan<byte> data)
    {
        if (data.Trim(" \r\n"u8).SequenceEqual("[DONE]"u8)) return new ChatEvent { IsDone = true };
        try
        {
            var reader = new Utf8JsonReader(data);
            using var document = JsonDocument.ParseValue(ref reader);
            return Read(document.RootElement);
        }
        catch (JsonException)
        {
            return new ChatEvent { Error = "an event of the stream is no JSON" };
        }
    }

    private static ChatEvent Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return new ChatEvent { Error = "an event of the stream is no JSON object" };
        if (root.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null)
            return new ChatEvent { Error = $"the stream says: {SpeedError.Message(root) ?? error.GetRawText()}" };
        var (text, thought, finish) = (false, false, false);
        foreach (var choice in Items(root, "choices"))
        {
            var delta = Object(choice, "delta");
            text |= IsText(delta, "content") || Items(delta, "tool_calls").Any();
            thought |= IsText(delta, "reasoning_content") || IsText(delta, "reasoning");
            finish |= IsText(choice, "finish_reason");
        }

        var usage = Object(root, "usage");
        return new ChatEvent
        {
            HasText = text,
            HasThought = thought,
            HasFinish = finish,
            Tokens = Number(usage, "completion_tokens"),
            Thought = Number(Object(usage, "completion_tokens_details"), "reasoning_tokens") ?? 0,
        };
    }

    private static JsonElement Object(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : default;

    private static IEnumerable<JsonElement> Items(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object)
            : [];

    private static bool IsText(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && !value.ValueEquals("");

    private static int? Number(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : null;
}
