using System.Buffers.Text;
using Stoker.Json;

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

    /// <summary>Reads the value of the key <c>usage</c>, whose names differ between endpoints, and are within objects of their own for some of the numbers.</summary>
    /// <param name="value">A whole JSON value, as it is written.</param>
    public void Read(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value[0] != '{') return;
        IsKnown = true;
        for (var at = 1; value[at..].IndexOf((byte)'"') is var found and >= 0;)
        {
            var name = at + found + 1;
            var end = JsonGrammar.EndOfString(value, name, out _);
            at = Math.Min(end + 1, value.Length);
            var behind = JsonGrammar.SkipSpace(value, at);
            // A string with a colon behind it is a name.
            if (behind >= value.Length || value[behind] != ':') continue;
            at = JsonGrammar.SkipSpace(value, behind + 1);
            if (Utf8Parser.TryParse(value[at..], out int told, out var length)) Take(value[name..end], told, value[(at + length)..]);
        }
    }

    /// <summary>Nothing was read and nothing made, and that is known.</summary>
    public static TokenUsage Nothing { get; } = new() { IsKnown = true };

    private void Take(ReadOnlySpan<byte> name, int told, ReadOnlySpan<byte> behind)
    {
        // 1.5 and 1e3 are no numbers of tokens.
        if (!behind.IsEmpty && behind[0] is (byte)'.' or (byte)'e' or (byte)'E') return;
        if (name.SequenceEqual("prompt_tokens"u8) || name.SequenceEqual("input_tokens"u8)) Prompt = Math.Max(Prompt, told);
        else if (name.SequenceEqual("completion_tokens"u8) || name.SequenceEqual("output_tokens"u8)) Completion = Math.Max(Completion, told);
        else if (name.SequenceEqual("cached_tokens"u8)) Cached = Math.Max(Cached, told);
        else if (name.SequenceEqual("reasoning_tokens"u8)) Reasoning = Math.Max(Reasoning, told);
    }
}
