using System.Text;
using System.Text.Json.Serialization;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Work;

/// <summary>Tells where an event is, from the log, the worker's position and the dead letters.</summary>
/// <param name="archived">Whether an event is archived, and when, where that is known; null: there is no archive.</param>
internal sealed class ReceiptBook(
    IEventLog log, IReadOnlyList<PartitionWorker> workers, DeadLetterStore letters, Func<int, ulong, DateTimeOffset?, (bool IsArchived, long? At)>? archived = null)
{
    /// <summary>Reads the log: not on an event loop. Null: there is no such event.</summary>
    /// <exception cref="IOException"/>
    public ReceiptReport? Find(int partition, ulong offset)
    {
        var report = FindStored(partition, offset);
        if (report is null || archived?.Invoke(partition, offset, report.Logged) is not { } there) return report;
        return report with { Archive = there.IsArchived ? "archived" : "waiting", Archived = there.At is { } at ? Time(at) : null };
    }

    private ReceiptReport? FindStored(int partition, ulong offset)
    {
        var source = log.Partitions[partition];
        if (offset >= source.NextOffset) return null;
        var report = new ReceiptReport($"{partition}-{offset}", "logged", log.Name, partition, offset);
        report = source.Find(offset) switch
        {
            ReadOutcome.Batch { Value: var batch } => Logged(report, batch, offset),
            ReadOutcome.Deleted => report with { Note = "the log does not keep it any more" },
            ReadOutcome.Gap => report with { State = "lost", Note = "it was damaged, and taken out of the log" },
            ReadOutcome.Damaged { Value: var damage } => report with { State = "damaged", Note = damage.ToString() },
            ReadOutcome.End => report,
            _ => throw new InvalidOperationException("an outcome that is not known"),
        };
        if (letters.Find(partition, offset) is { } letter)
        {
            return report with
            {
                State = letter.State switch { DeadLetterState.Stored => "stored", DeadLetterState.Dropped => "dropped", DeadLetterState.Waiting or DeadLetterState.Retrying => "dead_lettered" },
                DeadLettered = Time(letter.FirstSeen),
                Cause = letter.Cause,
                Path = letter.Path.Length > 0 ? letter.Path : null,
                Message = letter.Message,
            };
        }

        if (report.State != "logged" || offset >= workers[partition].Progress.Next) return report;
        return report with { State = "stored", Stored = workers[partition].Times.Of(offset) is { } at ? Time(at) : null };
    }

    private static ReceiptReport Logged(ReceiptReport report, RecordBatch batch, ulong offset)
    {
        using (batch)
        {
            foreach (var record in batch)
            {
                if (record.Offset != offset) break;
                var said = new EventEnvelope();
                var known = report with { Logged = Time(record.Time) };
                if (EnvelopeFrame.TryRead(record.Payload, said) != FrameFault.None) return known;
                return known with
                {
                    Source = Encoding.UTF8.GetString(said.Source.Span),
                    EventId = Encoding.UTF8.GetString(said.Id.Span),
                    Type = Encoding.UTF8.GetString(said.Type.Span),
                };
            }
        }

        return report with { State = "lost", Note = "it was damaged, and taken out of the log" };
    }

    private static DateTimeOffset Time(long microseconds) => LogModule.TimeOf(microseconds);
}

/// <summary>Where an event is, as <c>GET /receipts/ID</c> and <c>stoker stream receipt</c> have it.</summary>
/// <param name="State"><c>logged</c>, <c>stored</c>, <c>dead_lettered</c>, <c>dropped</c>, <c>lost</c> or <c>damaged</c>.</param>
internal sealed record ReceiptReport(string Id, string State, string Log, int Partition, ulong Offset)
{
    public string? Source { get; init; }

    [JsonPropertyName("metadata_id")]
    public string? EventId { get; init; }

    public string? Type { get; init; }

    public DateTimeOffset? Logged { get; init; }

    /// <summary>Null, though it is stored: that was before the stream's process began.</summary>
    public DateTimeOffset? Stored { get; init; }

    /// <summary><c>waiting</c>, <c>archived</c>; null: the stream has no archive.</summary>
    public string? Archive { get; init; }

    /// <summary>Null, though it is archived: neither this process nor the archive can tell it just now.</summary>
    public DateTimeOffset? Archived { get; init; }

    public DateTimeOffset? DeadLettered { get; init; }

    public string? Cause { get; init; }

    public string? Path { get; init; }

    public string? Message { get; init; }

    public string? Note { get; init; }
}
