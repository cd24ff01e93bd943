using System.Text;
using Stoker.Http;
using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>Reads requests. One per thread; its result is filled anew each time and holds places in the body, which must stay as long as it.</summary>
internal sealed class IngestReader
{
    private readonly IngestSpec _spec;
    private readonly Scratch _scratch = new();
    private readonly JsonScanner _scanner = new();
    private readonly IngestResult _result = new();
    private readonly MetadataReader _metadata;
    private readonly CloudEventReader _events;
    private readonly CloudEventHeaders _headers;
    private ReadOnlyMemory<byte> _producer, _trace;
    private DateTime _received;

    public IngestReader(IngestSpec spec, EventTypes? types = null)
    {
        _spec = spec;
        types ??= new EventTypes(spec);
        var checks = new DataChecks(types);
        _metadata = new MetadataReader(spec, types, checks, _scratch);
        _events = new CloudEventReader(spec, checks, _scratch);
        _headers = new CloudEventHeaders(spec, checks, _scratch);
    }

    /// <param name="producer">The name of the key; the source of documents that say none.</param>
    /// <param name="received">Now, in UTC.</param>
    public IngestResult Read(MessageHead head, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> producer, DateTime received)
    {
        _result.Clear();
        _scratch.Clear();
        (_producer, _received) = (producer, received);
        _result.IsAtomic = HasFlag(head.Target, "atomic=true"u8);
        _trace = Keep(TraceContext.Read(head.Find("traceparent"u8)));
        var type = head.Find("content-type"u8);
        if (!MediaType.TryRead(type, out var media) && (!type.IsEmpty || !CloudEventHeaders.AreIn(head)))
        {
            _result.Refuse(415, ContentTypeMistake(type));
            return _result;
        }

        ReadAs(media, head, body);
        return _result;
    }

    private void ReadAs(MediaType media, MessageHead head, ReadOnlyMemory<byte> body)
    {
        // The batch's name begins with the single event's.
        if (media.StartsWith("application/cloudevents-batch"u8)) ReadJson(media, "application/cloudevents-batch+json"u8, body, isBatch: true, isEvent: true);
        else if (media.StartsWith("application/cloudevents"u8)) ReadJson(media, "application/cloudevents+json"u8, body, isBatch: false, isEvent: true);
        else if (CloudEventHeaders.AreIn(head)) ReadBinary(head, body);
        else if (media.Is("application/json"u8)) ReadJson(media, "application/json"u8, body, isBatch: null, isEvent: false);
        else if (IsLines(media)) ReadLines(media, body);
        else _result.Refuse(415, ContentTypeMistake(media.Name));
    }

    private void ReadBinary(MessageHead head, ReadOnlyMemory<byte> body)
    {
        var item = Begin();
        if (IsOfSize(item, body.Length)) _headers.Read(item, head, body);
        End(item);
    }

    /// <param name="isBatch">Null: an array is one, everything else is not.</param>
    private void ReadJson(MediaType media, ReadOnlySpan<byte> expected, ReadOnlyMemory<byte> body, bool? isBatch, bool isEvent)
    {
        if (!media.Is(expected))
        {
            _result.Refuse(415, ContentTypeMistake(media.Name));
            return;
        }

        if (!IsReadable(media)) return;
        if (_scanner.Scan(body) is { IsNone: false } fault)
        {
            _result.Refuse(400, FaultMistake(fault));
            return;
        }

        var tape = _scanner.Tape;
        _result.IsBatch = isBatch ?? tape.Kind(0) == JsonKind.Array;
        var next = 0;
        if (!_result.IsBatch)
        {
            ReadItem(0, isEvent, ref next);
            return;
        }

        if (tape.Kind(0) != JsonKind.Array)
        {
            _result.Refuse(400, new Mistake("$", MistakeCodes.WrongType, "a batch is an array of events", "array", JsonPath.Show(tape, 0)));
            return;
        }

        if (!IsOfLength(tape.Count(0))) return;
        for (var token = 1; token < tape.Next(0); token = tape.Next(token)) ReadItem(token, isEvent, ref next);
    }

    private void ReadItem(int token, bool isEvent, ref int nextRemark)
    {
        var item = Begin();
        var isOfSize = IsOfSize(item, _scanner.Tape.Raw(token).Length);
        var canBeRead = DataChecks.TellRemarks(item, _scanner, token, ref nextRemark) && isOfSize;
        if (canBeRead && isEvent) _events.Read(item, _scanner.Tape, token);
        else if (canBeRead) _metadata.Read(item, _scanner.Tape, token);
        End(item);
    }

    /// <summary>One document a line; lines with nothing in them are passed over. A line that is not JSON spoils no other.</summary>
    private void ReadLines(MediaType media, ReadOnlyMemory<byte> body)
    {
        if (!IsReadable(media)) return;
        _result.IsBatch = true;
        for (var rest = body; !rest.IsEmpty;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0) continue;
            if (!IsOfLength(_result.Count + 1)) return;
            ReadLine(line);
        }

        if (_result.Count == 0 && _result.Refusal is null) _result.Refuse(400, new Mistake("$", MistakeCodes.NotJson, "there is no line with JSON in it"));
    }

    private void ReadLine(ReadOnlyMemory<byte> line)
    {
        var item = Begin();
        var next = 0;
        if (IsOfSize(item, line.Length))
        {
            if (_scanner.Scan(line) is { IsNone: false } fault)
            {
                item.Mistakes.Add(FaultMistake(fault));
            }
            else if (DataChecks.TellRemarks(item, _scanner, 0, ref next))
            {
                _metadata.Read(item, _scanner.Tape, 0);
            }
        }

        End(item);
    }

    private IngestItem Begin()
    {
        var item = _result.Begin();
        (item.Event.Producer, item.Event.Received) = (_producer, _received);
        return item;
    }

    private void End(IngestItem item)
    {
        // The event's own context is what its producer meant; the request's is that of whoever carried it.
        item.Event.TraceParent = item.Event.Find("traceparent"u8) is { } own && !TraceContext.Read(own.Value.Span).IsEmpty ? own.Value : _trace;
        _result.End(item);
    }

    private bool IsOfSize(IngestItem item, int length)
    {
        if (length <= _spec.MaxEvent) return true;
        item.Mistakes.Add("$", MistakeCodes.TooLarge, "the event is too large", $"at most {_spec.MaxEvent} bytes", $"{length} bytes");
        return false;
    }

    private bool IsOfLength(int count)
    {
        if (count <= _spec.MaxBatch) return true;
        _result.Refuse(413, new Mistake("$", MistakeCodes.BatchTooLong, "the batch has too many items", $"at most {_spec.MaxBatch}", $"{count} or more"));
        return false;
    }

    private bool IsReadable(MediaType media)
    {
        if (media.IsUtf8) return true;
        _result.Refuse(415, new Mistake("header content-type", MistakeCodes.Charset, "JSON is UTF-8", "charset=utf-8", JsonPath.Short(Encoding.ASCII.GetString(media.Charset))));
        return false;
    }

    private Mistake FaultMistake(JsonFault fault) => new(_scanner.FaultPath(), fault.Kind == JsonFaultKind.NotUtf8 ? MistakeCodes.NotUtf8 : MistakeCodes.NotJson, fault.Message);

    private static Mistake ContentTypeMistake(ReadOnlySpan<byte> type) => new("header content-type", MistakeCodes.ContentType,
        type.IsEmpty ? "the request does not say what it carries" : "this stream does not take requests of this type",
        "application/json, application/x-ndjson, application/cloudevents+json, application/cloudevents-batch+json, or a CloudEvent's ce- headers",
        type.IsEmpty ? null : JsonPath.Short(Encoding.ASCII.GetString(type)));

    private static bool IsLines(MediaType media) =>
        media.Is("application/x-ndjson"u8) || media.Is("application/ndjson"u8) || media.Is("application/jsonl"u8) || media.Is("application/x-jsonlines"u8);

    private ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return default;
        var kept = _scratch.Take(text.Length);
        text.CopyTo(kept.Span);
        return kept;
    }

    private static bool HasFlag(ReadOnlySpan<byte> target, ReadOnlySpan<byte> flag)
    {
        var query = target.IndexOf((byte)'?');
        if (query < 0) return false;
        foreach (var part in target[(query + 1)..].Split((byte)'&'))
        {
            if (target[(query + 1)..][part].SequenceEqual(flag)) return true;
        }

        return false;
    }
}
