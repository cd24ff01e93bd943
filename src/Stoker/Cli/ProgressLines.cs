using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>
/// Snapshots turned into lines of progress, one for each transition seen: <c>   0.21 s  redis     healthy</c>. On a terminal what is on
/// its way is one line that repaints itself, and only what has arrived somewhere stays.
/// </summary>
/// <param name="names">The services of interest; empty: all.</param>
internal sealed class ProgressLines(Report report, TimeProvider clock, IReadOnlyList<string> names, bool fromNow, bool repaint, int width)
{
    private readonly long _begun = clock.GetTimestamp();
    private readonly Dictionary<string, ServiceState> _seen = [];
    private bool _painted;
    private bool _begunToSee;

    public TimeSpan Elapsed => clock.GetElapsedTime(_begun);

    public void See(StatusDocument status)
    {
        var meant = status.Services.Where(s => names.Count == 0 || names.Contains(s.Name)).ToList();
        var column = meant.Count == 0 ? 0 : Math.Min(32, meant.Max(s => TextWidth.Of(s.Name)));
        foreach (var service in meant)
        {
            var isNew = !_seen.TryGetValue(service.Name, out var before);
            _seen[service.Name] = service.State;
            if (isNew ? _begunToSee || !fromNow : before != service.State) Tell(service, column, isNew);
        }

        _begunToSee = true;

        if (repaint) Paint(meant);
    }

    /// <summary>Takes the repainted line away; to be called before anything else is written.</summary>
    public void Clear()
    {
        if (_painted) report.Write("\r\e[K");
        _painted = false;
    }

    private void Tell(ServiceDocument service, int column, bool isNew)
    {
        // What was so before is no progress; it is named only where it is not well.
        if (isNew && repaint && !States.IsUp(service.State) && States.Tone(service.State) != Tone.Bad) return;
        if (repaint && States.Tone(service.State) == Tone.Busy) return;
        Clear();
        var style = report.Style;
        var head = $"{DurationWords.Of(Elapsed),8}  {style.Paint(TextWidth.Fit(service.Name, column), Tone.Name)}  ";
        var reason = States.Reason(service);
        var state = StateWords.Of(service.State);
        var room = width - 8 - 2 - column - 2 - 9 - 2;
        report.Say(reason.Length == 0
            ? head + style.Paint(state, States.Tone(service.State))
            : head + style.Paint(TextWidth.Fit(state, 9), States.Tone(service.State)) + "  " + TextWidth.Cut(TextWidth.OneLine(reason), Math.Max(room, 16)));
    }

    private void Paint(List<ServiceDocument> meant)
    {
        var busy = meant.Where(s => States.Tone(s.State) == Tone.Busy).ToList();
        if (busy.Count == 0)
        {
            Clear();
            return;
        }

        var text = $"{DurationWords.Of(Elapsed),8}  {meant.Count - busy.Count} of {meant.Count}; "
            + string.Join(", ", busy.OrderByDescending(s => s.State == ServiceState.Starting).Select(s => $"{s.Name} {StateWords.Of(s.State)}"));
        report.Write("\r\e[K" + report.Style.Paint(TextWidth.Cut(text, width - 1), Tone.Dim));
        _painted = true;
    }
}
