using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Stoker.Http;
using Stoker.Keys;

namespace Stoker.Streams.Serving;

/// <summary>The paths that a stream answers itself: health, status, metrics, and where an event is.</summary>
internal static class StreamEndpoints
{
    private const string Json = "application/json";

    public static async ValueTask<bool> AnswerAsync(StreamConnection client, StreamLoop loop)
    {
        var path = ServerConnection.Text(client.Head.Target).Split('?')[0];
        var receipt = ReceiptOf(path, loop.Stream.Plan.Path);
        if (receipt is null && path is not ("/" or "/health" or "/status" or "/metrics")) return await client.RefuseAsync(Problem.NotFound(path));
        if (ServerConnection.Text(client.Head.Method) is not ("GET" or "HEAD")) return await client.RefuseAsync(Problem.WrongMethod(path, "GET"));
        if (ScopeOf(client, path, receipt) is { } scope && await client.AuthorizeAsync(scope) is { } denied) return await client.RefuseAsync(denied);
        if (receipt is not null) return await ReceiptAsync(client, loop, receipt);
        return path switch
        {
            "/health" => await client.SendAsync(200, Json, "{\"status\":\"ok\"}"u8),
            "/metrics" => await MetricsAsync(client, loop),
            _ => await client.SendAsync(200, Json, await loop.Events.AsideAsync(() => JsonSerializer.SerializeToUtf8Bytes(StreamStatus.Of(loop.Stream), StreamJson.Default.StreamStatus))),
        };
    }

    private static async ValueTask<bool> MetricsAsync(StreamConnection client, StreamLoop loop)
    {
        using var page = await loop.Events.AsideAsync(() => loop.Stream.Metrics.Page(loop.Stream));
        return await client.SendAsync(200, PrometheusPage.ContentType, page.Memory.Span);
    }

    /// <summary>What a stream that asks for keys wants to see; status and metrics are open to this machine, where Prometheus' agent is, and health to all.</summary>
    private static KeyScopes? ScopeOf(StreamConnection client, string path, string? receipt) =>
        receipt is not null ? KeyScopes.Ingest : path == "/health" || client.IsLocal ? null : KeyScopes.Metrics;

    /// <summary>The id in <c>/receipts/ID</c> and <c>/metadata/receipts/ID</c>; null: another path.</summary>
    private static string? ReceiptOf(string path, string posts)
    {
        const string receipts = "/receipts/";
        if (path.StartsWith(posts, StringComparison.Ordinal) && path.AsSpan(posts.Length).StartsWith(receipts)) return path[(posts.Length + receipts.Length)..];
        return path.StartsWith(receipts, StringComparison.Ordinal) ? path[receipts.Length..] : null;
    }

    private static async ValueTask<bool> ReceiptAsync(StreamConnection client, StreamLoop loop, string id)
    {
        if (!TryParse(id, out var partition, out var offset) || partition >= loop.Stream.Log.Partitions.Count)
            return await client.RefuseAsync(new Problem(404, "receipt", "There is no such receipt", $"`{id}` is none of this stream's: PARTITION-OFFSET"));
        var report = await loop.Events.AsideAsync(() => loop.Stream.Receipts.Find(partition, offset));
        if (report is null) return await client.RefuseAsync(new Problem(404, "receipt", "There is no such receipt", $"partition {partition} has no event {offset} yet"));
        return await client.SendAsync(200, Json, JsonSerializer.SerializeToUtf8Bytes(report, StreamJson.Default.ReceiptReport));
    }

    private static bool TryParse(string id, out int partition, out ulong offset)
    {
        (partition, offset) = (0, 0);
        var dash = id.IndexOf('-', StringComparison.Ordinal);
        return dash > 0
            && int.TryParse(id.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out partition)
            && ulong.TryParse(id.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out offset);
    }
}
