using Stoker.Gpus.Diag;
using Stoker.Platform.Gpus;

namespace Stoker.Cli.GpuVerbs;

internal static class GpuDiagVerb
{
    private const int Word = 9, MostName = 18, Label = 10, Widest = 120;

    public static Verb Create()
    {
        return new Verb("diag", "whether the GPUs are as they should be: driver, devices, settings, memory errors, link, heat")
        {
            Example = "stoker gpu diag",
            Remarks =
            [
                "Asks the driver and the kernel; needs neither DCGM nor the CUDA toolkit, and changes nothing. Each finding is pass, warn, fail or unknown; what could not be read, or what a card does not have, "
                + "is unknown and never passed.",
                "Ends with 1 where anything failed, or where there is no GPU to diagnose. A warning and what is unknown do not change the exit code; the last line counts them.",
                "The kernel's log and some devices may be read by root only.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe],
        }.Does(Run);
    }

    private static ExitCode Run(Invocation run)
    {
        using var door = new GpuDoor(run.World.Gpus, run.World.Clock);
        var report = DiagModule.Look(door, run.World.Diag(), run.World.Clock);
        if (run.Json) run.PrintJson(report, DiagJson.Readable.DiagReport);
        else Print(run, report);
        return report.Failed > 0 ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static void Print(Invocation run, DiagReport report)
    {
        var width = Math.Min(run.Width, Widest);
        run.Output.WriteLine(run.Style.Paint($"machine{(report.Driver is { } driver ? $": driver {driver}{(report.Cuda is { } cuda ? $", CUDA up to {cuda}" : "")}" : "")}", Tone.Strong));
        foreach (var finding in report.Machine) Print(run, finding, width);
        foreach (var gpu in report.Gpus)
        {
            run.Output.WriteLine();
            run.Output.WriteLine(run.Style.Paint($"GPU {gpu.Index} {gpu.Name}{(gpu.Simulated ? "*" : "")}", Tone.Strong));
            foreach (var finding in gpu.Findings) Print(run, finding, width);
        }

        run.Output.WriteLine();
        foreach (var gpu in report.Gpus)
            run.Output.WriteLine($"GPU {gpu.Index}: {run.Style.Paint(Of(gpu.Verdict), ToneOf(gpu.Verdict))}{(gpu.Simulated ? " (simulated)" : "")}");
        run.Output.WriteLine($"{run.Style.Paint(Of(report.Verdict), ToneOf(report.Verdict))}: {report.Passed} passed, {report.Warned} warned, {report.Failed} failed, {report.Unknown} unknown");
    }

    /// <summary>What passed is one line; of all else also why it matters and how it is mended.</summary>
    private static void Print(Invocation run, DiagFinding finding, int width)
    {
        var head = $"  {run.Style.Paint(TextWidth.Fit(Of(finding.Verdict), Word), ToneOf(finding.Verdict))}{run.Style.Paint(TextWidth.Fit(finding.Check, MostName), Tone.Name)}";
        var room = Math.Max(20, width - 2 - Word - MostName);
        if (finding.Verdict == DiagVerdict.Pass)
        {
            run.Output.WriteLine(head + TextWidth.Cut(TextWidth.OneLine(finding.Found), room));
            return;
        }

        var lines = TextWidth.Fold(TextWidth.OneLine(finding.Found), room);
        for (var i = 0; i < lines.Count; i++) run.Output.WriteLine((i == 0 ? head : new string(' ', 2 + Word + MostName)) + lines[i]);
        if (finding.Verdict != DiagVerdict.Unknown) Say(run, "expected", finding.Expected, width);
        if (finding.Why is { } why) Say(run, "because", why, width);
        if (finding.Mend is { } mend) Say(run, "mend", mend, width);
    }

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
        DiagVerdict.Unknown => "unknown",
    };

    private static Tone ToneOf(DiagVerdict verdict) => verdict switch
    {
        DiagVerdict.Pass => Tone.Good,
        DiagVerdict.Warn => Tone.Busy,
        DiagVerdict.Fail => Tone.Bad,
        DiagVerdict.Unknown => Tone.Dim,
    };
}
