using System.Text;
using Stoker.Gateway.Routing;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>A part of <c>stoker model</c>: how the gateway has chosen between replicas.</summary>
internal static class RouteCommand
{
    private const int Shown = 20;

    public static Verb Create() => new Verb("route", "how the gateway chooses between the replicas of a model")
    {
        Example = "stoker model route replay gateway.log",
    }.With(Replay());

    private static Verb Replay()
    {
        var file = new System.CommandLine.Argument<string>("FILE") { Description = "lines of a log, or of `X-Stoker-Route`, with decisions in them" };
        var set = Parameters.Texts("--set", "NAME=VALUE", "decide by another policy: " + string.Join(", ", RouteReplay.Names));
        return new Verb("replay", "decide the recorded decisions of a file again, by the same policy or by a changed one, and show what differs")
        {
            Example = "stoker model route replay gateway.log --set escape_floor=8",
            Remarks =
            [
                "Needs no daemon and no gateway: each line holds all that its decision rests on. Without --set every decision must come out as it was, and "
                + "the exit code is 1 when one does not. With --set the differences are what the change would do to each request, in the situation as it was; that "
                + "other choices would have led to other situations is not played.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe],
        }.With(file, set).Does(run => Run(run, run.Get(file)!, run.Get(set) ?? []));
    }

    private static ExitCode Run(Invocation run, string file, IReadOnlyList<string> changes)
    {
        var options = RoutingOptions.Default;
        foreach (var change in changes)
        {
            var parts = change.Split('=', 2);
            if (parts.Length == 2 && RouteReplay.With(options, parts[0], parts[1]) is { } changed)
            {
                options = changed;
                continue;
            }

            run.Report.Error($"`--set {change}` changes nothing of the policy", "NAME=VALUE with a number from 0 on; names: " + string.Join(", ", RouteReplay.Names));
            return ExitCode.Usage;
        }

        var path = Path.Combine(run.World.CurrentDirectory, file);
        if (!Files.Exists(path))
        {
            run.Report.Error($"there is no file {file}");
            return ExitCode.NotAsItShouldBe;
        }

        var report = RouteReplay.Run(Lines(path), options);
        foreach (var (line, why) in report.Unreadable) run.Report.Error($"{file}:{line}: not a decision that can be read: {why}");
        if (run.Json) run.PrintJson(Document(report), CliJson.Readable.RouteReplayDocument);
        else Print(run, report, changes.Count > 0);
        if (report.Decisions == 0 && report.Unreadable.Count == 0)
            run.Report.Error($"{file} has no decisions", "the gateway logs one of each sample, and answers `X-Stoker-Route: explain` with one");
        var asRecorded = changes.Count > 0 || report.Differences.Count == 0;
        return report.Decisions > 0 && report.Unreadable.Count == 0 && asRecorded ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path)
    {
        using var reader = new StreamReader(Files.OpenRead(path), Encoding.UTF8, bufferSize: 1 << 16);
        while (reader.ReadLine() is { } line) yield return Encoding.UTF8.GetBytes(line);
    }

    private static void Print(Invocation run, ReplayReport report, bool isChanged)
    {
        if (report.Decisions == 0) return;
        foreach (var difference in report.Differences.Take(Shown))
        {
            run.Output.WriteLine(
                $"line {difference.Line}: {run.Style.Paint(TextWidth.OneLine(difference.Model), Tone.Name)}: {difference.Was} ({difference.WasWhy}) → "
                + $"{difference.Now} ({difference.NowWhy})");
        }

        if (report.Differences.Count > Shown) run.Output.WriteLine($"… and {report.Differences.Count - Shown} more; --json has them all");
        if (isChanged)
        {
            foreach (var share in report.Shares) run.Output.WriteLine($"{share.Model}: {share.Replica} {share.Was} → {share.Now}");
        }

        var tone = report.Differences.Count == 0 ? Tone.Good : isChanged ? Tone.Busy : Tone.Bad;
        var decisions = report.Decisions == 1 ? "1 decision" : $"{report.Decisions} decisions";
        run.Output.WriteLine($"{decisions}: " + run.Style.Paint(report.Differences.Count == 0 ? "all the same" : $"{report.Differences.Count} differ", tone));
    }

    private static RouteReplayDocument Document(ReplayReport report) => new(
        report.Decisions, report.Same, report.Other,
        [.. report.Unreadable.Select(u => new UnreadableLineDocument(u.Line, u.Why))],
        report.Differences, report.Shares);
}

/// <summary>What <c>stoker model route replay --json</c> prints.</summary>
/// <param name="Decisions">Lines that were decided again.</param>
/// <param name="Other">Lines without a decision.</param>
internal sealed record RouteReplayDocument(
    int Decisions, int Same, int Other, IReadOnlyList<UnreadableLineDocument> Unreadable, IReadOnlyList<ReplayDifference> Differences,
    IReadOnlyList<ReplayShare> Shares);

internal sealed record UnreadableLineDocument(int Line, string Why);
