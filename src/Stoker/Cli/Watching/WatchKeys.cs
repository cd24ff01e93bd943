using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli.Watching;

/// <summary>What each key does: a new model, and a command for the loop perhaps. Pure.</summary>
internal static class WatchKeys
{
    public static IReadOnlyList<(string Key, string Does)> Help { get; } =
    [
        ("↑ ↓  j k", "select a service"),
        ("enter  l", "its logs, live"),
        ("w", "why it is as it is"),
        ("r", "restart it"),
        ("s", "stop it, or start it when it is stopped"),
        ("/", "show only what matches; esc shows all again"),
        ("?", "this help"),
        ("esc", "back"),
        ("q", "quit the view"),
    ];

    public static (WatchModel Model, WatchCommand? Command) Press(WatchModel model, Key key)
    {
        model = model with { Message = null };
        if (key.Kind == KeyKind.Interrupt) return (model, new WatchCommand.Quit());
        if (model.Asked is { } asked) return key.Is('y') ? (model with { Asked = null }, asked) : (model with { Asked = null, Message = "left as it is" }, null);
        if (model.IsFiltering) return (Filter(model, key), null);
        return model.Pane == WatchPane.Services ? InServices(model, key) : InText(model, key);
    }

    /// <summary>A new snapshot; the selection stays on its service, or goes to the first when that is gone.</summary>
    public static WatchModel See(WatchModel model, StatusDocument status, DateTimeOffset now) => Reselect(model with { Status = status, Now = now });

    private static (WatchModel, WatchCommand?) InServices(WatchModel model, Key key)
    {
        switch (key.Kind)
        {
            case KeyKind.Up: return (Move(model, -1), null);
            case KeyKind.Down: return (Move(model, +1), null);
            case KeyKind.PageUp: return (Move(model, -10), null);
            case KeyKind.PageDown: return (Move(model, +10), null);
            case KeyKind.Home: return (Move(model, int.MinValue / 2), null);
            case KeyKind.End: return (Move(model, int.MaxValue / 2), null);
            case KeyKind.Escape: return (Reselect(model with { Filter = "" }), null);
            case KeyKind.Enter: return Logs(model);
            case KeyKind.Character: return Letter(model, key);
            default: return (model, null);
        }
    }

    private static (WatchModel, WatchCommand?) Letter(WatchModel model, Key key) => key.Character.Value switch
    {
        'q' => model.IsOwner ? (model with { Asked = new WatchCommand.Quit() }, null) : (model, new WatchCommand.Quit()),
        'k' => (Move(model, -1), null),
        'j' => (Move(model, +1), null),
        'l' => Logs(model),
        'w' when model.Selected is { } name =>
            (model with { Pane = WatchPane.Why, Text = ["asking…"], Scroll = 0 }, new WatchCommand.AskWhy(name)),
        'r' when model.Selected is { } name => (model with { Asked = new WatchCommand.Request(name, "restart") }, null),
        's' when Selected(model) is { } service =>
            (model with { Asked = new WatchCommand.Request(service.Name, States.IsOver(service.State) ? "start" : "stop") }, null),
        '/' => (model with { IsFiltering = true }, null),
        '?' => (model with { Pane = WatchPane.Help, Text = [.. Help.Select(h => $"  {TextWidth.Fit(h.Key, 10)}{h.Does}")], Scroll = 0 }, null),
        _ => (model, null),
    };

    private static (WatchModel, WatchCommand?) Logs(WatchModel model) => model.Selected is { } name
        ? (model with { Pane = WatchPane.Logs, Text = [], Scroll = 0 }, new WatchCommand.OpenLogs(name))
        : (model, null);

    private static (WatchModel, WatchCommand?) InText(WatchModel model, Key key)
    {
        if (key.Kind == KeyKind.Escape || key.Is('q') || key.Is('l') || (key.Kind == KeyKind.Left))
        {
            var command = model.Pane == WatchPane.Logs ? new WatchCommand.CloseLogs() : null;
            return (model with { Pane = WatchPane.Services, Text = [], Scroll = 0 }, command);
        }

        // Logs are scrolled away from their end, everything else from its start.
        var towardsStart = model.Pane == WatchPane.Logs ? +1 : -1;
        var by = key.Kind switch
        {
            KeyKind.Up => towardsStart,
            KeyKind.Down => -towardsStart,
            KeyKind.PageUp => 20 * towardsStart,
            KeyKind.PageDown => -20 * towardsStart,
            KeyKind.Home => towardsStart * model.Text.Count,
            KeyKind.End => -towardsStart * model.Text.Count,
            KeyKind.Character when key.Is('k') => towardsStart,
            KeyKind.Character when key.Is('j') => -towardsStart,
            _ => 0,
        };
        return (model with { Scroll = Math.Clamp(model.Scroll + by, 0, Math.Max(0, model.Text.Count - 1)) }, null);
    }

    private static WatchModel Filter(WatchModel model, Key key) => key.Kind switch
    {
        KeyKind.Enter => model with { IsFiltering = false },
        KeyKind.Escape => Reselect(model with { IsFiltering = false, Filter = "" }),
        KeyKind.Backspace => Reselect(model with { Filter = model.Filter.Length > 0 ? model.Filter[..^1] : "" }),
        KeyKind.Character => Reselect(model with { Filter = model.Filter + key.Character }),
        _ => model,
    };

    private static ServiceDocument? Selected(WatchModel model) => model.Shown.FirstOrDefault(s => s.Name == model.Selected);

    private static WatchModel Move(WatchModel model, int by)
    {
        var shown = model.Shown;
        if (shown.Count == 0) return model;
        var at = Math.Max(0, shown.FindIndex(s => s.Name == model.Selected));
        return model with { Selected = shown[Math.Clamp(at + by, 0, shown.Count - 1)].Name };
    }

    private static WatchModel Reselect(WatchModel model)
    {
        var shown = model.Shown;
        return shown.Exists(s => s.Name == model.Selected) ? model : model with { Selected = shown.FirstOrDefault()?.Name };
    }
}
