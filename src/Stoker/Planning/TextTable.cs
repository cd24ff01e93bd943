using System.Text;

namespace Stoker.Planning;

/// <summary>
/// Rows of columns that fit a width: every column but the last is as wide as its widest cell, and the last one wraps under
/// itself. Wide terminals get no wider gaps; on very narrow ones the last column keeps a third of the width.
/// </summary>
internal sealed class TextTable(int width, int indent)
{
    private const int Gap = 2;

    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Print(StringBuilder text)
    {
        if (_rows.Count == 0) return;
        var columns = _rows[0].Length;
        var widths = new int[columns];
        for (var c = 0; c < columns - 1; c++) widths[c] = _rows.Max(r => Width(r[c]));
        var last = indent + widths.Sum() + widths.Count(w => w > 0) * Gap;
        var room = Math.Max(width - last, width / 3);
        foreach (var row in _rows)
        {
            var line = new StringBuilder().Append(' ', indent);
            for (var c = 0; c < columns - 1; c++)
            {
                if (widths[c] > 0) line.Append(row[c]).Append(' ', widths[c] - Width(row[c]) + Gap);
            }

            var first = true;
            foreach (var part in Wrap(row[^1], room))
            {
                if (!first) line.Append(' ', last);
                text.Append(line.Append(part).ToString().TrimEnd()).Append('\n');
                line.Clear();
                first = false;
            }
        }
    }

    /// <summary>Breaks at spaces; a word longer than the room stands alone.</summary>
    public static IEnumerable<string> Wrap(string text, int room)
    {
        var line = new StringBuilder();
        var used = 0;
        foreach (var word in text.Split(' '))
        {
            var length = Width(word);
            if (used > 0 && used + 1 + length > room)
            {
                yield return line.ToString();
                line.Clear();
                used = 0;
            }

            if (used > 0) line.Append(' ');
            line.Append(word);
            used += length + (used > 0 ? 1 : 0);
        }

        yield return line.ToString();
    }

    /// <summary>Columns on the screen: escape sequences take none.</summary>
    private static int Width(string text)
    {
        var width = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\e') i = text.IndexOf('m', i);
            else if (!char.IsLowSurrogate(text[i])) width++;
        }

        return width;
    }
}
