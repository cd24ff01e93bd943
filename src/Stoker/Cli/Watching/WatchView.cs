namespace Stoker.Cli.Watching;

/// <summary>A model as the lines of a screen: a title, the pane, and a line of keys. Pure; never more lines than there are rows.</summary>
internal static class WatchView
{
    private const string Reverse = "\e[7m";
    private const string Reset = "\e[0m";

    public static IReadOnlyList<string> Lay(WatchModel model, TerminalSize size, TimeProvider clock, Style style)
    {
        var columns = Math.Max(20, size.Columns);
        var rows = Math.Max(4, size.Rows);
        var pane = model.Pane == WatchPane.Services ? Services(model, columns, rows - 3, style) : Text(model, columns, rows - 3);
        var lines = new List<string>(rows) { Title(model, columns, clock, style), "" };
        lines.AddRange(pane);
        while (lines.Count < rows - 1) lines.Add("");
        lines.Add(Foot(model, columns, style));
        return lines;
    }

    private static string Title(WatchModel model, int columns, TimeProvider clock, Style style)
    {
        var time = Moments.TimeOfDay(model.Now, clock)[..8];
        var text = model.Status is { } status ? StatusTable.Summary(status with { Services = model.Shown }) : "waiting for the daemon";
        if (model.Filter.Length > 0) text += $"  matching `{model.Filter}`";
        return style.Paint(TextWidth.Fit(text, columns - time.Length - 1), Tone.Strong) + " " + style.Paint(time, Tone.Dim);
    }

    private static List<string> Services(WatchModel model, int columns, int room, Style style)
    {
        if (model.Status is not { } status) return [];
        var shown = status with { Services = model.Shown };
        if (shown.Services.Count == 0) return [model.Filter.Length > 0 ? "nothing matches; esc shows all" : "no services"];
        var rows = StatusTable.Rows(shown, model.Now).ToList();
        var table = rows.Select(r => r.Row).ToList();
        var painted = Table.Lay(StatusTable.Columns, table, columns, style);
        var selected = rows.FindIndex(r => r.Service is { } s && s.Name == model.Selected);
        var first = FirstRow(selected, rows.Count, room - 1);
        var lines = new List<string>(room) { painted[0] };
        for (var i = first; i < rows.Count && lines.Count < room; i++)
        {
            lines.Add(i == selected
                ? Reverse + TextWidth.Fit(Table.Lay(StatusTable.Columns, table, columns, Style.None)[i + 1], columns) + Reset
                : painted[i + 1]);
        }

        return lines;
    }

    /// <summary>The selected row stands in the middle where the list is longer than the screen.</summary>
    private static int FirstRow(int selected, int rows, int room) =>
        rows <= room ? 0 : Math.Clamp(selected - (room / 2), 0, rows - room);

    private static List<string> Text(WatchModel model, int columns, int room)
    {
        var lines = model.Text;
        var first = model.Pane == WatchPane.Logs ? Math.Max(0, lines.Count - room - model.Scroll) : Math.Min(model.Scroll, Math.Max(0, lines.Count - 1));
        return [.. lines.Skip(first).Take(room).Select(l => TextWidth.Cut(TextWidth.OneLine(l), columns))];
    }

    private static string Foot(WatchModel model, int columns, Style style)
    {
        if (model.Asked is WatchCommand.Request request) return style.Paint(TextWidth.Cut($"{request.Action} {request.Service}?  y: yes, any other key: no", columns), Tone.Busy);
        if (model.Asked is WatchCommand.Quit) return style.Paint(TextWidth.Cut("stop every service and end?  y: yes, any other key: no", columns), Tone.Busy);
        if (model.IsFiltering) return TextWidth.Cut($"/{model.Filter}_", columns);
        if (model.Message is { } message) return TextWidth.Cut(TextWidth.OneLine(message), columns);
        var keys = model.Pane switch
        {
            WatchPane.Services => "↑↓ select  enter logs  w why  r restart  s stop  / filter  ? help  q " + (model.IsOwner ? "stop all" : "quit"),
            WatchPane.Logs => $"logs of {model.Selected}{(model.Scroll > 0 ? $", {model.Scroll} lines back" : ", live")}  ↑↓ scroll  esc back",
            WatchPane.Why or WatchPane.Help => "↑↓ scroll  esc back",
        };
        return style.Paint(TextWidth.Cut(keys, columns), Tone.Dim);
    }
}
