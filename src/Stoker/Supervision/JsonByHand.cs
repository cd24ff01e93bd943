using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Stoker.Supervision;

/// <summary>
/// What documents are written with that are on the path of a start: the serializer's first use of each type has hundreds of generic methods
/// compiled, which takes longer than the start of a service. Names are snake_case, and null is written, as in what is generated.
/// </summary>
internal static class JsonByHand
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Object<T>(T document, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options)) json.WriteObject(document, write);
        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteObject<T>(this Utf8JsonWriter json, T document, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        json.WriteStartObject();
        write(json, document);
        json.WriteEndObject();
    }

    public static void WriteObjects<T>(this Utf8JsonWriter json, string name, IReadOnlyList<T> documents, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        json.WriteStartArray(name);
        for (var i = 0; i < documents.Count; i++) json.WriteObject(documents[i], write);
        json.WriteEndArray();
    }

    public static void WriteStrings(this Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        for (var i = 0; i < texts.Count; i++) json.WriteStringValue(texts[i]);
        json.WriteEndArray();
    }

    public static void WriteNumbers(this Utf8JsonWriter json, string name, IReadOnlyList<int> numbers)
    {
        json.WriteStartArray(name);
        for (var i = 0; i < numbers.Count; i++) json.WriteNumberValue(numbers[i]);
        json.WriteEndArray();
    }

    public static void WriteOptional(this Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } value) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    public static void WriteOptional(this Utf8JsonWriter json, string name, double? number)
    {
        if (number is { } value) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    public static void WriteOptional(this Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } value) json.WriteString(name, value);
        else json.WriteNull(name);
    }
}
