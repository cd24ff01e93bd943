using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoker.Daemon.Protocol;
using Stoker.Logs;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>What can be followed: status, events and logs, one JSON document a line until the caller leaves.</summary>
internal static class StreamEndpoints
{
    private static readonly TimeSpan FastestStatus = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SlowestStatus = TimeSpan.FromSeconds(2);

    public static void Map(IEndpointRouteBuilder routes, RunningDaemon daemon)
    {
        var usage = new ReplicaUsage(daemon.Doors.Clock);
        routes.MapGet(ControlRoutes.Status, context => StatusAsync(context, daemon, usage));
        routes.MapGet(ControlRoutes.Events, context => EventsAsync(context, daemon));
        routes.MapGet(ControlRoutes.Logs, context => LogsAsync(context, daemon));
    }

    private static bool Follows(HttpContext context) => context.Request.Query["follow"] == "true";

    private static async Task StatusAsync(HttpContext context, RunningDaemon daemon, ReplicaUsage usage)
    {
        if (!Follows(context))
        {
            await ControlServer.AnswerAsync(context, Document(daemon, usage), ControlJson.Readable.StatusDocument);
            return;
        }

        Begin(context);
        var cancel = context.RequestAborted;
        while (!cancel.IsCancellationRequested)
        {
            var changed = daemon.Doors.Board.Changed;
            await WriteLineAsync(context, Document(daemon, usage), ControlJson.Readable.StatusDocument);
            var clock = daemon.Doors.Clock;
            // Bundles the changes of a busy moment; nobody reads faster.
            await Task.Delay(FastestStatus, clock, cancel);
            await Task.WhenAny(changed, Task.Delay(SlowestStatus, clock, cancel));
        }
    }

    private static StatusDocument Document(RunningDaemon daemon, ReplicaUsage usage)
    {
        var plan = daemon.Plan;
        var services = StatusDocument.InOrder(daemon.Doors.Board.Statuses, plan?.Estate.Services.Keys ?? []);
        return new StatusDocument(daemon.Options.Estate, plan?.Host?.Value, usage.Measure(services));
    }

    private static async Task EventsAsync(HttpContext context, RunningDaemon daemon)
    {
        var after = long.TryParse(context.Request.Query["after"], out var given) ? given : 0;
        var services = context.Request.Query["service"].ToHashSet();
        Begin(context);
        while (true)
        {
            var (lines, next) = daemon.Doors.Journal.After(after);
            foreach (var line in lines)
            {
                after = line.Sequence;
                if (services.Count == 0 || line.Service is { } service && services.Contains(service.Value))
                    await context.Response.Body.WriteAsync(JournalLine.Write(line), context.RequestAborted);
            }

            await context.Response.Body.FlushAsync(context.RequestAborted);
            if (!Follows(context)) return;
            await next.WaitAsync(context.RequestAborted);
        }
    }

    private static async Task LogsAsync(HttpContext context, RunningDaemon daemon)
    {
        if (QueryOf(context, daemon) is not { } query)
        {
            await ControlServer.AnswerAsync(context, 422, ErrorCodes.Invalid, "`grep` is not a regular expression");
            return;
        }

        Begin(context);
        if (!Follows(context))
        {
            await foreach (var line in LogReader.Read(query, context.RequestAborted)) await WriteLineAsync(context, Document(line), ControlJson.Readable.LogDocument, flush: false);
            return;
        }

        await context.Response.Body.FlushAsync(context.RequestAborted);
        await foreach (var feed in LogReader.Follow(daemon.Doors.Pump, query, context.RequestAborted))
        {
            var document = feed switch
            {
                LogFeed.Line { Value: var line } => Document(line),
                LogFeed.Missed missed => new LogDocument(daemon.Doors.Clock.GetUtcNow(), "stoker", 0, "stoker", $"{missed.Count} lines came faster than they could be shown", false),
                _ => throw new InvalidOperationException($"unknown feed {feed.GetType().Name}"),
            };
            await WriteLineAsync(context, document, ControlJson.Readable.LogDocument);
        }
    }

    private static LogQuery? QueryOf(HttpContext context, RunningDaemon daemon)
    {
        var query = context.Request.Query;
        Regex? pattern = null;
        if (query["grep"] is [{ Length: > 0 } grep])
        {
            try
            {
                pattern = new Regex(grep, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            }
            catch (ArgumentException)
            {
                return null;
            }
        }

        return new LogQuery(daemon.Options.State.Logs)
        {
            Services = query["service"].Count > 0 ? [.. query["service"].OfType<string>()] : null,
            Last = int.TryParse(query["tail"], out var tail) ? tail : null,
            Since = DateTimeOffset.TryParse(query["since"], out var since) ? since : null,
            Pattern = pattern,
        };
    }

    private static LogDocument Document(LogLine line) => new(
        line.Time, line.Service, line.Replica, line.Stream == LogStream.Output ? "stdout" : "stderr", Encoding.UTF8.GetString(line.Message.Span), line.Partial);

    private static void Begin(HttpContext context) => context.Response.ContentType = "application/x-ndjson";

    private static async Task WriteLineAsync<T>(HttpContext context, T document, JsonTypeInfo<T> type, bool flush = true)
    {
        await context.Response.Body.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(document, type), (byte)'\n'], context.RequestAborted);
        if (flush) await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
