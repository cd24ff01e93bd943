using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Confluent.Kafka;
using Stoker.Streams.Events;

namespace Stoker.Streams.Kafka;

/// <summary>
/// An event of the stream's door as a message, and back to the last bit. What CloudEvents knows stands where its protocol binding of Kafka says (binary mode:
/// <c>ce_id</c>, <c>ce_source</c>, …, <c>content-type</c>, the value being the data), so that anybody can read it; what it does not know in headers of Stoker's own:
/// <code>
/// stoker_form      metadata | cloudevent     whoever has it was checked at a stream's door
/// stoker_received  2026-11-21T20:12:25.1234567Z
/// stoker_producer  stoker_schema  stoker_dimension  stoker_kinds (count=integer,last=boolean)  traceparent
/// </code>
/// Pure.
/// </summary>
internal static class EventMessages
{
    private const string Form = "stoker_form", Received = "stoker_received", Producer = "stoker_producer", Schema = "stoker_schema", Dimension = "stoker_dimension", Kinds = "stoker_kinds";

    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    /// <param name="time">Of the log, microseconds of UTC; messages have milliseconds.</param>
    public static Message<byte[], byte[]?> Of(EventEnvelope said, long time)
    {
        var headers = new Headers
        {
            { "ce_specversion", "1.0"u8.ToArray() },
            { "ce_id", said.Id.ToArray() },
            { "ce_source", said.Source.ToArray() },
            { "ce_type", said.Type.ToArray() },
        };
        Add(headers, "ce_subject", said.Subject);
        Add(headers, "ce_time", said.Time);
        Add(headers, "ce_dataschema", said.DataSchema);
        for (var i = 0; i < said.Extensions.Count; i++) headers.Add($"ce_{Encoding.ASCII.GetString(said.Extensions[i].Name.Span)}", said.Extensions[i].Value.ToArray());
        Add(headers, "content-type", said.ContentType);
        headers.Add(Form, said.Form == EventForm.Metadata ? "metadata"u8.ToArray() : "cloudevent"u8.ToArray());
        headers.Add(Received, Encoding.ASCII.GetBytes(said.Received.ToString(TimeForm, CultureInfo.InvariantCulture)));
        Add(headers, Producer, said.Producer);
        Add(headers, Schema, said.Schema);
        if (said.Dimension > 0) headers.Add(Dimension, Encoding.ASCII.GetBytes(said.Dimension.ToString(CultureInfo.InvariantCulture)));
        Add(headers, Kinds, Encoding.ASCII.GetBytes(KindsOf(said)));
        Add(headers, "traceparent", said.TraceParent);
        return new Message<byte[], byte[]?>
        {
            Key = (said.Find("partitionkey"u8) is { Value.IsEmpty: false } key ? key.Value : said.Source).ToArray(),
            Value = said.HasData ? said.Data.ToArray() : null,
            Headers = headers,
            Timestamp = new Timestamp(time / 1000, TimestampType.CreateTime),
        };
    }

    /// <summary>The message is one that <see cref="Of"/> made, or says that it is.</summary>
    public static bool IsOurs(Headers? headers) => headers is not null && headers.TryGetLastBytes(Form, out _);

    /// <summary>Fills the envelope with places in the message.</summary>
    /// <returns>What is wrong with it; null: nothing.</returns>
    public static string? TryRead(Message<byte[], byte[]?> message, EventEnvelope into)
    {
        into.Clear();
        ReadOnlyMemory<byte> kinds = default;
        foreach (var header in message.Headers)
        {
            ReadOnlyMemory<byte> value = header.GetValueBytes();
            if (header.Key == Kinds) kinds = value;
            else if (!Utf8.IsValid(value.Span)) return $"the header {header.Key} is not UTF-8";
            else if (!TryTake(into, header.Key, value)) return $"the header {header.Key} has no value that it can have";
        }

        if (!kinds.IsEmpty && !TryReadKinds(into, kinds)) return $"the header {Kinds} cannot be read";
        if (into.Source.IsEmpty || into.Id.IsEmpty || into.Type.IsEmpty || into.Received == default) return "source, id, type or time of arrival are not there";
        if (message.Value is { } data) (into.Data, into.HasData) = (data, true);
        return null;
    }

    private static bool TryTake(EventEnvelope into, string name, ReadOnlyMemory<byte> value)
    {
        switch (name)
        {
            case "ce_specversion":
                return value.Span.SequenceEqual("1.0"u8);
            case "ce_id":
                into.Id = value;
                return true;
            case "ce_source":
                into.Source = value;
                return true;
            case "ce_type":
                into.Type = value;
                return true;
            case "ce_subject":
                into.Subject = value;
                return true;
            case "ce_time":
                into.Time = value;
                return true;
            case "ce_dataschema":
                into.DataSchema = value;
                return true;
            case "content-type":
                into.ContentType = value;
                return true;
            case "traceparent":
                into.TraceParent = value;
                return true;
            default:
                return name.StartsWith("ce_", StringComparison.Ordinal) ? TryTakeExtension(into, name[3..], value) : TryTakeOurs(into, name, value);
        }
    }

    private static bool TryTakeExtension(EventEnvelope into, string name, ReadOnlyMemory<byte> value)
    {
        if (name.Length is 0 or > byte.MaxValue || !name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter))) return false;
        if (into.Extensions.Count == EventsModule.MaxExtensions || into.Find(Encoding.ASCII.GetBytes(name)) is not null) return false;
        into.Add(new EventAttribute(Encoding.ASCII.GetBytes(name), value, AttributeKind.Text));
        return true;
    }

    private static bool TryTakeOurs(EventEnvelope into, string name, ReadOnlyMemory<byte> value)
    {
        switch (name)
        {
            case Form:
                into.Form = value.Span.SequenceEqual("metadata"u8) ? EventForm.Metadata : EventForm.CloudEvent;
                return into.Form == EventForm.Metadata || value.Span.SequenceEqual("cloudevent"u8);
            case Received:
                const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
                if (!DateTime.TryParseExact(Encoding.ASCII.GetString(value.Span), TimeForm, CultureInfo.InvariantCulture, utc, out var time)) return false;
                into.Received = time;
                return true;
            case Producer:
                into.Producer = value;
                return true;
            case Schema:
                into.Schema = value;
                return true;
            case Dimension:
                if (!int.TryParse(value.Span, NumberStyles.None, CultureInfo.InvariantCulture, out var dimension)) return false;
                into.Dimension = dimension;
                return true;
            default:
                // Others may add headers on the way.
                return true;
        }
    }

    private static string KindsOf(EventEnvelope said) =>
        string.Join(',', said.Extensions
            .Where(each => each.Kind != AttributeKind.Text)
            .Select(each => $"{Encoding.ASCII.GetString(each.Name.Span)}={(each.Kind == AttributeKind.Integer ? "integer" : "boolean")}"));

    private static bool TryReadKinds(EventEnvelope into, ReadOnlyMemory<byte> kinds)
    {
        var known = new Dictionary<string, AttributeKind>();
        foreach (var each in Encoding.ASCII.GetString(kinds.Span).Split(','))
        {
            if (each.Split('=') is not [var name, "integer" or "boolean"]) return false;
            known[name] = each.EndsWith("integer", StringComparison.Ordinal) ? AttributeKind.Integer : AttributeKind.Boolean;
        }

        for (var i = 0; i < into.Extensions.Count; i++)
        {
            if (known.Remove(Encoding.ASCII.GetString(into.Extensions[i].Name.Span), out var kind)) into.Change(i, kind);
        }

        return known.Count == 0;
    }

    private static void Add(Headers headers, string name, ReadOnlyMemory<byte> value)
    {
        if (!value.IsEmpty) headers.Add(name, value.ToArray());
    }
}
