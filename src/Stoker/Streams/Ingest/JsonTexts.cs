using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>Strings of a tape as they are kept: in place, or without their escapes in the scratch room.</summary>
internal static class JsonTexts
{
    public static ReadOnlyMemory<byte> Plain(JsonTape tape, int token, Scratch scratch)
    {
        if (!tape.IsEscaped(token)) return tape.ContentMemory(token);
        var content = tape.Content(token);
        var piece = scratch.Take(content.Length);
        return scratch.Keep(piece, JsonText.Unescape(content, piece.Span));
    }
}
