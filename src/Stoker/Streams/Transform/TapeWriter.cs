using System.Buffers;
using System.Text.Json;
using Stoker.Streams.Json;

namespace Stoker.Streams.Transform;

/// <summary>Values of a tape into a writer: without white space, and otherwise as they came, number for number.</summary>
internal static class TapeWriter
{
    public static void WriteValue(Utf8JsonWriter json, JsonTape tape, int token)
    {
        switch (tape.Kind(token))
        {
            case JsonKind.Object:
                json.WriteStartObject();
                for (var name = token + 1; name < tape.Next(token); name = tape.Next(name + 1))
                {
                    WriteName(json, tape, name);
                    WriteValue(json, tape, name + 1);
                }

                json.WriteEndObject();
                break;
            case JsonKind.Array:
                json.WriteStartArray();
                for (var item = token + 1; item < tape.Next(token); item = tape.Next(item)) WriteValue(json, tape, item);
                json.WriteEndArray();
                break;
            default:
                json.WriteRawValue(tape.Raw(token).Span, skipInputValidation: true);
                break;
        }
    }

    public static byte[] OnOneLine(JsonTape tape)
    {
        var output = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        WriteValue(json, tape, 0);
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    public static void WriteName(Utf8JsonWriter json, JsonTape tape, int name)
    {
        var content = tape.Content(name);
        if (!tape.IsEscaped(name))
        {
            json.WritePropertyName(content);
            return;
        }

        var room = ArrayPool<byte>.Shared.Rent(content.Length);
        json.WritePropertyName(room.AsSpan(0, JsonText.Unescape(content, room)));
        ArrayPool<byte>.Shared.Return(room);
    }

    /// <summary>An object with what is declared to be changed in it.</summary>
    public static void WriteEdited(Utf8JsonWriter json, JsonTape tape, int token, FieldEdit edit)
    {
        json.WriteStartObject();
        for (var name = token + 1; name < tape.Next(token); name = tape.Next(name + 1))
        {
            var change = edit.Find(tape, name);
            if (change is { IsDropped: true }) continue;
            if (change is not null && (change.Puts || tape.Kind(name + 1) != JsonKind.Object) && Writes(tape, change)) continue;
            WriteName(json, tape, name);
            if (change is null or { Puts: true } || tape.Kind(name + 1) != JsonKind.Object) WriteValue(json, tape, name + 1);
            else WriteEdited(json, tape, name + 1, change);
        }

        foreach (var child in edit.Children)
        {
            var there = tape.Find(token, child.NameBytes.Span);
            var wasWritten = there >= 0 && !child.IsDropped && !child.Puts && tape.Kind(there) == JsonKind.Object;
            if (!wasWritten) WriteNew(json, tape, child);
        }

        json.WriteEndObject();
    }

    /// <summary>A field that was not there, or was something else.</summary>
    private static void WriteNew(Utf8JsonWriter json, JsonTape tape, FieldEdit edit)
    {
        if (!Writes(tape, edit)) return;
        json.WritePropertyName(edit.NameBytes.Span);
        if (edit.Constant is { } constant)
        {
            json.WriteRawValue(constant, skipInputValidation: true);
        }
        else if (edit.Source is { } source)
        {
            WriteValue(json, tape, source.Find(tape, 0));
        }
        else
        {
            json.WriteStartObject();
            foreach (var child in edit.Children) WriteNew(json, tape, child);
            json.WriteEndObject();
        }
    }

    /// <summary>Something is to be written there: a path that leads nowhere writes nothing.</summary>
    private static bool Writes(JsonTape tape, FieldEdit edit) =>
        edit.Constant is not null || (edit.Source is { } source ? source.Find(tape, 0) >= 0 : edit.Children.Exists(child => Writes(tape, child)));
}
