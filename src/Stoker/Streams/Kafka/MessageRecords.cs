using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Confluent.Kafka;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Kafka;

/// <summary>
/// Makes records of messages: what a stream's door has put there, and CloudEvents of others, which are held to what the door asks for. What is neither becomes a record
/// with a fault, whose payload is the message as JSON. Pure; one per thread.
/// </summary>
internal sealed class MessageRecords
{
    /// <summary>What is a CloudEvent at all, and its size is nobody's business any more.</summary>
    private static readonly IngestSpec Anything = new() { MaxEvent = int.MaxValue };

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly EventEnvelope _said = new();
    private readonly List<MessageHeader> _headers = [];
    private readonly ArrayBufferWriter<byte> _frame = new();
    private readonly MessageReader _reader;
    private MessageReader? _open;

    /// <param name="ingest">What the stream takes.</param>
    public MessageRecords(IngestSpec ingest, EventTypes types) => _reader = new MessageReader(ingest, types);

    public LogRecord Read(ulong offset, Message<byte[], byte[]?> message)
    {
        var time = TimeOf(message);
        if (EventMessages.IsOurs(message.Headers))
            return EventMessages.TryRead(message, _said) is { } broken ? Fault(offset, time, message, "message", "", broken) : Framed(offset, time, _said);
        if (ReadOthers(_reader, time, message) is not { } item)
            return Fault(offset, time, message, "not_an_event", "", "the message is no CloudEvent: no ce_ headers, and no content-type of application/cloudevents+json");
        return item.IsAccepted ? Framed(offset, time, item.Event) : Fault(offset, time, message, item.Mistakes.Kept[0].Code, item.Mistakes.Kept[0].Path, item.Mistakes.Kept[0].Message);
    }

    /// <summary>A record's payload as it would be in a stream that declares nothing, which may declare something else tomorrow.</summary>
    public ReadOnlyMemory<byte> AsItCame(in LogRecord record, Message<byte[], byte[]?> message)
    {
        if (EventMessages.IsOurs(message.Headers)) return record.Payload;
        _open ??= new MessageReader(Anything, new EventTypes(Anything));
        if (ReadOthers(_open, record.Time, message) is { IsAccepted: true } item) return Framed(record.Offset, record.Time, item.Event).Payload;
        return record.Fault is not null ? record.Payload : Fault(record.Offset, record.Time, message, "", "", "").Payload;
    }

    /// <summary>Tells a message at its place from any other; never 0. Kept with a store's position, so that a topic that was made anew is noticed.</summary>
    public static RunningHash HashOf(ulong offset, Message<byte[], byte[]?> message)
    {
        var hash = new RunningHash(offset).Add(message.Value, message.Timestamp.UnixTimestampMs, EventIdentity.Hash(message.Key, default));
        return hash.Value == 0 ? new RunningHash(1) : hash;
    }

    /// <summary>Microseconds of UTC.</summary>
    public static long TimeOf(Message<byte[], byte[]?> message) => Math.Max(0, message.Timestamp.UnixTimestampMs) * 1000;

    private IngestItem? ReadOthers(MessageReader reader, long time, Message<byte[], byte[]?> message)
    {
        _headers.Clear();
        foreach (var header in message.Headers ?? []) _headers.Add(new MessageHeader(header.Key, header.GetValueBytes()));
        return reader.Read(_headers, message.Value, DateTime.UnixEpoch.AddTicks(time * TimeSpan.TicksPerMicrosecond));
    }

    private LogRecord Framed(ulong offset, long time, EventEnvelope said)
    {
        _frame.ResetWrittenCount();
        EnvelopeFrame.Write(said, _frame);
        return new LogRecord(offset, time, EventIdentity.Hash(said.Source.Span, said.Id.Span), _frame.WrittenSpan.ToArray());
    }

    private LogRecord Fault(ulong offset, long time, Message<byte[], byte[]?> message, string cause, string path, string words)
    {
        _frame.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_frame, Options))
        {
            json.WriteStartObject();
            Write(json, "key", message.Key);
            json.WriteStartObject("headers");
            foreach (var header in message.Headers ?? []) Write(json, header.Key, header.GetValueBytes());
            json.WriteEndObject();
            Write(json, "value", message.Value);
            json.WriteEndObject();
        }

        return new LogRecord(offset, time, 0, _frame.WrittenSpan.ToArray()) { Fault = new RecordFault(cause, path, words) };
    }

    private static void Write(Utf8JsonWriter json, string name, byte[]? value)
    {
        if (value is null) json.WriteNull(name);
        else if (Utf8.IsValid(value)) json.WriteString(name, value);
        else json.WriteBase64String($"{name}_base64", value);
    }
}
