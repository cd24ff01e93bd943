using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Stores;

namespace Stoker.Tests.Streams.Stores;

/// <summary>Documents as the transform makes them.</summary>
internal static class Documents
{
    public static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public static StoredDocument Of(
        string id, long sequence = 0, string? json = null, float[]? vector = null, string source = "s3://frames/1.png", string type = "gpu.facts.v1", string host = "box-1",
        string gpu = "GPU-1", DateTimeOffset? time = null) => new(
        KeyOf(source, id), Utf8(id), Utf8(source), Utf8(type), Utf8(host), Utf8(gpu), StoredDocument.Microseconds(time ?? Start.AddSeconds(sequence)),
        StoredDocument.Microseconds(Start.AddSeconds(sequence + 1)), sequence, Utf8(json ?? Json(id, sequence)), Bytes(vector ?? []));

    public static string Json(string id, long sequence) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"metadata_id":"{{id}}","gpu_hardware":{"name":"NVIDIA H100 80GB","memory":85899345920,"load":0.{{sequence % 97}}},"lineage":{"partition":0,"offset":{{sequence}}} }""");

    public static Guid KeyOf(string source, string id)
    {
        Span<byte> key = stackalloc byte[EventIdentity.Length];
        EventIdentity.OfEvent(Utf8(source).Span, Utf8(id).Span, key);
        return Guid.Parse(key);
    }

    public static byte[] Bytes(float[] vector) => MemoryMarshal.AsBytes(vector.AsSpan()).ToArray();

    public static ReadOnlyMemory<byte> Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
