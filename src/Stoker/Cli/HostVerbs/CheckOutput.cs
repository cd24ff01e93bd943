using System.CommandLine;
using Stoker.Hosts.Checks;

namespace Stoker.Cli.HostVerbs;

/// <summary>How the results of checks are shown: for people, or as JSON, JUnit or TAP.</summary>
internal sealed class CheckOutput
{
    private const int MostName = 24, Word = 8, Label = 9;

    public Option<bool> JUnit { get; } = Parameters.Flag("--junit", "JUnit XML, for CI systems: failed is a failure, unknown an error");

    public Option<bool> Tap { get; } = Parameters.Flag("--tap", "the Test Anything Protocol; unknown is not ok");

    /// <summary>Makes the checks, shows what came of them, and says what to end with.</summary>
    public Task<ExitCode> RunAsync(Invocation run, string subject, IReadOnlyList<CheckSpec> checks) => RunAsync(run, [new CheckList(subject, checks, Budget: null)]);

    /// <summary>The same for several lists, one after the other, and a table over them.</summary>
    public async Task<ExitCode> RunAsync(Invocation run, IReadOnlyList<CheckList> lists)
    {
        using var interrupts = run.World.Interrupts();
        var making = new CheckRun(run.World.Facts(), run.World.Clock);
        var isForPeople = !run.Json && !run.Get(JUnit) && !run.Get(Tap);
        var reports = new List<CheckReport>();
        foreach (var list in lists)
        {
            var begun = run.World.Clock.GetTimestamp();
            var results = await making.MakeAsync(list.Checks, list.Budget, interrupts.First);
            reports.Add(CheckReport.Of(list.Subject, results, run.World.Clock.GetElapsedTime(begun), list.Budget));
            if (isForPeople) Print(run, reports[^1]);
            if (interrupts.First.IsCancellationRequested) break;
        }

        if (isForPeople && lists.Count > 1) Print(run, reports);
        else if (run.Json && lists.Count > 1) run.PrintJson(ProfilesReport.Of(reports), ChecksJson.Readable.ProfilesReport);
        else if (run.Json) run.PrintJson(reports[0], ChecksJson.Readable.CheckReport);
        else if (run.Get(JUnit)) run.Output.Write(CheckFormats.ToJUnit(reports));
        else if (run.Get(Tap)) run.Output.Write(CheckFormats.ToTap(reports));
        return interrupts.First.IsCancellationRequested ? ExitCode.Interrupted : reports.TrueForAll(r => r.IsWell) ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    private static void Print(Invocation run, CheckReport report)
    {
        var width = Math.Min(run.Width, 120);
        var names = report.Checks.Count == 0 ? 0 : Math.Min(MostName, report.Checks.Max(c => TextWidth.Of(c.Name)));
        foreach (var check in report.Checks)
        {
            var head = $"{run.Style.Paint(TextWidth.Fit(Of(check.Verdict), Word), ToneOf(check.Verdict))}{run.Style.Paint(TextWidth.Fit(check.Name, names), Tone.Name)}  ";
            var room = Math.Max(20, width - Word - names - 2);
            run.Output.WriteLine(head + TextWidth.Cut(Summary(check), room));
            if (check.Verdict != Verdict.Passed) Explain(run, check, width);
        }

        var sum = $"{report.Passed} passed, {report.Failed} failed, {report.Unknown} unknown";
        var took = report.TookMs < 10_000 ? $"{report.TookMs:0} ms" : Durations.Short(TimeSpan.FromMilliseconds(report.TookMs));
        var budget = report.BudgetMs is { } most ? $" of {Durations.Short(TimeSpan.FromMilliseconds(most))}" : "";
        run.Output.WriteLine($"{report.Subject}: {run.Style.Paint(sum, ToneOf(report))} in {took}{budget}");
    }

    private static void Print(Invocation run, List<CheckReport> reports)
    {
        var sum = ProfilesReport.Of(reports);
        run.Output.WriteLine();
        foreach (var line in Table.Lay(
            [new("PROFILE"), new("PASSED", Right: true), new("FAILED", Right: true), new("UNKNOWN", Right: true), new("TOOK", Right: true), new("BUDGET")],
            [
                .. reports.Select(r => Row(r.Subject, ToneOf(r), r.Passed, r.Failed, r.Unknown, r.TookMs, r.BudgetMs)),
                Row("all", Tone.Strong, sum.Passed, sum.Failed, sum.Unknown, sum.TookMs, null),
            ],
            run.Width,
            run.Style))
        {
            run.Output.WriteLine(line);
        }

        static TableRow Row(string name, Tone tone, int passed, int failed, int unknown, double took, double? budget) => new(
        [
            new(name, tone), new($"{passed}"), new($"{failed}"), new($"{unknown}"), new(Durations.Short(TimeSpan.FromMilliseconds(took))),
            new(budget is { } most ? Durations.Short(TimeSpan.FromMilliseconds(most)) : ""),
        ]);
    }

    private static string Summary(CheckResult check) => TextWidth.OneLine(
        check.Description is { } description ? description
        : check.Verdict == Verdict.Passed ? string.Join("; ", check.Findings.Select(f => f.Found!.StartsWith(f.Expected, StringComparison.Ordinal) ? f.Found : $"{f.What} {f.Found} ({f.Expected})"))
        : check.Kind.Replace('_', ' '));

    /// <summary>What was expected, what was found and where, each below the other, and what to do.</summary>
    private static void Explain(Invocation run, CheckResult check, int width)
    {
        foreach (var finding in check.Findings.Where(f => f.Verdict != Verdict.Passed))
        {
            Say("", $"{finding.What}: expected {finding.Expected}, {(finding.Found is { } found ? $"found {found}" : "not known")}");
            Say(finding.Verdict == Verdict.Unknown ? "because" : "seen in", finding.Evidence);
        }

        if (check.Attempts > 1) Say("tries", $"{check.Attempts} in {check.TookMs / 1000:0.#} s");
        if (check.Mend is { } mend) Say("mend", mend);

        void Say(string label, string text)
        {
            var margin = new string(' ', Word);
            var room = label.Length == 0 ? 0 : Label;
            var lines = TextWidth.Fold(TextWidth.OneLine(text), Math.Max(20, width - Word - room));
            for (var i = 0; i < lines.Count; i++) run.Output.WriteLine($"{margin}{run.Style.Paint(TextWidth.Fit(i == 0 ? label : "", room), Tone.Dim)}{lines[i]}");
        }
    }

    private static Tone ToneOf(CheckReport report) => report.IsWell ? Tone.Good : report.Failed > 0 ? Tone.Bad : Tone.Busy;

    private static string Of(Verdict verdict) => verdict.ToString().ToLowerInvariant();

    private static Tone ToneOf(Verdict verdict) => verdict switch { Verdict.Passed => Tone.Good, Verdict.Failed => Tone.Bad, Verdict.Unknown => Tone.Busy };
}

/// <summary>Checks that are made and reported together.</summary>
/// <param name="Budget">How long all of them may take; null: as long as they do.</param>
internal sealed record CheckList(string Subject, IReadOnlyList<CheckSpec> Checks, TimeSpan? Budget);
