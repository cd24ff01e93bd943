using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>
/// Reads events from a log's messages that others have put there: a CloudEvent as Kafka has it, binary or structured, held to what the stream's door asks for. One
/// per thread; its item is filled anew each time, and holds places in the message.
/// </summary>
internal sealed class MessageReader
{
    public const string Prefix = "ce_";

    private readonly IngestSpec _spec;
    private readonly Scratch _scratch = new();
    private readonly JsonScanner _scanner = new();
    private readonly IngestItem _item = new();
    private readonly CloudEventReader _events;
    private readonly CloudEventHeaders _headers;

    public MessageReader(IngestSpec spec, EventTypes types)
    {
        _spec = spec;
        var checks = new DataChecks(types);
        _events = new CloudEventReader(spec, checks, _scratch);
        _headers = new CloudEventHeaders(spec, checks, _scratch);
    }

    /// <param name="received">When the log took it.</param>
    /// <returns>Null: it is no CloudEvent, nor said to be one.</returns>
    public IngestItem? Read(IReadOnlyList<MessageHeader> headers, ReadOnlyMemory<byte> value, DateTime received)
    {
        _scratch.Clear();
        _item.Clear(0);
        _item.Event.Received = received;
        var isStructured = MediaType.TryRead(ContentTypeOf(headers).Span, out var media) && media.StartsWith("application/cloudevents"u8);
        if (!isStructured && !headers.Any(header => header.Name is "ce_specversion" or "ce_id" or "ce_source" or "ce_type")) return null;
        if (value.Length > _spec.MaxEvent) _item.Mistakes.Add("$", MistakeCodes.TooLarge, "the event is too large", $"at most {_spec.MaxEvent} bytes", $"{value.Length} bytes");
        else if (!isStructured) _headers.Read(_item, headers, value);
        else if (media.Is("application/cloudevents+json"u8) && media.IsUtf8) ReadStructured(value);
        else _item.Mistakes.Add("header content-type", MistakeCodes.ContentType, "events are read as JSON in UTF-8, one in a message", "application/cloudevents+json");
        if (_item.Event.Find("traceparent"u8) is { } own) _item.Event.TraceParent = TraceContext.Read(own.Value.Span).IsEmpty ? default : own.Value;
        return _item;
    }

    public static ReadOnlyMemory<byte> ContentTypeOf(IReadOnlyList<MessageHeader> headers)
    {
        for (var i = 0; i < headers.Count; i++)
        {
            if (headers[i].Name == "content-type") return headers[i].Value;
        }

        return default;
    }

    private void ReadStructured(ReadOnlyMemory<byte> value)
    {
        if (_scanner.Scan(value) is { IsNone: false } fault)
        {
            _item.Mistakes.Add(_scanner.FaultPath(), fault.Kind == JsonFaultKind.NotUtf8 ? MistakeCodes.NotUtf8 : MistakeCodes.NotJson, fault.Message);
            return;
        }

        var next = 0;
        if (DataChecks.TellRemarks(_item, _scanner, 0, ref next)) _events.Read(_item, _scanner.Tape, 0);
    }
}

/// <summary>A header of a message.</summary>
internal readonly record struct MessageHeader(string Name, ReadOnlyMemory<byte> Value);
