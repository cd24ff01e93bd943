using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Transform;

/// <summary>Writes documents. One per thread; its document is filled anew each time.</summary>
/// <param name="hosts">Finds where an event comes from by its data; null: what is given is taken.</param>
internal sealed class DocumentWriter(TransformPlan plan, HostDirectory? hosts = null) : IDisposable
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = JsonModule.HardDepth };

    private readonly JsonScanner _scanner = new();
    private readonly JsonScanner _written = new();
    private readonly Utf8JsonWriter _json = new(Stream.Null, WriterOptions);
    private readonly ArrayBufferWriter<byte> _plain = new(1024);
    private readonly EventDocument _document = new();

    public void Dispose() => _json.Dispose();

    /// <summary>The document, or what makes it impossible: then the event is poison, however often it is tried.</summary>
    public (EventDocument? Document, Mistake? Poison) Write(EventEnvelope said, EventPlace place, EventEnrichment enrichment)
    {
        _document.Clear();
        EventIdentity.OfEvent(said.Source.Span, said.Id.Span, _document.KeyRoom);
        _document.Time = Timestamps.TryRead(said.Time.Span, out var happened) ? happened : said.Received;
        var isJson = said.HasData && IsJson(said.ContentType.Span);
        if (isJson && Scan(said.Data) is { } poison) return (null, poison);
        _document.Enrichment = hosts is null ? enrichment : isJson ? hosts.Find(_scanner.Tape) : EventEnrichment.None;
        var output = plan.Edits is null ? _document.JsonRoom : _plain;
        _plain.ResetWrittenCount();
        _json.Reset(output);
        _json.WriteStartObject();
        WriteIdentity(said);
        if (!WriteData(said, isJson)) return (null, new Mistake("$.embedding", MistakeCodes.NotANumber, "the vector cannot be read"));
        WriteAttributes(said);
        WriteLineage(said, place);
        WriteEnrichment(_document.Enrichment);
        _json.WriteEndObject();
        _json.Flush();
        if (plan.Edits is { } edits) Edit(edits);
        return (_document, null);
    }

    private void Edit(FieldEdit edits)
    {
        var fault = _written.Scan(_plain.WrittenMemory);
        if (!fault.IsNone) throw new InvalidOperationException($"a document that was just written is not JSON: {fault.Message}");
        _json.Reset(_document.JsonRoom);
        TapeWriter.WriteEdited(_json, _written.Tape, 0, edits);
        _json.Flush();
    }

    private Mistake? Scan(ReadOnlyMemory<byte> data)
    {
        if (_scanner.Scan(data) is { IsNone: false } fault) return new Mistake(_scanner.FaultPath(), MistakeCodes.NotJson, fault.Message);
        if (_scanner.Remarks.Count == 0) return null;
        return new Mistake(JsonPath.Of(_scanner.Tape, 0, _scanner.Remarks[0].Token), MistakeCodes.NotJson, $"the JSON cannot be kept: {_scanner.Remarks[0].Kind}");
    }

    private void WriteIdentity(EventEnvelope said)
    {
        _json.WriteString("_id"u8, _document.Key.Span);
        _json.WriteString("metadata_id"u8, said.Id.Span);
        _json.WriteString("source"u8, said.Source.Span);
        _json.WriteString("type"u8, said.Type.Span);
        if (!said.Subject.IsEmpty) _json.WriteString("subject"u8, said.Subject.Span);
        if (said.Time.IsEmpty) WriteTime("time"u8, said.Received);
        else _json.WriteString("time"u8, said.Time.Span);
        WriteTime("received"u8, said.Received);
    }

    private bool WriteData(EventEnvelope said, bool isJson)
    {
        if (!said.HasData) return true;
        if (!isJson)
        {
            WriteOtherData(said);
            return true;
        }

        var tape = _scanner.Tape;
        var vector = said.Dimension > 0 ? tape.Find(0, "embedding"u8) : -1;
        if (vector >= 0)
        {
            if (VectorReader.Write(tape, vector, _document.EmbeddingRoom) != said.Dimension * 4) return false;
            _json.WriteNumber("embedding_dim"u8, said.Dimension);
        }

        if (tape.Kind(0) == JsonKind.Object && (said.Form == EventForm.Metadata || tape.Find(0, "gpu_hardware"u8) >= 0)) WriteMetadata(said, tape, vector);
        else WriteWhole(tape, vector);
        return true;
    }

    /// <summary>The known fields as they are named; all others under <c>other</c>, where they cannot be taken for ours.</summary>
    private void WriteMetadata(EventEnvelope said, JsonTape tape, int vector)
    {
        WriteField(tape, "source_uri"u8);
        WriteField(tape, "gpu_hardware"u8);
        WriteField(tape, "extra"u8);
        var hasOther = false;
        for (var name = 1; name < tape.Next(0); name = tape.Next(name + 1))
        {
            if (name + 1 == vector || tape.Is(name, "source_uri"u8) || tape.Is(name, "gpu_hardware"u8) || tape.Is(name, "extra"u8)) continue;

            // Of a metadata document these two became the event's own.
            if (said.Form == EventForm.Metadata && (tape.Is(name, "metadata_id"u8) || (tape.Is(name, "time"u8) && !said.Time.IsEmpty))) continue;
            if (!hasOther) _json.WriteStartObject("other"u8);
            hasOther = true;
            TapeWriter.WriteName(_json, tape, name);
            TapeWriter.WriteValue(_json, tape, name + 1);
        }

        if (hasOther) _json.WriteEndObject();
    }

    private void WriteField(JsonTape tape, ReadOnlySpan<byte> name)
    {
        var token = tape.Find(0, name);
        if (token < 0) return;
        _json.WritePropertyName(name);
        TapeWriter.WriteValue(_json, tape, token);
    }

    private void WriteWhole(JsonTape tape, int vector)
    {
        _json.WritePropertyName("data"u8);
        if (vector < 0)
        {
            TapeWriter.WriteValue(_json, tape, 0);
            return;
        }

        _json.WriteStartObject();
        for (var name = 1; name < tape.Next(0); name = tape.Next(name + 1))
        {
            if (name + 1 == vector) continue;
            TapeWriter.WriteName(_json, tape, name);
            TapeWriter.WriteValue(_json, tape, name + 1);
        }

        _json.WriteEndObject();
    }

    private void WriteOtherData(EventEnvelope said)
    {
        if (!said.ContentType.IsEmpty) _json.WriteString("content_type"u8, said.ContentType.Span);
        if (Utf8.IsValid(said.Data.Span) && !said.Data.Span.Contains((byte)0)) _json.WriteString("data_text"u8, said.Data.Span);
        else _json.WriteBase64String("data_base64"u8, said.Data.Span);
    }

    private void WriteAttributes(EventEnvelope said)
    {
        if (!said.DataSchema.IsEmpty) _json.WriteString("dataschema"u8, said.DataSchema.Span);
        if (said.Extensions.Count == 0) return;
        _json.WriteStartObject("attributes"u8);
        for (var i = 0; i < said.Extensions.Count; i++)
        {
            var attribute = said.Extensions[i];
            if (attribute.Kind == AttributeKind.Boolean) _json.WriteBoolean(attribute.Name.Span, attribute.Value.Span.SequenceEqual("true"u8));
            else if (attribute.Kind == AttributeKind.Integer && Utf8Parser.TryParse(attribute.Value.Span, out int number, out _)) _json.WriteNumber(attribute.Name.Span, number);
            else _json.WriteString(attribute.Name.Span, attribute.Value.Span);
        }

        _json.WriteEndObject();
    }

    private void WriteLineage(EventEnvelope said, EventPlace place)
    {
        _json.WriteStartObject("lineage"u8);
        _json.WriteString("log"u8, place.Log);
        _json.WriteNumber("partition"u8, place.Partition);
        _json.WriteNumber("offset"u8, place.Offset);
        if (!said.Producer.IsEmpty) _json.WriteString("producer"u8, said.Producer.Span);
        if (!said.Schema.IsEmpty) _json.WriteString("schema"u8, said.Schema.Span);
        if (!said.TraceParent.IsEmpty) _json.WriteString("traceparent"u8, said.TraceParent.Span);
        _json.WriteString("transform"u8, plan.Version);
        _json.WriteEndObject();
    }

    private void WriteEnrichment(EventEnrichment enrichment)
    {
        if (enrichment.Host is null && enrichment.Gpu is null) return;
        _json.WriteStartObject("enrichment"u8);
        if (enrichment.Host is { } host) _json.WriteString("host"u8, host);
        if (enrichment.Gpu is { } gpu) _json.WriteString("gpu"u8, gpu);
        if (enrichment.Facts is { } facts)
        {
            _json.WritePropertyName("facts"u8);
            _json.WriteRawValue(facts, skipInputValidation: true);
        }

        _json.WriteEndObject();
    }

    private void WriteTime(ReadOnlySpan<byte> name, DateTime time)
    {
        Span<byte> text = stackalloc byte[40];
        time.TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'");
        _json.WriteString(name, text[..length]);
    }

    private static bool IsJson(ReadOnlySpan<byte> contentType) => MediaType.TryRead(contentType, out var media) && media.IsJson;
}
