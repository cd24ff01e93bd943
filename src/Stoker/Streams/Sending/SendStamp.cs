using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Events;

namespace Stoker.Streams.Sending;

/// <summary>
/// Gives a document that waits what the stream would have given it at once: its time, and the id that is made of its bytes, which the time changes. What has them,
/// and what is no object, stays as it is. Pure.
/// </summary>
internal static class SendStamp
{
    public static ReadOnlyMemory<byte> Apply(SendForm form, ReadOnlyMemory<byte> document, DateTimeOffset time)
    {
        // As the stream takes it for the id: without what stands around it.
        document = document.TrimStart(" \t\r\n"u8).TrimEnd(" \t\r\n"u8);
        if (Find(document.Span) is not { } found) return document;
        var fields = new List<(string Name, string Value, Range? Null)>();
        if (found.Time is not Place.There) fields.Add(("time", time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture), NullOf(found.Time)));
        if (form != SendForm.CloudEvent && found.Id is not Place.There)
        {
            Span<byte> id = stackalloc byte[EventIdentity.Length];
            EventIdentity.OfContent(document.Span, id);
            fields.Add(("metadata_id", Encoding.ASCII.GetString(id), NullOf(found.Id)));
        }

        return fields.Count == 0 ? document : Write(document, fields, found);
    }

    private static ReadOnlyMemory<byte> Write(ReadOnlyMemory<byte> document, List<(string Name, string Value, Range? Null)> fields, Fields found)
    {
        var written = new ArrayBufferWriter<byte>(document.Length + 128);
        written.Write("{"u8);
        var added = fields.Where(field => field.Null is null).ToList();
        for (var i = 0; i < added.Count; i++)
            written.Write(Encoding.ASCII.GetBytes($"\"{added[i].Name}\": \"{added[i].Value}\"{(i < added.Count - 1 || !found.IsEmpty ? ", " : "")}"));
        var at = 1;
        foreach (var field in fields.Where(field => field.Null is not null).OrderBy(field => field.Null!.Value.Start.Value))
        {
            written.Write(document.Span[at..field.Null!.Value.Start]);
            written.Write(Encoding.ASCII.GetBytes($"\"{field.Value}\""));
            at = field.Null!.Value.End.Value;
        }

        written.Write(document.Span[at..]);
        return written.WrittenMemory;
    }

    private static Range? NullOf(Place place) => place is Place.Null at ? at.Value : null;

    /// <summary>Null: it is no object, and the stream will say so.</summary>
    private static Fields? Find(ReadOnlySpan<byte> document)
    {
        try
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = 1000 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            var fields = new Fields();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                fields.IsEmpty = false;
                var (isTime, isId) = (reader.ValueTextEquals("time"u8), reader.ValueTextEquals("metadata_id"u8));
                reader.Read();
                Place place = reader.TokenType == JsonTokenType.Null ? new Place.Null((int)reader.TokenStartIndex..(int)reader.BytesConsumed) : new Place.There();
                if (isTime) fields.Time = place;
                if (isId) fields.Id = place;
                reader.Skip();
            }

            while (reader.Read())
            {
                // To the end: with more behind it is no document.
            }

            return fields;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class Fields
    {
        public bool IsEmpty { get; set; } = true;

        public Place Time { get; set; } = new Place.Nowhere();

        public Place Id { get; set; } = new Place.Nowhere();
    }

    private abstract record Place
    {
        internal sealed record Nowhere : Place;

        internal sealed record There : Place;

        internal sealed record Null(Range Value) : Place;
    }
}
