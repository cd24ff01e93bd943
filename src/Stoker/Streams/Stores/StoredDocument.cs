namespace Stoker.Streams.Stores;

/// <summary>One document, as slices of memory that stays as it is until the batch is applied. Text is UTF-8; empty host and GPU: not known.</summary>
/// <param name="Key">One for each source and id.</param>
/// <param name="Id">The event's own id.</param>
/// <param name="Time">When it happened, microseconds since 1970 UTC.</param>
/// <param name="Received">When it came in, likewise.</param>
/// <param name="Sequence">Grows with everything that is written under the same key: the offset. Decides which of two states is the later.</param>
/// <param name="Json">The document, an object.</param>
/// <param name="Embedding">The vector as float32, little-endian; may be empty.</param>
internal readonly record struct StoredDocument(
    Guid Key,
    ReadOnlyMemory<byte> Id,
    ReadOnlyMemory<byte> Source,
    ReadOnlyMemory<byte> Type,
    ReadOnlyMemory<byte> Host,
    ReadOnlyMemory<byte> Gpu,
    long Time,
    long Received,
    long Sequence,
    ReadOnlyMemory<byte> Json,
    ReadOnlyMemory<byte> Embedding)
{
    public int Dimension => Embedding.Length / sizeof(float);

    public static long Microseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTime AtMicroseconds(long microseconds) => DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
