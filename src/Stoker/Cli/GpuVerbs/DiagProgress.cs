using System.Globalization;
using Stoker.Gpus.Diag;

namespace Stoker.Cli.GpuVerbs;

/// <summary>How far a diagnosis is: on a terminal one line that repaints itself; else, of a long run, a line a minute.</summary>
internal sealed class DiagProgress(Invocation run, DiagSpec spec)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMinutes(1);

    private readonly bool _repaints = run.World.Terminal.ErrorIsTerminal;
    private bool _isPainted;
    private long? _said;

    public void Show(IReadOnlyList<CardWork> works)
    {
        var text = string.Join("  ", works.Select(Line));
        if (_repaints)
        {
            run.Report.Write("\r\e[K" + run.Report.Style.Paint(TextWidth.Cut(text, run.World.Terminal.Size.Columns - 1), Tone.Dim));
            _isPainted = true;
            return;
        }

        if (spec.For == TimeSpan.Zero || (_said is { } last && run.World.Clock.GetElapsedTime(last) < Pace)) return;
        _said = run.World.Clock.GetTimestamp();
        run.Report.Say(text);
    }

    /// <summary>Takes the repainted line away.</summary>
    public void Clear()
    {
        if (_isPainted) run.Report.Write("\r\e[K");
        _isPainted = false;
    }

    private string Line(CardWork work)
    {
        var (stage, totals) = (work.Stage, work.Totals);
        if (work.End.IsCompleted) return $"GPU {stage.Index}: done";
        if (totals.Kinds.Count == 0) return $"GPU {stage.Index}: {stage.Stage}";
        var how = totals.Sight is { WattLooks: > 0, Celsius: { } celsius } sight ? string.Create(CultureInfo.InvariantCulture, $", {sight.Watts / sight.WattLooks:0} W, up to {celsius} °C") : "";
        var far = spec.For > TimeSpan.Zero ? $"{LoadChecks.Length(totals.Seconds)} of {LoadChecks.Length(spec.For.TotalSeconds)}, " : "";
        return $"GPU {stage.Index}: {far}{stage.Stage}, {totals.Kinds.Sum(k => k.Wrong)} wrong{how}";
    }
}
