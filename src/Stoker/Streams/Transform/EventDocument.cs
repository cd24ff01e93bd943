using System.Buffers;

namespace Stoker.Streams.Transform;

/// <summary>What a store gets of one event. Used again for the next one.</summary>
internal sealed class EventDocument
{
    private readonly ArrayBufferWriter<byte> _json = new(1024), _embedding = new();
    private readonly byte[] _key = new byte[Events.EventIdentity.Length];

    /// <summary><c>_id</c>: one for each source and id.</summary>
    public ReadOnlyMemory<byte> Key => _key;

    /// <summary>The document on one line, without its vector.</summary>
    public ReadOnlyMemory<byte> Json => _json.WrittenMemory;

    /// <summary>The vector: float32, little-endian; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Embedding => _embedding.WrittenMemory;

    /// <summary>When it happened, or else when it was received; UTC.</summary>
    public DateTime Time { get; set; }

    /// <summary>Where it comes from, as far as that is known.</summary>
    public EventEnrichment Enrichment { get; set; } = EventEnrichment.None;

    public Span<byte> KeyRoom => _key;

    public ArrayBufferWriter<byte> JsonRoom => _json;

    public ArrayBufferWriter<byte> EmbeddingRoom => _embedding;

    public void Clear()
    {
        _json.ResetWrittenCount();
        _embedding.ResetWrittenCount();
        Time = default;
    }
}
