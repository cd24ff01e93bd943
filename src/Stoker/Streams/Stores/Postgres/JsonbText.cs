using System.Buffers;
using System.Globalization;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>
/// What jsonb refuses although it is JSON: <c>\u0000</c>, and halves of surrogates as <c>\ud800</c>. A document with one is kept as it is beside a copy that has
/// U+FFFD in their places.
/// </summary>
internal static class JsonbText
{
    private const int Escape = 6;

    private static ReadOnlySpan<byte> Replacement => "\\ufffd"u8;

    /// <returns>False: jsonb takes it as it is.</returns>
    public static bool TryReplace(ReadOnlySpan<byte> json, out ReadOnlyMemory<byte> replaced)
    {
        replaced = default;
        if (json.IndexOf("\\u"u8) < 0) return false;
        ArrayBufferWriter<byte>? output = null;
        var copied = 0;
        for (var at = 0; json[at..].IndexOf((byte)'\\') is >= 0 and var ahead;)
        {
            at += ahead;
            if (json[at + 1] != 'u')
            {
                at += 2;
                continue;
            }

            var unit = Unit(json, at);
            var isPair = char.IsHighSurrogate(unit) && json[(at + Escape)..].StartsWith("\\u"u8) && char.IsLowSurrogate(Unit(json, at + Escape));
            if (!isPair && (unit == '\0' || char.IsSurrogate(unit)))
            {
                output ??= new ArrayBufferWriter<byte>(json.Length);
                output.Write(json[copied..at]);
                output.Write(Replacement);
                copied = at + Escape;
            }

            at += isPair ? 2 * Escape : Escape;
        }

        if (output is null) return false;
        output.Write(json[copied..]);
        replaced = output.WrittenMemory;
        return true;
    }

    // What is not JSON after all is left for the server to refuse.
    private static char Unit(ReadOnlySpan<byte> json, int at) =>
        json.Length >= at + Escape && ushort.TryParse(json.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit) ? (char)unit : '?';
}
