using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Stores;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Work;

/// <summary>
/// Events on their way from the log to the store: each becomes a document in memory of the batch's own, or a dead letter. Used again and again; one thread at a
/// time.
/// </summary>
internal sealed class EventBatch : IDisposable
{
    /// <summary>Of the events in it, beyond which no more are added.</summary>
    private const long MostBytes = 16 << 20;

    private readonly DocumentWriter _writer;
    private readonly EventEnvelope _said = new();
    private readonly Arena _arena = new();
    private readonly List<LogRecord> _records = [];
    private readonly List<byte[]> _frames = [];
    private readonly List<DeadLetter> _poison = [];
    private readonly DocumentBatch _documents;
    private readonly LogPlace _place;
    private readonly EventTransform _transform;
    private long _bytes;

    /// <param name="putAside">Has dead letters durable when it returns.</param>
    public EventBatch(LogPlace place, EventTransform transform, Action<IReadOnlyList<DeadLetter>> putAside)
    {
        (_place, _transform) = (place, transform);
        _writer = new DocumentWriter(transform.Plan, transform.Hosts);
        _documents = new DocumentBatch((refused, _) =>
        {
            putAside([.. refused.Select(poison => LetterOf(poison.Item, "store_refused", "", poison.Reason))]);
            return Task.CompletedTask;
        });
    }

    /// <summary>Where it ends, past everything that it stands for; null: nothing is in it.</summary>
    public StorePosition? End => _documents.From < _documents.Next.Next ? _documents.Next : null;

    /// <summary>When the log took the first and the last event, microseconds of UTC; null: there is none.</summary>
    public long? FirstLogged { get; private set; }

    public long? LastLogged { get; private set; }

    /// <summary>Of the event that was added last; null: none was.</summary>
    public ulong? LastOffset { get; private set; }

    /// <param name="most">Events that the store takes together.</param>
    public bool IsFull(int most) => _records.Count + _poison.Count >= most || _bytes >= MostBytes;

    public DocumentBatch Documents => _documents;

    /// <summary>Events that became no document.</summary>
    public IReadOnlyList<DeadLetter> Poison => _poison;

    /// <param name="from">The position that the store has to be at; null: it stays where it is.</param>
    public void Begin(ulong? from)
    {
        _arena.Clear();
        _records.Clear();
        _frames.Clear();
        _poison.Clear();
        (_bytes, FirstLogged, LastLogged, LastOffset) = (0, null, null, null);
        _documents.Begin((long?)from);
    }

    /// <summary>Takes an event; its memory may be used for something else afterwards.</summary>
    public void Add(in LogRecord record)
    {
        _bytes += record.Payload.Length;
        FirstLogged ??= record.Time;
        LastLogged = record.Time;
        LastOffset = record.Offset;
        if (record.Fault is { } not)
        {
            _poison.Add(new DeadLetter(_place.Partition, record.Offset, "", "", not.Cause, not.Path, not.Message, record.Payload.ToArray(), record.Time));
            return;
        }

        if (EnvelopeFrame.TryRead(record.Payload, _said) is var fault and not FrameFault.None)
        {
            var cause = fault == FrameFault.OtherVersion ? "other_version" : "frame";
            const string words = "the event in the log is not one that this program can read";
            _poison.Add(new DeadLetter(_place.Partition, record.Offset, "", "", cause, "", words, record.Payload.ToArray(), record.Time));
            return;
        }

        var (document, poison) = _writer.Write(_said, new EventPlace(_place.Log, _place.Partition, (long)record.Offset), _transform.Usual);
        if (document is null)
        {
            _poison.Add(LetterOf(record, poison!.Code, poison.Path, poison.Message));
            return;
        }

        _records.Add(record with { Payload = _arena.Keep(record.Payload.Span) });
        _documents.Add(new StoredDocument(
            Guid.Parse(document.Key.Span, null), _arena.Keep(_said.Id.Span), _arena.Keep(_said.Source.Span), _arena.Keep(_said.Type.Span), document.Enrichment.HostBytes, document.Enrichment.GpuBytes,
            StoredDocument.Microseconds(document.Time), StoredDocument.Microseconds(_said.Received), (long)record.Offset,
            _arena.Keep(document.Json.Span), _arena.Keep(document.Embedding.Span)));
    }

    /// <summary>Leaves out all documents but these, for a batch that moves no position.</summary>
    /// <param name="items">Upwards.</param>
    public void Keep(IReadOnlyList<int> items)
    {
        var kept = items.Select(item => (_records[item], _documents.Documents[item])).ToList();
        _records.Clear();
        _documents.Begin(null);
        foreach (var (record, document) in kept)
        {
            _records.Add(record);
            _documents.Add(document);
        }

        _documents.End(default);
    }

    public void EndAt(ulong next, ulong hash) => _documents.End(new StorePosition((long)next, hash));

    public void Dispose() => _writer.Dispose();

    private DeadLetter LetterOf(int item, string cause, string path, string message)
    {
        var record = _records[item];
        EnvelopeFrame.TryRead(record.Payload, _said);
        return LetterOf(record, cause, path, message);
    }

    private DeadLetter LetterOf(in LogRecord record, string cause, string path, string message) => new(
        _place.Partition, record.Offset, Encoding.UTF8.GetString(_said.Source.Span), Encoding.UTF8.GetString(_said.Id.Span), cause, path, message, record.Payload.ToArray(), record.Time);
}
