using Stoker.Estates;

namespace Stoker.Streams;

/// <summary>
/// Streams of events: from any producer into a document store, with nothing lost.
/// <code>
///  streams: ─→ StreamReader ─→ StreamSpec ─→ StreamExpansion ─→ a service for each stream (planned, supervised, logged like any other)
///                                    └─→ EstatePlan ─→ StreamPlanner ─→ streams/NAME.json ─→ StreamProcess
///  POST /metadata ─→ key: who sends ─→ ingest: every mistake by the type's schema, or events ─→ the log, synced ─→ 202 with a receipt
///                                                             └─→ worker: transform by the declared map ─→ store: documents and position in one transaction
///                                                                             └─→ what cannot be stored: dead letters, kept with their reason
/// </code>
/// Promises: an event that was answered with 202 is on the disk and will be one document, whatever dies in between; what cannot become one is kept and said
/// why; a full disk is a refusal, not a loss. Refuses: events that are not what their type says; to listen on a network without keys; to skip anything in silence.
/// </summary>
internal static class StreamsModule
{
    public static SectionSpec Section { get; } = new(
        "streams",
        "Streams of events by name: where they come in, and where they are kept.",
        IsActedOn: true)
    {
        Shape = StreamKeys.Section,
        Expand = StreamExpansion.Expand,
    };
}
