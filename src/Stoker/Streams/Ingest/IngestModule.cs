namespace Stoker.Streams.Ingest;

/// <summary>
/// What comes in at a stream's door, understood: the head and the body of a request become events, or mistakes. No I/O, no clock.
/// <code>
/// content type → metadata document · array of them · NDJSON · CloudEvent (binary, structured) · batch of CloudEvents
///      → IngestReader → IngestResult: a refusal of the whole, or a verdict for each item
///      → IngestAnswer: 202, 207, or problem+json
/// </code>
/// Promises: all mistakes of an event at once, each with its path and a code that stays; a batch has a verdict for each item and one bad item
/// spoils no other, unless <c>?atomic=true</c> asks for it; data go on byte for byte; an event that is sent again has the same identity;
/// an accepted event costs no allocation here.
/// Refuses: what CloudEvents 1.0.2 says must be refused; keys that stand twice; anything but UTF-8; NaN; vectors of another dimension; data that
/// their type's schema does not allow.
/// </summary>
internal static class IngestModule
{
    /// <summary>The largest event, in bytes; at least 64 KiB by CloudEvents.</summary>
    public const int MaxEvent = 1024 * 1024;

    /// <summary>The most items of a batch.</summary>
    public const int MaxBatch = 10_000;
}
