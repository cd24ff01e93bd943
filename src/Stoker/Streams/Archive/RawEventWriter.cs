using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Stoker.Streams.Events;
using Stoker.Streams.Json;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Archive;

/// <summary>
/// An event of the log as one line: a CloudEvent 1.0 in the JSON format, with all that the log has of it. Pure: the same record gives the same bytes.
/// <code>
/// {"specversion":"1.0","stokerreceipt":"0-1234","stokerreceived":"2026-11-21T…Z","stokerproducer":…,"id":…,"source":…,"type":…,…,"data":…}
/// </code>
/// JSON data stand as they came but for white space, other texts as a text, everything else at <c>data_base64</c>. Attributes of Stoker's own begin with <c>stoker</c>; where
/// the event has one of the same name itself, ours has a <c>2</c> behind it. What is no event that this program can read is a line too, with its bytes as they are.
/// </summary>
internal sealed class RawEventWriter(string log, int partition) : IDisposable
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = JsonModule.HardDepth };

    private readonly JsonScanner _scanner = new();
    private readonly Utf8JsonWriter _json = new(Stream.Null, WriterOptions);

    public void Dispose() => _json.Dispose();

    /// <param name="said">What the record's frame says; null: it cannot be read.</param>
    public void Write(EventEnvelope? said, in LogRecord record, IBufferWriter<byte> line)
    {
        _json.Reset(line);
        _json.WriteStartObject();
        _json.WriteString("specversion"u8, "1.0"u8);
        if (said is null) WriteUnreadable(record);
        else WriteEvent(said, record);
        _json.WriteEndObject();
        _json.Flush();
    }

    private void WriteUnreadable(in LogRecord record)
    {
        WriteReceipt("stokerreceipt"u8, record.Offset);
        Span<byte> source = stackalloc byte[64];
        Utf8.TryWrite(source, $"stoker:log/{log}", out var length);
        WriteReceipt("id"u8, record.Offset);
        _json.WriteString("source"u8, source[..length]);
        _json.WriteString("type"u8, "stoker.unreadable.v1"u8);
        _json.WriteBase64String("data_base64"u8, record.Payload.Span);
    }

    private void WriteEvent(EventEnvelope said, in LogRecord record)
    {
        WriteReceipt(Free(said, "stokerreceipt"u8), record.Offset);
        Span<byte> time = stackalloc byte[40];
        said.Received.TryFormat(time, out var length, "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'");
        _json.WriteString(Free(said, "stokerreceived"u8), time[..length]);
        if (said.Form == EventForm.Metadata) _json.WriteString(Free(said, "stokerform"u8), "metadata"u8);
        if (!said.Producer.IsEmpty) _json.WriteString(Free(said, "stokerproducer"u8), said.Producer.Span);
        if (!said.Schema.IsEmpty) _json.WriteString(Free(said, "stokerschema"u8), said.Schema.Span);
        if (!said.TraceParent.IsEmpty && said.Find("traceparent"u8)?.Value.Span.SequenceEqual(said.TraceParent.Span) != true)
        {
            _json.WriteString(Free(said, "stokertraceparent"u8), said.TraceParent.Span);
        }

        WriteText("id"u8, said.Id);
        WriteText("source"u8, said.Source);
        WriteText("type"u8, said.Type);
        WriteText("subject"u8, said.Subject);
        WriteText("time"u8, said.Time);
        WriteText("dataschema"u8, said.DataSchema);
        WriteText("datacontenttype"u8, said.ContentType);
        for (var i = 0; i < said.Extensions.Count; i++) WriteExtension(said.Extensions[i]);
        if (said.HasData) WriteData(said);
    }

    private void WriteReceipt(ReadOnlySpan<byte> name, ulong offset)
    {
        Span<byte> text = stackalloc byte[40];
        Utf8.TryWrite(text, $"{partition}-{offset}", out var length);
        _json.WriteString(name, text[..length]);
    }

    private void WriteText(ReadOnlySpan<byte> name, ReadOnlyMemory<byte> text)
    {
        if (!text.IsEmpty) _json.WriteString(name, text.Span);
    }

    private void WriteExtension(in EventAttribute attribute)
    {
        var name = attribute.Name.Span;
        var value = attribute.Value.Span;
        if (attribute.Kind == AttributeKind.Boolean && Utf8Parser.TryParse(value, out bool flag, out var used) && used == value.Length) _json.WriteBoolean(name, flag);
        else if (attribute.Kind == AttributeKind.Integer && Utf8Parser.TryParse(value, out int number, out used) && used == value.Length) _json.WriteNumber(name, number);
        else _json.WriteString(name, value);
    }

    private void WriteData(EventEnvelope said)
    {
        var hasType = MediaType.TryRead(said.ContentType.Span, out var media);
        if (hasType && media.IsJson && _scanner.Scan(said.Data).IsNone && _scanner.Remarks.Count == 0)
        {
            _json.WritePropertyName("data"u8);
            TapeWriter.WriteValue(_json, _scanner.Tape, 0);
        }

        // A text without a type would be read as JSON.
        else if (hasType && !media.IsJson && Utf8.IsValid(said.Data.Span) && !said.Data.Span.Contains((byte)0))
        {
            _json.WriteString("data"u8, said.Data.Span);
        }
        else
        {
            _json.WriteBase64String("data_base64"u8, said.Data.Span);
        }
    }

    private static ReadOnlySpan<byte> Free(EventEnvelope said, ReadOnlySpan<byte> name)
    {
        var free = name;
        while (said.Extensions.Count > 0 && said.Find(free) is not null) free = (byte[])[.. free, (byte)'2'];
        return free;
    }
}
