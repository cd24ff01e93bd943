using Stoker.Gpus.Diag;

namespace Stoker.Cli.GpuVerbs;

/// <summary>A report of a diagnosis as text.</summary>
internal static class DiagPages
{
    private const int Word = 10, MostName = 18, Label = 10, Widest = 120;

    public static void Print(Invocation run, DiagReport report)
    {
        var width = Math.Min(run.Width, Widest);
        run.Output.WriteLine(run.Style.Paint($"machine{(report.Driver is { } driver ? $": driver {driver}{(report.Cuda is { } cuda ? $", CUDA up to {cuda}" : "")}" : "")}", Tone.Strong));
        Print(run, report.Machine, width);
        foreach (var gpu in report.Gpus)
        {
            run.Output.WriteLine();
            run.Output.WriteLine(run.Style.Paint($"GPU {gpu.Index} {gpu.Name}{(gpu.Simulated ? "*" : "")}", Tone.Strong));
            Print(run, gpu.Findings, width);
        }

        if (report.Training is { } training)
        {
            run.Output.WriteLine();
            run.Output.WriteLine(run.Style.Paint("training", Tone.Strong));
            Print(run, training, width);
        }

        run.Output.WriteLine();
        foreach (var gpu in report.Gpus)
            run.Output.WriteLine($"GPU {gpu.Index}: {run.Style.Paint(Of(gpu.Verdict), ToneOf(gpu.Verdict))}{(gpu.Simulated ? " (simulated)" : "")}");
        var notDone = report.NotDone > 0 ? $"{report.NotDone} not done, " : "";
        var verdict = run.Style.Paint(Of(report.Verdict), ToneOf(report.Verdict));
        run.Output.WriteLine($"{verdict}: {report.Passed} passed, {report.Warned} warned, {report.Failed} failed, {notDone}{report.Unknown} unknown");
        if (report.Level > 1 && report.Gpus.Any(g => !g.Simulated))
            run.Report.Say("levels 2 and 3 were developed on stand-ins for a GPU; should a figure look wrong, doubt the test too (docs/gpu-diag.md)");
    }

    private static void Print(Invocation run, IReadOnlyList<DiagFinding> findings, int width)
    {
        DiagFinding? before = null;
        foreach (var finding in findings)
        {
            // Many checks are not done for one reason, which is told once.
            if (finding.Verdict == DiagVerdict.NotDone && before is { Verdict: DiagVerdict.NotDone } && before.Found == finding.Found) run.Output.WriteLine($"{Head(run, finding)}likewise");
            else Print(run, finding, width);
            before = finding;
        }
    }

    /// <summary>What passed is one line; of all else also why it matters and how it is mended.</summary>
    private static void Print(Invocation run, DiagFinding finding, int width)
    {
        var head = Head(run, finding);
        var room = Math.Max(20, width - 2 - Word - MostName);
        if (finding.Verdict == DiagVerdict.Pass)
        {
            run.Output.WriteLine(head + TextWidth.Cut(TextWidth.OneLine(finding.Found), room));
            return;
        }

        var lines = TextWidth.Fold(TextWidth.OneLine(finding.Found), room);
        for (var i = 0; i < lines.Count; i++) run.Output.WriteLine((i == 0 ? head : new string(' ', 2 + Word + MostName)) + lines[i]);
        if (finding.Verdict is DiagVerdict.Warn or DiagVerdict.Fail) Say(run, "expected", finding.Expected, width);
        if (finding.Why is { } why) Say(run, "because", why, width);
        if (finding.Mend is { } mend) Say(run, "mend", mend, width);
    }

    private static string Head(Invocation run, DiagFinding finding) =>
        $"  {run.Style.Paint(TextWidth.Fit(Of(finding.Verdict), Word), ToneOf(finding.Verdict))}{run.Style.Paint(TextWidth.Fit(finding.Check, MostName), Tone.Name)}";

    private static void Say(Invocation run, string label, string text, int width)
    {
        var margin = new string(' ', 2 + Word);
        var lines = TextWidth.Fold(TextWidth.OneLine(text), Math.Max(20, width - 2 - Word - Label));
        for (var i = 0; i < lines.Count; i++) run.Output.WriteLine($"{margin}{run.Style.Paint(TextWidth.Fit(i == 0 ? label : "", Label), Tone.Dim)}{lines[i]}");
    }

    private static string Of(DiagVerdict verdict) => verdict switch
    {
        DiagVerdict.Pass => "pass",
        DiagVerdict.Warn => "warn",
        DiagVerdict.Fail => "fail",
        DiagVerdict.NotDone => "not done",
        DiagVerdict.Unknown => "unknown",
    };

    private static Tone ToneOf(DiagVerdict verdict) => verdict switch
    {
        DiagVerdict.Pass => Tone.Good,
        DiagVerdict.Warn => Tone.Busy,
        DiagVerdict.Fail or DiagVerdict.NotDone => Tone.Bad,
        DiagVerdict.Unknown => Tone.Dim,
    };
}
