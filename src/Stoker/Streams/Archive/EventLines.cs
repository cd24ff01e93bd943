using System.Buffers;
using System.Buffers.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Json;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Archive;

/// <summary>The lines of an event, raw and as a document: the same event gives the same bytes, now and at a verification. One thread at a time.</summary>
internal sealed class EventLines(string log, int partition, EventTransform transform) : IDisposable
{
    private readonly EventPlace _origin = new(log, partition, 0);
    private readonly RawEventWriter _raw = new(log, partition);
    private readonly DocumentWriter _documents = new(transform.Plan, transform.Hosts);
    private readonly EventEnvelope _said = new();
    private readonly EventEnvelope _saidAtFirst = new();
    private readonly ArrayBufferWriter<byte> _line = new(4096);
    private LogRecord _record;
    private ReadOnlyMemory<byte> _came;
    private FrameFault _fault;

    /// <summary>The version of the mappings by which documents are made.</summary>
    public string Transform => transform.Plan.Version;

    /// <param name="record">Its memory is used until the next one.</param>
    /// <param name="came">See <see cref="RecordBatch.AsItCame"/>.</param>
    public void Begin(in LogRecord record, ReadOnlyMemory<byte> came)
    {
        (_record, _came) = (record, came);
        _fault = EnvelopeFrame.TryRead(record.Payload, _said);
    }

    /// <summary>The event as it came, with the line's end.</summary>
    public ReadOnlySpan<byte> Raw()
    {
        _line.ResetWrittenCount();
        _raw.Write(Said(), _record with { Payload = _came }, _line);
        _line.Write("\n"u8);
        return _line.WrittenSpan;
    }

    /// <summary>The document as the store gets it, with its vector as base64 of float32 in a last field <c>embedding</c>, and the line's end; or why there is none.</summary>
    public Mistake? TryDocument(out ReadOnlySpan<byte> line)
    {
        line = default;
        if (_record.Fault is { } not) return new Mistake(not.Path, not.Cause, not.Message);
        if (_fault != FrameFault.None) return new Mistake("", _fault == FrameFault.OtherVersion ? "other_version" : "frame", "the event in the log is not one that this program can read");
        var (document, poison) = _documents.Write(_said, _origin with { Offset = (long)_record.Offset }, transform.Usual);
        if (document is null) return poison;
        _line.ResetWrittenCount();
        var json = document.Json.Span;
        _line.Write(document.Embedding.IsEmpty ? json : json[..^1]);
        if (!document.Embedding.IsEmpty) WriteEmbedding(document.Embedding.Span);
        _line.Write("\n"u8);
        line = _line.WrittenSpan;
        return null;
    }

    /// <summary>What the event says as it came; null: it cannot be read.</summary>
    private EventEnvelope? Said()
    {
        if (_came.Equals(_record.Payload)) return _fault == FrameFault.None ? _said : null;
        return EnvelopeFrame.TryRead(_came, _saidAtFirst) == FrameFault.None ? _saidAtFirst : null;
    }

    public void Dispose()
    {
        _raw.Dispose();
        _documents.Dispose();
    }

    private void WriteEmbedding(ReadOnlySpan<byte> vector)
    {
        _line.Write(",\"embedding\":\""u8);
        var room = _line.GetSpan(Base64.GetMaxEncodedToUtf8Length(vector.Length));
        Base64.EncodeToUtf8(vector, room, out _, out var length);
        _line.Advance(length);
        _line.Write("\"}"u8);
    }
}
