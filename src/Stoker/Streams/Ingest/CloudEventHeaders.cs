using System.Text;
using System.Text.Unicode;
using Stoker.Http;
using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>A CloudEvent in binary mode: attributes are headers, the body, or a message's value, is the data.</summary>
internal sealed class CloudEventHeaders(IngestSpec spec, DataChecks checks, Scratch scratch)
{
    private static readonly byte[] DataContentType = [.. "datacontenttype"u8];

    private readonly JsonScanner _scanner = new();

    /// <summary>One of the four attributes that every event has is among the headers.</summary>
    public static bool AreIn(MessageHead head) =>
        !head.Find("ce-specversion"u8).IsEmpty || !head.Find("ce-id"u8).IsEmpty || !head.Find("ce-source"u8).IsEmpty || !head.Find("ce-type"u8).IsEmpty;

    public void Read(IngestItem item, MessageHead head, ReadOnlyMemory<byte> body)
    {
        item.Event.Form = EventForm.CloudEvent;
        var hasVersion = false;
        for (var i = 0; i < head.Count; i++)
        {
            var name = head.NameOf(i);
            if (name.Length <= 3 || !MessageHead.StartsWith(name, "ce-"u8)) continue;
            hasVersion |= MessageHead.Is(name, "ce-specversion"u8);
            ReadHeader(item, head, i);
        }

        AttributeRules.RequireAll(item, hasVersion, "header ce-");
        var type = checks.FindType(item, spec.OnlyDeclaredTypes, "header ce-type");
        ReadContentType(item, head.Find("content-type"u8));
        ReadData(item, type, body);
    }

    /// <summary>As Kafka has it (CloudEvents' protocol binding of Kafka, 3.2): headers begin with <c>ce_</c>, and their values are plain UTF-8.</summary>
    public void Read(IngestItem item, IReadOnlyList<MessageHeader> headers, ReadOnlyMemory<byte> value)
    {
        item.Event.Form = EventForm.CloudEvent;
        var hasVersion = false;
        for (var i = 0; i < headers.Count; i++)
        {
            var (name, text) = (headers[i].Name, headers[i].Value);
            if (!name.StartsWith(MessageReader.Prefix, StringComparison.Ordinal)) continue;
            hasVersion |= name == "ce_specversion";
            var key = Encoding.UTF8.GetBytes(name[MessageReader.Prefix.Length..]);
            var place = new AttributePlace(Encoding.UTF8.GetBytes(name));
            if (key.AsSpan().SequenceEqual(DataContentType)) item.Mistakes.Add(place.Path, MistakeCodes.ForbiddenHeader, "the type of the data is the header content-type", "content-type");
            else if (headers.Take(i).Any(other => other.Name == name)) item.Mistakes.Add(place.Path, MistakeCodes.RepeatedHeader, "an attribute stands once");
            else if (!Utf8.IsValid(text.Span)) item.Mistakes.Add(place.Path, MistakeCodes.NotUtf8, "an attribute is UTF-8");
            else AttributeRules.Set(item, place, key, text, AttributeKind.Text);
        }

        AttributeRules.RequireAll(item, hasVersion, "header ce_");
        var type = checks.FindType(item, spec.OnlyDeclaredTypes, "header ce_type");
        ReadContentType(item, MessageReader.ContentTypeOf(headers).Span);
        ReadData(item, type, value);
    }

    private void ReadHeader(IngestItem item, MessageHead head, int index)
    {
        var header = head.NameOf(index);
        var place = new AttributePlace(header);
        if (MessageHead.Is(header, "ce-datacontenttype"u8))
        {
            item.Mistakes.Add(place.Path, MistakeCodes.ForbiddenHeader, "the type of the data is the header content-type", "content-type");
            return;
        }

        for (var i = 0; i < index; i++)
        {
            if (!Ascii.EqualsIgnoreCase(head.NameOf(i), header)) continue;
            item.Mistakes.Add(place.Path, MistakeCodes.RepeatedHeader, "an attribute stands once");
            return;
        }

        var name = scratch.Take(header.Length - 3);
        Ascii.ToLower(header[3..], name.Span, out _);
        var raw = scratch.Take(head.ValueOf(index).Length);
        head.ValueOf(index).CopyTo(raw.Span);
        if (HeaderText.Decode(raw, scratch, out var reason) is { } value) AttributeRules.Set(item, place, name, value, AttributeKind.Text);
        else item.Mistakes.Add(place.Path, MistakeCodes.PercentEncoding, reason);
    }

    private void ReadContentType(IngestItem item, ReadOnlySpan<byte> header)
    {
        if (header.IsEmpty) return;
        var kept = scratch.Take(header.Length);
        header.CopyTo(kept.Span);
        AttributeRules.Set(item, new AttributePlace("content-type"u8), DataContentType, kept, AttributeKind.Text);
    }

    private void ReadData(IngestItem item, EventType? type, ReadOnlyMemory<byte> body)
    {
        var said = item.Event;
        if (body.IsEmpty)
        {
            if (type?.Schema is not null) item.Mistakes.Add("$", MistakeCodes.Missing, "events of this type have data: the body is empty");
            return;
        }

        (said.Data, said.HasData) = (body, true);
        var isJson = MediaType.TryRead(said.ContentType.Span, out var media) && media.IsJson;
        if (!isJson)
        {
            if (type?.Schema is not null) item.Mistakes.Add("header content-type", MistakeCodes.ContentType, "the data of this type are JSON", "application/json");
            return;
        }

        if (!media.IsUtf8)
        {
            item.Mistakes.Add("header content-type", MistakeCodes.Charset, "JSON is UTF-8", "charset=utf-8");
            return;
        }

        if (_scanner.Scan(body) is { IsNone: false } fault)
        {
            item.Mistakes.Add(_scanner.FaultPath(), fault.Kind == JsonFaultKind.NotUtf8 ? MistakeCodes.NotUtf8 : MistakeCodes.NotJson, fault.Message);
            return;
        }

        var next = 0;
        if (DataChecks.TellRemarks(item, _scanner, 0, ref next)) checks.Check(item, type, _scanner.Tape, 0, 0);
    }
}
