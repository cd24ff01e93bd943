namespace Stoker.Streams.Events;

/// <summary>
/// What an event is between the door and the stores: who says it (source), which one it is (id), what kind (type), when, and its data, byte
/// for byte as they came.
/// <code>
/// door → EventEnvelope → EnvelopeFrame (bytes in a log) → EventEnvelope → worker
/// data with a vector → VectorReader (checked at the door; float32 for the stores)
/// </code>
/// Promises: source and id are the event's identity; an event that is sent again has the same. Frames of today are read by later
/// programs, and frames of later programs by today's as long as their first byte is the same: what is not known is skipped.
/// Refuses: a frame that is damaged or of another version is an answer, never an exception.
/// </summary>
internal static class EventsModule
{
    /// <summary>The type of a metadata document that says none.</summary>
    public const string GpuFacts = "gpu.facts.v1";

    /// <summary>The type of the events that <c>stoker stream check</c> sends, which every stream takes.</summary>
    public const string Check = "stoker.check.v1";

    /// <summary>The longest attribute, in bytes.</summary>
    public const int MaxAttribute = 4096;

    /// <summary>The most extension attributes.</summary>
    public const int MaxExtensions = 64;
}
