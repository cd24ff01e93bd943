using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using DiagnosticDocument = Stoker.Daemon.Protocol.DiagnosticDocument;

namespace Stoker.Cli;

internal static class CheckCommand
{
    public static Verb Create() => new Verb("check", "report every mistake of the estate's files, each with its place and what to do; nothing is started")
    {
        Example = "stoker check -f estates/ai-system/stoker.yaml",
        Remarks = ["Needs neither a daemon nor the hosts: the plan of each host is checked against what the file declares of it."],
        ExitCodes = [ExitCode.EstateIsWrong],
    }.Does(Run);

    private static ExitCode Run(Invocation run)
    {
        if (run.Choice is not { } choice) return ExitCode.EstateIsWrong;
        var reading = choice.Read(run.Env);
        if (reading.Spec is { } spec) AddPlans(spec, reading.Bag, run.Host);
        var diagnostics = reading.Bag.Sorted();
        var document = new CheckDocument(
            reading.Spec?.Name,
            reading.Loaded?.Files ?? choice.Files,
            diagnostics.Count(d => d.Severity == Severity.Error),
            diagnostics.Count(d => d.Severity == Severity.Warning),
            [.. diagnostics.Select(DiagnosticDocument.From)]);
        if (run.Json) run.PrintJson(document, CliJson.Readable.CheckDocument);
        else Print(run, reading, document);
        return document.Errors > 0 || reading.Spec is null ? ExitCode.EstateIsWrong : ExitCode.Done;
    }

    private static void Print(Invocation run, EstateReading reading, CheckDocument document)
    {
        DiagnosticPrinter.For(run, reading.Directory).Print(document.Diagnostics);
        var found = document.Errors + document.Warnings == 0 ? "no mistakes" : $"{Count(document.Errors, "error")}, {Count(document.Warnings, "warning")}";
        var what = reading.Spec is { } spec
            ? $"{spec.Name}: {Count(spec.Services.Count, "service")}{More(spec.Groups.Count, "group")}{More(spec.Hosts.Count, "host")} in {Count(document.Files.Count, "file")}"
            : Path.GetFileName(document.Files[0]);
        run.Output.WriteLine($"{what}: {run.Style.Paint(found, document.Errors > 0 ? Tone.Bad : document.Warnings > 0 ? Tone.Busy : Tone.Good)}");
    }

    /// <summary>
    /// Cycles, clashes of ports and what does not fit show only when the whole is planned. Planned as a rehearsal on a machine without limits, so
    /// that nothing is said about this one.
    /// </summary>
    private static void AddPlans(EstateSpec spec, DiagnosticBag bag, string? host)
    {
        // What the readers refuse would only be said again.
        if (bag.HasErrors) return;
        var anywhere = new Observed
        {
            Cpus = int.MaxValue,
            Memory = new ByteSize(long.MaxValue / 4),
            IsRoot = true,
            Executables = CommandWords.ToLookUp(spec).ToDictionary(word => word, word => (string?)word),
        };
        IEnumerable<HostName?> hosts = host is not null ? [new HostName(host)] : spec.Hosts.Count > 0 ? spec.Hosts.Keys.Select(h => (HostName?)h) : [null];
        foreach (var each in hosts)
            bag.AddRange(Planner.Plan(spec, new PlanRequest { Host = each, Rehearse = true, Profiles = AllProfiles(spec) }, anywhere).Diagnostics);
    }

    private static HashSet<string> AllProfiles(EstateSpec spec) => [.. spec.Services.Values.SelectMany(s => s.Profiles)];

    private static string Count(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";

    private static string More(int number, string noun) => number > 0 ? $", {Count(number, noun)}" : "";
}

/// <summary>What <c>stoker check --json</c> prints.</summary>
/// <param name="Estate">Null when the files are too wrong to tell.</param>
/// <param name="Files">Every file that was read.</param>
internal sealed record CheckDocument(string? Estate, IReadOnlyList<string> Files, int Errors, int Warnings, IReadOnlyList<DiagnosticDocument> Diagnostics);
