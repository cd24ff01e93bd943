using System.Runtime.CompilerServices;

namespace Stoker.Streams.Json;

/// <summary>
/// The tokens of one JSON text in order. A token is known by its number; 0 is the root. Properties of an object are a name and, behind
/// it, the value: <c>for (var name = obj + 1; name &lt; tape.Next(obj); name = tape.Next(name + 1))</c>.
/// </summary>
internal sealed class JsonTape
{
    private JsonToken[] _tokens = new JsonToken[256];

    public ReadOnlyMemory<byte> Text { get; private set; }

    public int Length { get; private set; }

    public JsonKind Kind(int token) => _tokens[token].Kind;

    public int Next(int token) => _tokens[token].Next;

    public int Count(int token) => _tokens[token].Count;

    public int Start(int token) => _tokens[token].Start;

    public bool IsEscaped(int token) => _tokens[token].IsEscaped;

    /// <summary>The bytes as they came; of strings and names without the quotation marks.</summary>
    public ReadOnlySpan<byte> Content(int token) => Text.Span.Slice(_tokens[token].Start, _tokens[token].Length);

    public ReadOnlyMemory<byte> ContentMemory(int token) => Text.Slice(_tokens[token].Start, _tokens[token].Length);

    /// <summary>The bytes as they came; of strings and names with the quotation marks.</summary>
    public ReadOnlyMemory<byte> Raw(int token)
    {
        ref var found = ref _tokens[token];
        return found.Kind is JsonKind.String or JsonKind.Name ? Text.Slice(found.Start - 1, found.Length + 2) : Text.Slice(found.Start, found.Length);
    }

    /// <summary>The value of an object's property, or -1.</summary>
    public int Find(int token, ReadOnlySpan<byte> name)
    {
        if (Kind(token) != JsonKind.Object) return -1;
        var end = Next(token);
        for (var at = token + 1; at < end; at = Next(at + 1))
        {
            if (Is(at, name)) return at + 1;
        }

        return -1;
    }

    /// <summary>Whether the string or name is this text, however it is escaped.</summary>
    public bool Is(int token, ReadOnlySpan<byte> text) => IsEscaped(token) ? JsonText.Is(Content(token), text) : Content(token).SequenceEqual(text);

    /// <summary>The text of a string or name. For messages and for what is kept rarely.</summary>
    public string TextOf(int token) => JsonText.Decode(Content(token));

    public void Begin(ReadOnlyMemory<byte> text)
    {
        Text = text;
        Length = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Add(JsonKind kind, int start, int length, bool isEscaped = false)
    {
        if (Length == _tokens.Length) Array.Resize(ref _tokens, Length * 2);
        _tokens[Length] = new JsonToken(kind, start, length, Length + 1, isEscaped);
        return Length++;
    }

    public void Close(int token, int end, int count) => _tokens[token].Close(end, Length, count);
}
