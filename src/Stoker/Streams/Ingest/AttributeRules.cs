using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>What CloudEvents 1.0.2 asks of attributes, whichever way they came. Values are without escapes.</summary>
internal static class AttributeRules
{
    /// <summary>Puts an attribute into the event, or says what is wrong with it at <paramref name="place"/>.</summary>
    public static void Set(IngestItem item, AttributePlace place, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, AttributeKind kind)
    {
        if (!IsName(name.Span))
        {
            item.Mistakes.Add(
                place.Path, MistakeCodes.AttributeName, "the names of attributes have only the letters a to z, in lower case, and digits", "a-z, 0-9",
                JsonPath.Short(Encoding.UTF8.GetString(name.Span)));
            return;
        }

        if (value.Length > EventsModule.MaxAttribute)
        {
            item.Mistakes.Add(place.Path, MistakeCodes.TooLong, "the attribute is too long", $"at most {EventsModule.MaxAttribute} bytes", $"{value.Length} bytes");
            return;
        }

        if (FindForbidden(value.Span) is { } forbidden)
        {
            item.Mistakes.Add(place.Path, MistakeCodes.ControlCharacter, "an attribute has no control characters and no noncharacters", got: forbidden);
            return;
        }

        if (SetCore(item, place, name.Span, value)) return;
        if (item.Event.Extensions.Count == EventsModule.MaxExtensions)
        {
            var most = $"at most {EventsModule.MaxExtensions}";
            item.Mistakes.Add(place.Path, MistakeCodes.TooManyFields, "the event has too many extension attributes", most);
            return;
        }

        item.Event.Add(new EventAttribute(name, value, kind));
    }

    public static bool IsCore(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("id"u8) || name.SequenceEqual("source"u8) || name.SequenceEqual("type"u8) || name.SequenceEqual("specversion"u8) || name.SequenceEqual("subject"u8)
        || name.SequenceEqual("time"u8) || name.SequenceEqual("dataschema"u8) || name.SequenceEqual("datacontenttype"u8);

    /// <summary>A mistake for each of the four that must be there and is not.</summary>
    /// <param name="before">What stands before an attribute's name in its path: <c>header ce-</c>, <c>$.</c></param>
    public static void RequireAll(IngestItem item, bool hasSpecVersion, string before)
    {
        var said = item.Event;
        if (!hasSpecVersion) Miss(item, $"{before}specversion");
        if (said.Id.IsEmpty) Miss(item, $"{before}id");
        if (said.Source.IsEmpty) Miss(item, $"{before}source");
        if (said.Type.IsEmpty) Miss(item, $"{before}type");
    }

    /// <summary>One mistake a place is enough: an empty id was told already.</summary>
    private static void Miss(IngestItem item, string path)
    {
        if (!item.Mistakes.Kept.Any(mistake => mistake.Path == path)) item.Mistakes.Add(path, MistakeCodes.Missing, "this attribute is missing");
    }

    private static bool IsName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.Length > byte.MaxValue || name.SequenceEqual("data"u8)) return false;
        foreach (var letter in name)
        {
            if (letter is not (>= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9')) return false;
        }

        return true;
    }

    private static bool SetCore(IngestItem item, AttributePlace place, ReadOnlySpan<byte> name, ReadOnlyMemory<byte> value)
    {
        if (!IsCore(name)) return false;
        if (value.IsEmpty)
        {
            item.Mistakes.Add(place.Path, MistakeCodes.Empty, "this attribute must not be empty");
            return true;
        }

        var said = item.Event;
        if (name.SequenceEqual("id"u8)) said.Id = value;
        else if (name.SequenceEqual("type"u8)) said.Type = value;
        else if (name.SequenceEqual("subject"u8)) said.Subject = value;
        else if (name.SequenceEqual("source"u8)) said.Source = value;
        else if (name.SequenceEqual("time"u8)) said.Time = value;
        else if (name.SequenceEqual("dataschema"u8)) said.DataSchema = value;
        else if (name.SequenceEqual("datacontenttype"u8)) said.ContentType = value;
        // What is wrong is kept all the same, so that it is not told as missing too.
        if (FindMistake(name, value.Span) is { } wrong)
        {
            item.Mistakes.Add(place.Path, wrong.Code, wrong.Message, wrong.Expected, JsonPath.Short(Encoding.UTF8.GetString(value.Span)));
        }

        return true;
    }

    private static (string Code, string Message, string Expected)? FindMistake(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("source"u8) && !UriForms.IsReference(value))
            return (MistakeCodes.NotAUri, "the source is a reference to a URI", "as RFC 3986 has it, non-ASCII and spaces percent-encoded");
        if (name.SequenceEqual("time"u8) && !Timestamps.TryRead(value, out _))
            return (MistakeCodes.NotATime, "the time is one of RFC 3339", "2026-03-01T12:00:00Z");
        if (name.SequenceEqual("dataschema"u8) && !UriForms.IsAbsolute(value))
            return (MistakeCodes.NotAUri, "the schema is a URI with its scheme and without a fragment", "https://example.com/schema");
        if (name.SequenceEqual("datacontenttype"u8) && !MediaType.TryRead(value, out _))
            return (MistakeCodes.NotAMediaType, "the content type is a media type", "application/json");
        if (name.SequenceEqual("specversion"u8) && !value.SequenceEqual("1.0"u8))
            return (MistakeCodes.SpecVersion, "only CloudEvents of version 1.0 are taken", "1.0");
        return null;
    }

    /// <summary>The first character that an attribute's value may not have.</summary>
    public static string? FindForbidden(ReadOnlySpan<byte> text)
    {
        if (!text.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e)) return null;
        while (!text.IsEmpty)
        {
            Rune.DecodeFromUtf8(text, out var rune, out var used);
            if (rune.Value is < 0x20 or >= 0x7f and <= 0x9f or >= 0xfdd0 and <= 0xfdef || (rune.Value & 0xfffe) == 0xfffe) return $"U+{rune.Value:X4}";
            text = text[used..];
        }

        return null;
    }
}
