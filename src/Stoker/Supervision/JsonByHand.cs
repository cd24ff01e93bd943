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

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, Reading<T> read)
        where T : class
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            return read(ref reader);
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or FormatException)
        {
            throw new JsonException("a value is not what it should be", wrong);
        }
    }

    /// <summary>The name of the next property of an object, with the reader at its value; null at the object's end.</summary>
    public static string? NextName(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject) return null;
        if (reader.TokenType != JsonTokenType.PropertyName) throw new JsonException("there is something else where an object should be");
        var name = reader.GetString();
        reader.Read();
        return name;
    }

    /// <summary>Goes to the next item of an array; false at the array's end, and for null.</summary>
    public static bool NextItem(ref Utf8JsonReader reader) => !IsNull(ref reader) && reader.Read() && reader.TokenType != JsonTokenType.EndArray;

    public static void ReadStrings(ref Utf8JsonReader reader, List<string> into)
    {
        while (NextItem(ref reader)) into.Add(reader.GetString()!);
    }

    public static bool IsNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null;

    public static int? ReadInt(ref Utf8JsonReader reader) => IsNull(ref reader) ? null : reader.GetInt32();

    public static double? ReadDouble(ref Utf8JsonReader reader) => IsNull(ref reader) ? null : reader.GetDouble();

    public static DateTimeOffset? ReadTime(ref Utf8JsonReader reader) => IsNull(ref reader) ? null : reader.GetDateTimeOffset();

    public static JsonException Missing(string name) => new($"`{name}` is missing");

    /// <summary>Reads a document, the reader being at its beginning.</summary>
    internal delegate T Reading<out T>(ref Utf8JsonReader reader)
        where T : class;
}
