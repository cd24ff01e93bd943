namespace Stoker.Streams.Extraction;

/// <summary>
/// Metadata of raw data: an image, or a line of a log, becomes a metadata document.
/// <code>
///  image ─► ImageReader: format, size, pixels ─┐                         ┌─ HardwareFacts: the driver's, the declared, or none
///                                              ├─► embedder ─► FactWriter ◄┘─► metadata_id, source_uri, embedding, gpu_hardware, extra ─► SendItem
///  log   ─► LineReader: number, text, time ────┘   builtin, or an endpoint
/// </code>
/// Promises: the same bytes give the same id, and by the embedder that is built in the same vector, on every machine; what is not known (a fact, a size, a vector) is left out and its
/// reason is in the document. Refuses: to invent facts of hardware, and to take a broken image for another.
/// </summary>
internal static class ExtractionModule
{
    public const int UsualDimension = 256;
}
