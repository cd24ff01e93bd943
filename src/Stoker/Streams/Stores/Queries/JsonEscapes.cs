using System.Globalization;
using System.Text;

namespace Stoker.Streams.Stores.Queries;

/// <summary>Strings of JSON that the platform's reader refuses to undo: those with half a surrogate.</summary>
internal static class JsonEscapes
{
    /// <param name="escaped">Valid JSON between the quotes.</param>
    public static string Undo(ReadOnlySpan<byte> escaped)
    {
        var text = Encoding.UTF8.GetString(escaped);
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '\\')
            {
                plain.Append(text[at]);
                continue;
            }

            plain.Append(text[++at] switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => (char)ushort.Parse(text.AsSpan(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                var same => same,
            });
            if (text[at] == 'u') at += 4;
        }

        return plain.ToString();
    }
}
