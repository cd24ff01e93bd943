using System.Text;
using System.Text.RegularExpressions;
using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;
using Stoker.Logs;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>What was asked of <c>stoker logs</c>.</summary>
internal sealed record LogsRequest(IReadOnlyList<string> Names)
{
    public bool Follow { get; init; }

    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    public int? Tail { get; init; }

    public string? Grep { get; init; }
}

internal static class LogsCommand
{
    public static Verb Create()
    {
        var names = Parameters.Names("services; none: all");
        var follow = Parameters.Flag("--follow", "go on with the lines to come", "-f");
        var since = Parameters.Moment("--since", "only from then on: " + Moments.Grammar);
        var until = Parameters.Moment("--until", "only up to then");
        var tail = Parameters.Count("--tail", "only the last N lines of each replica", "-n");
        var grep = Parameters.Pattern("--grep", "only lines that match a regular expression");
        var timestamps = Parameters.Flag("--timestamps", "the time in front of each line", "-t");
        return new Verb("logs", "print what services write, merged by time; works without the daemon, except -f")
        {
            Example = "stoker logs -f --grep 'error|warn' vision",
            Remarks = ["Standard output and standard error are kept line by line, rotated, and survive the daemon. Known secrets are *** in them."],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names, follow, since, until, tail, grep, timestamps).Does(run => RunAsync(
            run,
            new LogsRequest(run.Get(names)!)
            {
                Follow = run.Get(follow), Since = run.Moment(since), Until = run.Moment(until), Tail = run.Count(tail), Grep = run.Get(grep),
            },
            run.Get(timestamps)));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, LogsRequest request, bool timestamps)
    {
        if (run.State is not { } state) return ExitCode.EstateIsWrong;
        var isOne = request.Names is [var only] && !Files.Exists(Path.Combine(state.Logs, $"{only}.2.log"));
        var printer = new LogPrinter(run, request.Names, isOne, timestamps);
        if (request.Follow)
        {
            if (request.Until is not null)
            {
                run.Report.Error("`--until` and `-f` exclude each other: what is to come has no end", "leave one away");
                return ExitCode.Usage;
            }

            var control = run.World.Control(state);
            if (ServiceRequest.CheckNames(run, control, request.Names) is { } wrong) return wrong;
            using var interrupts = run.World.Interrupts();
            return await FollowAsync(run, control, request, printer, interrupts.First);
        }

        return NoSuchLogs(run, state.Logs, request.Names) ?? await ReadAsync(state.Logs, request, printer);
    }

    private static async Task<ExitCode> ReadAsync(string directory, LogsRequest request, LogPrinter printer)
    {
        var query = new LogQuery(directory)
        {
            Services = request.Names.Count > 0 ? request.Names : null,
            Since = request.Since,
            Until = request.Until,
            Last = request.Tail,
            Pattern = request.Grep is { } pattern ? new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)) : null,
        };
        await foreach (var line in LogReader.Read(query))
        {
            var stream = line.Stream == LogStream.Error ? "stderr" : "stdout";
            printer.Print(new LogDocument(line.Time, line.Service, line.Replica, stream, Encoding.UTF8.GetString(line.Message.Span), line.Partial));
        }

        return ExitCode.Done;
    }

    private static async Task<ExitCode> FollowAsync(
        Invocation run, ControlClient control, LogsRequest request, LogPrinter printer, CancellationToken interrupt)
    {
        try
        {
            // As `tail -f`: what was before is context, not the point.
            var tail = request.Tail ?? (request.Since is null ? 10 : null);
            var reply = await control.LogsAsync(new LogFollowQuery(request.Names, tail, request.Since, request.Grep), interrupt);
            if (reply is not ControlReply<ControlStream<LogDocument>>.Answered { Document: var stream }) return run.Failed(reply);
            using (stream)
            {
                while (await stream.NextAsync(interrupt) is { } line)
                {
                    printer.Print(line);
                    if (!stream.HasMore) run.Output.Flush();
                }
            }

            run.Report.Error("the daemon ended; services may go on, and so do their logs", "`stoker logs` reads them without it");
            return ExitCode.NoDaemon;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    /// <summary>Null when each name has logs; a service that never wrote has an empty file, an unknown one has none.</summary>
    private static ExitCode? NoSuchLogs(Invocation run, string directory, IReadOnlyList<string> names)
    {
        // vision.1.log
        var known = Files.List(directory, "*.log").Select(Path.GetFileNameWithoutExtension).Select(f => Path.GetFileNameWithoutExtension(f!)).Distinct().ToList();
        if (known.Count == 0)
        {
            run.Report.Error($"there are no logs in {directory}", "they begin with the first `stoker up`; `--state DIR` looks elsewhere");
            return ExitCode.NotAsItShouldBe;
        }

        var unknown = names.Where(n => !known.Contains(n)).ToList();
        foreach (var name in unknown) run.Report.Error($"there are no logs of `{name}`", Suggestion.For(name, known!));
        return unknown.Count > 0 ? ExitCode.Usage : null;
    }
}
