namespace Stoker.Cli;

/// <param name="Right">Aligned to the right, as numbers are.</param>
/// <param name="Sacrifice">When the terminal is too narrow, the column with the greatest number goes first; 0 stays always.</param>
/// <param name="Most">Widest that it may get; the last column takes what is left instead.</param>
internal sealed record TableColumn(string Title, bool Right = false, int Sacrifice = 0, int Most = int.MaxValue);

/// <summary>A class, because generic code over a struct of this program would have to be compiled at every start.</summary>
internal sealed record Cell(string Text, Tone Tone = Tone.Plain);

/// <summary>A line of the table, or a heading over the lines below it.</summary>
internal sealed record TableRow(IReadOnlyList<Cell> Cells)
{
    /// <summary>Stands alone on its line, in place of cells.</summary>
    public string? Heading { get; init; }
}

/// <summary>Lays out a table for a width: aligned, one line per row, cut with <c>…</c> rather than wrapped.</summary>
internal static class Table
{
    private const int Gap = 2;

    /// <summary>What the last column, the one that is cut, should have at least before columns are sacrificed for it.</summary>
    private const int LastAtLeast = 24;

    public static IReadOnlyList<string> Lay(IReadOnlyList<TableColumn> columns, IReadOnlyList<TableRow> rows, int width, Style style)
    {
        var widths = Widths(columns, rows);
        var shown = Shown(columns, widths, width);
        var lines = new List<string>(rows.Count + 1)
        {
            Line(columns, [.. columns.Select(c => new Cell(c.Title, Tone.Dim))], widths, shown, width, style),
        };
        foreach (var row in rows)
        {
            lines.Add(row.Heading is { } heading
                ? style.Paint(TextWidth.Cut(TextWidth.OneLine(heading), width), Tone.Strong)
                : Line(columns, row.Cells, widths, shown, width, style));
        }

        return lines;
    }

    private static int[] Widths(IReadOnlyList<TableColumn> columns, IReadOnlyList<TableRow> rows)
    {
        var widths = new int[columns.Count];
        for (var i = 0; i < widths.Length; i++)
        {
            var widest = TextWidth.Of(columns[i].Title);
            foreach (var row in rows)
            {
                if (row.Heading is null) widest = Math.Max(widest, TextWidth.Of(TextWidth.OneLine(row.Cells[i].Text)));
            }

            widths[i] = Math.Min(widest, columns[i].Most);
        }

        return widths;
    }

    private static bool[] Shown(IReadOnlyList<TableColumn> columns, int[] widths, int width)
    {
        var shown = new bool[columns.Count];
        for (var i = 0; i < shown.Length; i++) shown[i] = true;
        var last = columns.Count - 1;
        while (true)
        {
            var needed = Math.Min(widths[last], LastAtLeast);
            var victim = -1;
            for (var i = 0; i < last; i++)
            {
                if (!shown[i]) continue;
                needed += widths[i] + Gap;
                if (columns[i].Sacrifice > (victim < 0 ? 0 : columns[victim].Sacrifice)) victim = i;
            }

            if (needed <= width || victim < 0) return shown;
            shown[victim] = false;
        }
    }

    private static string Line(
        IReadOnlyList<TableColumn> columns, IReadOnlyList<Cell> cells, int[] widths, bool[] shown, int width, Style style)
    {
        var parts = new List<string>(columns.Count);
        var used = 0;
        // Nothing is padded behind the last text of a line, so that it neither wraps nor leaves blanks in a copy.
        var end = columns.Count - 1;
        while (end >= 0 && (!shown[end] || cells[end].Text.Length == 0)) end--;
        for (var i = 0; i <= end; i++)
        {
            if (!shown[i]) continue;
            var room = Math.Min(widths[i], width - used);
            if (i == columns.Count - 1) room = width - used;
            if (room <= 0) break;
            var text = TextWidth.OneLine(cells[i].Text);
            parts.Add(style.Paint(i == end && !columns[i].Right ? TextWidth.Cut(text, room) : TextWidth.Fit(text, room, columns[i].Right), cells[i].Tone));
            used += room + Gap;
        }

        return string.Join("  ", parts);
    }
}
