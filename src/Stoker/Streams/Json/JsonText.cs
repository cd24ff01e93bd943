using System.Buffers;
using System.Text;
using Stoker.Json;

namespace Stoker.Streams.Json;

/// <summary>Strings of JSON without their escapes. What comes in was scanned: its escapes are whole.</summary>
internal static class JsonText
{
    /// <summary>Bytes written; never more than came in. Half a surrogate pair becomes U+FFFD.</summary>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> into)
    {
        var written = 0;
        while (true)
        {
            var plain = escaped.IndexOf((byte)'\\');
            if (plain < 0)
            {
                escaped.CopyTo(into[written..]);
                return written + escaped.Length;
            }

            escaped[..plain].CopyTo(into[written..]);
            written += plain;
            if (escaped[plain + 1] != 'u')
            {
                into[written++] = Short(escaped[plain + 1]);
                escaped = escaped[(plain + 2)..];
                continue;
            }

            var rune = ReadRune(escaped[plain..], out var consumed);
            written += rune.EncodeToUtf8(into[written..]);
            escaped = escaped[(plain + consumed)..];
        }
    }

    public static bool Is(ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> text)
    {
        if (escaped.Length < text.Length) return false;
        var buffer = ArrayPool<byte>.Shared.Rent(escaped.Length);
        var same = buffer.AsSpan(0, Unescape(escaped, buffer)).SequenceEqual(text);
        ArrayPool<byte>.Shared.Return(buffer);
        return same;
    }

    public static string Decode(ReadOnlySpan<byte> escaped)
    {
        if (!escaped.Contains((byte)'\\')) return Encoding.UTF8.GetString(escaped);
        var buffer = ArrayPool<byte>.Shared.Rent(escaped.Length);
        var text = Encoding.UTF8.GetString(buffer, 0, Unescape(escaped, buffer));
        ArrayPool<byte>.Shared.Return(buffer);
        return text;
    }

    private static Rune ReadRune(ReadOnlySpan<byte> escaped, out int consumed)
    {
        consumed = 6;
        var unit = JsonGrammar.Hex4(escaped[2..]);
        if (Rune.TryCreate((char)unit, out var rune)) return rune;
        if (escaped.Length < 12 || escaped[6] != '\\' || escaped[7] != 'u' || !Rune.TryCreate((char)unit, (char)JsonGrammar.Hex4(escaped[8..]), out rune)) return Rune.ReplacementChar;
        consumed = 12;
        return rune;
    }

    private static byte Short(byte letter) => letter switch
    {
        (byte)'n' => (byte)'\n',
        (byte)'t' => (byte)'\t',
        (byte)'r' => (byte)'\r',
        (byte)'b' => (byte)'\b',
        (byte)'f' => (byte)'\f',
        _ => letter,
    };
}
