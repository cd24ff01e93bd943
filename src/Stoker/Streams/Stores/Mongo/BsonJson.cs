using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>
/// JSON to BSON and back. What BSON, or some engine behind the wire, cannot hold is written as near as it can be, and told: names with <c>.</c>, <c>$</c> in front or NUL
/// (all engines take the look-alikes), numbers beyond int64 and double, halves of surrogates, and nesting beyond what servers take.
/// </summary>
internal static class BsonJson
{
    /// <summary>MongoDB takes 100 levels, of which some are ours.</summary>
    private const int Deepest = 90;

    /// <summary>A decimal number of so many digits is the same after it was a double.</summary>
    private const int ExactDigits = 15;

    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 1000 };

    /// <summary>Items of an array are named by their places.</summary>
    private static readonly byte[][] Indexes = [.. Enumerable.Range(0, 1024).Select(IndexName)];

    /// <summary>Writes an object as the value of a field whose name has been written.</summary>
    /// <returns>False: what is read back would not be the same.</returns>
    public static bool TryWrite(ReadOnlySpan<byte> json, BsonWriter writer)
    {
        var reader = new Utf8JsonReader(json, Deep);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new InvalidDataException("a document is an object");
        return Container(ref reader, writer);
    }

    public static byte[] ToJson(BsonMap map)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true })) Write(writer, map);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] IndexName(int index) => Encoding.ASCII.GetBytes(index.ToString(CultureInfo.InvariantCulture));

    private static bool Container(ref Utf8JsonReader reader, BsonWriter writer)
    {
        var start = writer.Begin();
        var isArray = reader.TokenType == JsonTokenType.StartArray;
        var isSame = true;
        for (var index = 0; reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray); index++)
        {
            ReadOnlySpan<byte> name;
            if (isArray)
            {
                name = index < Indexes.Length ? Indexes[index] : IndexName(index);
            }
            else
            {
                isSame &= TryName(ref reader, out name);
                reader.Read();
            }

            isSame &= Value(ref reader, writer, name);
        }

        writer.End(start);
        return isSame;
    }

    private static bool Value(ref Utf8JsonReader reader, BsonWriter writer, ReadOnlySpan<byte> name)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth >= Deepest:
                reader.Skip();
                writer.Name(BsonType.Null, name);
                return false;
            case JsonTokenType.StartObject:
                writer.Name(BsonType.Document, name);
                return Container(ref reader, writer);
            case JsonTokenType.StartArray:
                writer.Name(BsonType.Array, name);
                return Container(ref reader, writer);
            case JsonTokenType.String:
                var isSame = TryText(ref reader, out var text);
                writer.Field(name, text);
                return isSame;
            case JsonTokenType.Number:
                return Number(ref reader, writer, name);
            case JsonTokenType.True or JsonTokenType.False:
                writer.Field(name, reader.TokenType == JsonTokenType.True);
                return true;
            default:
                writer.Name(BsonType.Null, name);
                return true;
        }
    }

    private static bool Number(ref Utf8JsonReader reader, BsonWriter writer, ReadOnlySpan<byte> name)
    {
        if (reader.TryGetInt32(out var small))
        {
            writer.Field(name, small);
            return true;
        }

        if (reader.TryGetInt64(out var whole))
        {
            writer.Field(name, whole);
            return true;
        }

        var value = reader.TryGetDouble(out var known) ? known : 0;
        if (!double.IsFinite(value)) value = 0;
        writer.Field(name, value);
        if (reader.ValueSpan.Length <= ExactDigits && reader.ValueSpan.IndexOfAny("eE"u8) < 0) return true;
        return CanonicalJson.Number(Encoding.ASCII.GetString(reader.ValueSpan)) == CanonicalJson.Number(value.ToString("R", CultureInfo.InvariantCulture));
    }

    private static bool TryName(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> name)
    {
        var isSame = TryText(ref reader, out name);
        if (name.Length > 0 && name.IndexOfAny("$.\0"u8) < 0) return isSame;
        var text = Encoding.UTF8.GetString(name);
        var safe = text.Length == 0 ? "\uFF3F" : text.Replace('\0', '\uFFFD').Replace('.', '\uFF0E').Replace('$', '\uFF04');
        name = Encoding.UTF8.GetBytes(safe);
        return isSame && safe == text;
    }

    private static bool TryText(scoped ref Utf8JsonReader reader, out ReadOnlySpan<byte> text)
    {
        if (!reader.ValueIsEscaped)
        {
            text = reader.ValueSpan;
            return true;
        }

        var whole = JsonEscapes.Undo(reader.ValueSpan);
        text = Encoding.UTF8.GetBytes(whole);
        return !whole.Any(char.IsSurrogate) || Encoding.UTF8.GetString(text) == whole;
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case BsonMap map:
                writer.WriteStartObject();
                foreach (var (name, field) in map)
                {
                    writer.WritePropertyName(name);
                    Write(writer, field);
                }

                writer.WriteEndObject();
                break;
            case List<object?> list:
                writer.WriteStartArray();
                foreach (var item in list) Write(writer, item);
                writer.WriteEndArray();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case int number:
                writer.WriteNumberValue(number);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case bool truth:
                writer.WriteBooleanValue(truth);
                break;
            case DateTime time:
                writer.WriteStringValue(time);
                break;
            case byte[] bytes:
                writer.WriteBase64StringValue(bytes);
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }
}
