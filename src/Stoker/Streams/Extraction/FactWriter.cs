using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Stoker.Streams.Extraction.Embedding;

namespace Stoker.Streams.Extraction;

/// <summary>Writes metadata documents, each on one line.</summary>
/// <param name="embedder">Null: there are no vectors.</param>
internal sealed class FactWriter(HardwareFacts hardware, string? embedder)
{
    // Nothing of it is ever put into HTML.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="embedded">Null: none was asked for.</param>
    /// <param name="extra">Writes what else is known, into an open object.</param>
    public byte[] Write(string id, string source, DateTimeOffset time, Embedded? embedded, Action<Utf8JsonWriter> extra)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, Options))
        {
            json.WriteStartObject();
            json.WriteString("metadata_id", id);
            json.WriteString("source_uri", source);
            json.WriteString("time", time.UtcDateTime);
            // Little-endian float32, as every machine that this program runs on has them.
            if (embedded?.Vector is { } vector) json.WriteBase64String("embedding", MemoryMarshal.AsBytes(vector.AsSpan()));
            json.WritePropertyName("gpu_hardware");
            hardware.Write(json);
            json.WriteStartObject("extra");
            extra(json);
            if (embedded is not null) json.WriteString("embedder", embedder);
            if (embedded?.Problem is { } problem) json.WriteString("no_embedding", problem);
            json.WriteString("gpu_facts", hardware.Origin);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return memory.ToArray();
    }
}
