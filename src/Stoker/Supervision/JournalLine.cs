using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Stoker.Supervision;

/// <summary>
/// One line of the journal's file, the same document that <c>stoker events --json</c> prints. Written by hand: it is on the path of
/// every start, and the serializer's first use costs more than starting a service does.
/// </summary>
internal static class JournalLine
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(EstateEvent line)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteNumber("sequence", line.Sequence);
            json.WriteString("at", line.At);
            json.WriteString("service", line.Service?.Value);
            Write(json, "replica", line.Replica);
            json.WriteString("kind", line.Kind);
            json.WriteString("state", line.State is { } state ? JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString()) : null);
            json.WriteString("text", line.Text);
            Write(json, "cause", line.Cause);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } value) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}
