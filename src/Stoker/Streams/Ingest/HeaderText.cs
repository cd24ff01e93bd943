using System.Globalization;
using System.Text.Unicode;

namespace Stoker.Streams.Ingest;

/// <summary>
/// The value of an attribute in a header (CloudEvents HTTP binding, 3.1.3.2): quoted strings are unquoted, then one round of percent-decoding.
/// What is not UTF-8 then, overlong forms too, is refused.
/// </summary>
internal static class HeaderText
{
    /// <summary>Null where it cannot be taken, with the reason.</summary>
    public static ReadOnlyMemory<byte>? Decode(ReadOnlyMemory<byte> value, Scratch scratch, out string reason)
    {
        reason = "";
        var span = value.Span;
        if (span.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            reason = "a header has only printable ASCII; other characters are percent-encoded";
            return null;
        }

        if (!span.ContainsAny((byte)'"', (byte)'%')) return value;
        var taken = scratch.Take(span.Length);
        var room = taken.Span;
        if (!TryUnquote(span, room, out var length))
        {
            reason = "a quotation mark is not closed";
            return null;
        }

        if (!TryPercent(room[..length], out length))
        {
            reason = "a percent sign is not followed by two hexadecimal digits";
            return null;
        }

        if (Utf8.IsValid(room[..length])) return scratch.Keep(taken, length);
        reason = "the bytes that are percent-encoded are not UTF-8";
        return null;
    }

    private static bool TryUnquote(ReadOnlySpan<byte> value, Span<byte> room, out int length)
    {
        length = 0;
        var isQuoted = false;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '"') isQuoted = !isQuoted;
            else if (isQuoted && value[i] == '\\' && i + 1 < value.Length) room[length++] = value[++i];
            else room[length++] = value[i];
        }

        return !isQuoted;
    }

    private static bool TryPercent(Span<byte> text, out int length)
    {
        length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                text[length++] = text[i];
                continue;
            }

            if (i + 2 >= text.Length || !char.IsAsciiHexDigit((char)text[i + 1]) || !char.IsAsciiHexDigit((char)text[i + 2])) return false;
            text[length++] = byte.Parse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            i += 2;
        }

        return true;
    }
}
