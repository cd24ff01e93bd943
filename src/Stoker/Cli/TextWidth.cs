using System.Globalization;
using System.Text;

namespace Stoker.Cli;

/// <summary>How many cells of a terminal a text takes, and texts made to take so many.</summary>
internal static class TextWidth
{
    public static int Of(string text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes()) width += Of(rune);
        return width;
    }

    /// <summary>At most <paramref name="width"/> cells; what does not fit gives way to <c>…</c>.</summary>
    public static string Cut(string text, int width)
    {
        if (Of(text) <= width) return text;
        if (width <= 0) return "";
        var kept = new StringBuilder();
        var used = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (used + Of(rune) > width - 1) break;
            kept.Append(rune);
            used += Of(rune);
        }

        return kept.Append('…').ToString();
    }

    /// <summary>Exactly <paramref name="width"/> cells.</summary>
    public static string Fit(string text, int width, bool right = false)
    {
        var cut = Cut(text, width);
        var space = new string(' ', Math.Max(0, width - Of(cut)));
        return right ? space + cut : cut + space;
    }

    /// <summary>
    /// On one line and without control characters: what a service wrote must not move the cursor or recolour a table.
    /// </summary>
    public static string OneLine(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\x1f') && !text.AsSpan().ContainsAnyInRange('\x7f', '\x9f')) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c is '\n' or '\t') clean.Append(' ');
            else if (!char.IsControl(c)) clean.Append(c);
        }

        return clean.ToString();
    }

    /// <summary>Lines of at most <paramref name="width"/> cells, broken between words; a longer word has a line of its own.</summary>
    public static IReadOnlyList<string> Fold(string text, int width)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && Of(line) + 1 + Of(word) > width)
            {
                lines.Add(line);
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        lines.Add(line);
        return lines;
    }

    private static int Of(Rune rune)
    {
        var value = rune.Value;
        if (value < 0x300) return 1;
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format) return 0;
        // The blocks of East Asian Width W and F, and of emoji, as Unicode's EastAsianWidth.txt groups them.
        return value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0x303E) or (>= 0x3041 and <= 0xA4CF)
            or (>= 0xA960 and <= 0xA97C) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F)
            or (>= 0xFF00 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1F64F)
            or (>= 0x1F680 and <= 0x1F6FF) or (>= 0x1F900 and <= 0x1F9FF) or (>= 0x20000 and <= 0x3FFFD)
            ? 2
            : 1;
    }
}
