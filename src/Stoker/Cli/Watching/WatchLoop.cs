using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli.Watching;

/// <summary>
/// The one loop of the view: snapshots, keys, log lines and answers come through one channel, each changes the model, and what
/// changed on the screen is painted.
/// </summary>
internal sealed class WatchLoop : IDisposable
{
    private const int LogLinesKept = 5000;

    private readonly Invocation _run;
    private readonly ControlClient _control;
    private readonly IScreen _screen;
    private readonly ViewFacts<Fact> _facts = new();
    private readonly ScreenPainter _painter = new();
    private readonly CancellationTokenSource _end;
    private CancellationTokenSource? _logs;
    private WatchModel _model;

    private WatchLoop(Invocation run, ControlClient control, IScreen screen, WatchModel model, CancellationToken interrupt)
    {
        _run = run;
        _control = control;
        _screen = screen;
        _end = CancellationTokenSource.CreateLinkedTokenSource(interrupt);
        _model = model with { Now = run.World.Clock.GetUtcNow() };
    }

    /// <summary>Done when the person quit, interrupted when the world wants it, no daemon when that ended.</summary>
    public static async Task<ExitCode> RunAsync(
        Invocation run, ControlClient control, IScreen screen, WatchModel model, CancellationToken interrupt = default)
    {
        using var loop = new WatchLoop(run, control, screen, model, interrupt);
        try
        {
            return await loop.RunAsync();
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
        _logs?.Dispose();
    }

    private async Task<ExitCode> RunAsync()
    {
        _facts.Watch(FollowStatusAsync(_end.Token));
        _facts.WatchScreen(_screen, input => new Fact.Input(input), _end.Token);
        Paint();
        while (true)
        {
            if (Take(await _facts.NextAsync(_end.Token)) is { } code) return code;
            // What has come meanwhile is taken in before painting, so that a flood of lines costs one frame.
            while (_facts.TryNext(out var fact))
            {
                if (Take(fact) is { } next) return next;
            }

            Paint();
        }
    }

    /// <summary>Null to go on.</summary>
    private ExitCode? Take(Fact fact)
    {
        switch (fact)
        {
            case Fact.Snapshot snapshot:
                _model = WatchKeys.See(_model, snapshot.Status, _run.World.Clock.GetUtcNow());
                return null;
            case Fact.DaemonEnded:
                return ExitCode.NoDaemon;
            case Fact.Input { What: ScreenInput.Closed }:
                return ExitCode.Interrupted;
            case Fact.Input { What: ScreenInput.Resized }:
                _screen.Write(_painter.Clear());
                return null;
            case Fact.Input { What: ScreenInput.Pressed pressed }:
                return Press(pressed.Key);
            case Fact.LogLine line when _model.Pane == WatchPane.Logs && line.Service == _model.Selected:
                AddLogLine(line.Text);
                return null;
            case Fact.Why why when _model.Pane == WatchPane.Why:
                _model = _model with { Text = why.Lines };
                return null;
            case Fact.Said said:
                _model = _model with { Message = said.Text };
                return null;
            default:
                // A line or an answer for a pane that was left meanwhile.
                return null;
        }
    }

    private ExitCode? Press(Key key)
    {
        (_model, var command) = WatchKeys.Press(_model, key);
        switch (command)
        {
            case WatchCommand.Quit:
                return key.Kind == KeyKind.Interrupt ? ExitCode.Interrupted : ExitCode.Done;
            case WatchCommand.OpenLogs open:
                _logs = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
                _facts.Watch(FollowLogsAsync(open.Service, _logs.Token));
                break;
            case WatchCommand.CloseLogs:
                _logs?.Cancel();
                break;
            case WatchCommand.AskWhy ask:
                _facts.Watch(Task.Run(() => AskWhy(ask.Service)));
                break;
            case WatchCommand.Request request:
                _model = _model with { Message = $"{request.Action} {request.Service}: asked" };
                _facts.Watch(Task.Run(() => Request(request)));
                break;
        }

        return null;
    }

    private void AddLogLine(string text)
    {
        var lines = _model.Text.Count < LogLinesKept ? [.. _model.Text, text] : (IReadOnlyList<string>)[.. _model.Text.Skip(_model.Text.Count / 10), text];
        // Who has scrolled back stays at the lines that are being read.
        _model = _model with { Text = lines, Scroll = _model.Scroll > 0 ? Math.Min(_model.Scroll + 1, lines.Count - 1) : 0 };
    }

    private void Paint()
    {
        var frame = _painter.Paint(WatchView.Lay(_model, _run.World.Terminal.Size, _run.World.Clock, _run.Style));
        if (frame.Length > 0) _screen.Write(frame);
    }

    private async Task FollowStatusAsync(CancellationToken cancel)
    {
        var reply = await _control.FollowStatusAsync(cancel);
        if (reply is ControlReply<ControlStream<StatusDocument>>.Answered { Document: var stream })
        {
            using (stream)
            {
                while (await stream.NextAsync(cancel) is { } status) _facts.Post(new Fact.Snapshot(status));
            }
        }

        _facts.Post(new Fact.DaemonEnded());
    }

    private async Task FollowLogsAsync(string service, CancellationToken cancel)
    {
        var reply = await _control.LogsAsync(new LogFollowQuery([service], 200, null, null), cancel);
        if (reply is not ControlReply<ControlStream<LogDocument>>.Answered { Document: var stream })
        {
            _facts.Post(new Fact.Said(Words(reply)));
            return;
        }

        using (stream)
        {
            while (await stream.NextAsync(cancel) is { } line)
                _facts.Post(new Fact.LogLine(service, $"{Moments.TimeOfDay(line.At, _run.World.Clock)} {(line.Replica > 1 ? $".{line.Replica} " : "")}{line.Text}"));
        }
    }

    private void AskWhy(string service)
    {
        var reply = _control.Why(service);
        _facts.Post(reply is ControlReply<WhyDocument>.Answered { Document: var why }
            ? new Fact.Why(WhyLines.Lay(why, Style.None))
            : new Fact.Why([Words(reply)]));
    }

    private void Request(WatchCommand.Request request)
    {
        var reply = _control.Request(request.Service, request.Action);
        if (reply is not ControlReply<AcceptedDocument>.Answered) _facts.Post(new Fact.Said($"{request.Action} {request.Service}: {Words(reply)}"));
    }

    private static string Words<T>(ControlReply<T> reply) => reply switch
    {
        ControlReply<T>.Rejected rejected => rejected.Error.Hint is { } hint ? $"{rejected.Error.Message} ({hint})" : rejected.Error.Message,
        ControlReply<T>.NoDaemon none => none.Reason,
        _ => "",
    };

    private abstract record Fact
    {
        internal sealed record Snapshot(StatusDocument Status) : Fact;

        internal sealed record DaemonEnded : Fact;

        internal sealed record Input(ScreenInput What) : Fact;

        internal sealed record LogLine(string Service, string Text) : Fact;

        internal sealed record Why(IReadOnlyList<string> Lines) : Fact;

        internal sealed record Said(string Text) : Fact;
    }
}
