using System.Security.Cryptography;
using System.Text.Json;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator;

/// <summary>How a request ended, as far as the server is concerned.</summary>
internal enum RequestOutcome
{
    Running,
    Completed,

    /// <summary>The client left before the end.</summary>
    Cancelled,

    /// <summary>A fault that was asked for ended it.</summary>
    Faulted,

    /// <summary>Answered with an error.</summary>
    Refused,
}

/// <summary>One request as it was seen.</summary>
internal sealed class RequestRecord(long number, RequestHead head, byte[] bodyHash, int bodyLength, DateTimeOffset at)
{
    public long Number => number;

    public RequestOutcome Outcome { get; set; }

    public string? Model { get; set; }

    public bool Stream { get; set; }

    public int Status { get; set; }

    /// <summary>Events that were sent.</summary>
    public int Chunks { get; set; }

    /// <summary>Tokens that were made.</summary>
    public int Tokens { get; set; }

    /// <summary>From the word that the client is gone to the end of the work for it.</summary>
    public TimeSpan? Noticed { get; set; }

    public TimeSpan Took { get; set; }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("number", number);
        json.WriteString("at", at);
        json.WriteString("method", head.Method);
        json.WriteString("path", head.Path);
        json.WriteString("query", head.Query);
        json.WriteStartObject("headers");
        foreach (var (name, values) in head.Headers().GroupBy(header => header.Name).Select(same => (same.Key, same.Select(header => header.Value))))
            json.WriteString(name, string.Join(", ", values));
        json.WriteEndObject();
        json.WriteNumber("body_bytes", bodyLength);
        json.WriteString("body_sha256", Convert.ToHexStringLower(bodyHash));
        json.WriteString("model", Model);
        json.WriteBoolean("stream", Stream);
        json.WriteNumber("status", Status);
        json.WriteString("outcome", Outcome.ToString().ToLowerInvariant());
        json.WriteNumber("chunks", Chunks);
        json.WriteNumber("tokens", Tokens);
        json.WriteNumber("took_ms", Math.Round(Took.TotalMilliseconds, 3));
        if (Noticed is { } noticed) json.WriteNumber("noticed_ms", Math.Round(noticed.TotalMilliseconds, 3));
        else json.WriteNull("noticed_ms");
        json.WriteEndObject();
    }
}

/// <summary>The latest requests. Thread-safe.</summary>
internal sealed class RequestLog(int kept, TimeProvider clock)
{
    private readonly Lock _access = new();
    private readonly Queue<RequestRecord> _records = new();
    private long _count;

    /// <summary>Null: none is kept.</summary>
    public RequestRecord? Begin(Exchange exchange)
    {
        if (kept == 0) return null;
        var record = new RequestRecord(
            Interlocked.Increment(ref _count), exchange.Head, SHA256.HashData(exchange.Body.Span), exchange.Body.Length, clock.GetUtcNow());
        lock (_access)
        {
            if (_records.Count == kept) _records.Dequeue();
            _records.Enqueue(record);
        }

        return record;
    }

    public void Clear()
    {
        lock (_access) _records.Clear();
    }

    public byte[] ToJson()
    {
        List<RequestRecord> those;
        lock (_access) those = [.. _records];
        var buffer = new OutBuffer();
        using var json = EngineDialect.Writer(buffer);
        json.WriteStartObject();
        json.WriteNumber("count", Volatile.Read(ref _count));
        json.WriteStartArray("requests");
        foreach (var record in those) record.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.Span.ToArray();
    }
}
