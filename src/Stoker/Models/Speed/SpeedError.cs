using System.Text.Json;

namespace Stoker.Models.Speed;

/// <summary>What an engine says of an error, wherever it puts it: <c>error.message</c> (OpenAI, llama.cpp), <c>error</c> (TGI, Ollama), <c>message</c> (older vLLM), <c>detail</c> (FastAPI).</summary>
internal static class SpeedError
{
    private const int Longest = 300;

    /// <returns>Null: it says nothing that is known here.</returns>
    public static string? Message(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return Message(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static string? Message(JsonElement root)
    {
        foreach (var name in (ReadOnlySpan<string>)["error", "message", "detail"])
        {
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out var value)) continue;
            if (value.ValueKind == JsonValueKind.Object) return Message(value);
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text) return text.Length > Longest ? text[..Longest] + "…" : text;
        }

        return null;
    }
}
