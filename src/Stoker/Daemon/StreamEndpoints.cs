using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Stoker.Daemon.Protocol;
using Stoker.Logs;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>What can be followed: status, events and logs, one JSON document a line until the caller leaves.</summary>
internal static class StreamEndpoints
{
    private static readonly TimeSpan FastestStatus = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SlowestStatus = TimeSpan.FromSeconds(2);

    public static void Map(ControlTable routes, RunningDaemon daemon)
    {
        var usage = new ReplicaUsage(daemon.Doors.Clock);
        routes.Get(ControlRoutes.Status, exchange => StatusAsync(exchange, daemon, usage));
        routes.Get(ControlRoutes.Events, exchange => EventsAsync(exchange, daemon));
        routes.Get(ControlRoutes.Logs, exchange => LogsAsync(exchange, daemon));
    }

    private static bool Follows(ControlExchange exchange) => exchange.Query("follow") == "true";

    private static async Task StatusAsync(ControlExchange exchange, RunningDaemon daemon, ReplicaUsage usage)
    {
        if (!Follows(exchange))
        {
            await exchange.AnswerAsync(StatusWriting.Write(Document(daemon, usage)));
            return;
        }

        exchange.BeginStream();
        var cancel = exchange.Left;
        while (!cancel.IsCancellationRequested)
        {
            var changed = daemon.Doors.Board.Changed;
            await exchange.WriteLineAsync(StatusWriting.Write(Document(daemon, usage)));
            await exchange.FlushAsync();
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

    private static async Task EventsAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        var after = long.TryParse(exchange.Query("after"), out var given) ? given : 0;
        var services = exchange.QueryAll("service").ToHashSet();
        exchange.BeginStream();
        while (true)
        {
            var (lines, next) = daemon.Doors.Journal.After(after);
            foreach (var line in lines)
            {
                after = line.Sequence;
                if (services.Count == 0 || line.Service is { } service && services.Contains(service.Value))
                    await exchange.WriteLineAsync(JournalLine.Write(line));
            }

            await exchange.FlushAsync();
            if (!Follows(exchange)) return;
            await next.WaitAsync(exchange.Left);
        }
    }

    private static async Task LogsAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        if (QueryOf(exchange, daemon) is not { } query)
        {
            await exchange.AnswerAsync(422, ErrorCodes.Invalid, "`grep` is not a regular expression");
            return;
        }

        exchange.BeginStream();
        if (!Follows(exchange))
        {
            await foreach (var line in LogReader.Read(query, exchange.Left)) await WriteLineAsync(exchange, Document(line), ControlJson.Readable.LogDocument, flush: false);
            return;
        }

        await exchange.FlushAsync();
        await foreach (var feed in LogReader.Follow(daemon.Doors.Pump, query, exchange.Left))
        {
            var document = feed switch
            {
                LogFeed.Line { Value: var line } => Document(line),
                LogFeed.Missed missed => new LogDocument(daemon.Doors.Clock.GetUtcNow(), "stoker", 0, "stoker", $"{missed.Count} lines came faster than they could be shown", false),
                _ => throw new InvalidOperationException($"unknown feed {feed.GetType().Name}"),
            };
            await WriteLineAsync(exchange, document, ControlJson.Readable.LogDocument);
        }
    }

    private static LogQuery? QueryOf(ControlExchange exchange, RunningDaemon daemon)
    {
        Regex? pattern = null;
        if (exchange.Query("grep") is { Length: > 0 } grep)
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
            Services = exchange.QueryAll("service").ToList() is { Count: > 0 } services ? [.. services] : null,
            Last = int.TryParse(exchange.Query("tail"), out var tail) ? tail : null,
            Since = DateTimeOffset.TryParse(exchange.Query("since"), out var since) ? since : null,
            Pattern = pattern,
        };
    }

    private static LogDocument Document(LogLine line) => new(
        line.Time, line.Service, line.Replica, line.Stream == LogStream.Output ? "stdout" : "stderr", Encoding.UTF8.GetString(line.Message.Span), line.Partial);

    private static async Task WriteLineAsync<T>(ControlExchange exchange, T document, JsonTypeInfo<T> type, bool flush = true)
    {
        await exchange.WriteLineAsync(JsonSerializer.SerializeToUtf8Bytes(document, type));
        if (flush) await exchange.FlushAsync();
    }
}
