using System.Text.Json;

namespace Stoker.Gateway.Forwarding;

/// <summary>What an engine says it read and made. Numbers only ever replace smaller ones: running usage grows.</summary>
internal struct TokenUsage
{
    public int Prompt { get; private set; }

    public int Cached { get; private set; }

    public int Completion { get; private set; }

    public int Reasoning { get; private set; }

    /// <summary>The engine has told at all.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Reads the object after the key <c>usage</c>, whose names differ between endpoints; the reader ends on its last token.</summary>
    public void Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return;
        IsKnown = true;
        var depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;
            if (reader.ValueTextEquals("prompt_tokens"u8) || reader.ValueTextEquals("input_tokens"u8)) Prompt = Larger(Prompt, ref reader);
            else if (reader.ValueTextEquals("completion_tokens"u8) || reader.ValueTextEquals("output_tokens"u8)) Completion = Larger(Completion, ref reader);
            else if (reader.ValueTextEquals("cached_tokens"u8)) Cached = Larger(Cached, ref reader);
            else if (reader.ValueTextEquals("reasoning_tokens"u8)) Reasoning = Larger(Reasoning, ref reader);
        }
    }

    /// <summary>Nothing was read and nothing made, and that is known.</summary>
    public static TokenUsage Nothing { get; } = new() { IsKnown = true };

    private static int Larger(int known, ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var told) ? Math.Max(known, told) : known;
    }
}
