namespace Stoker.Streams.Transform;

/// <summary>
/// From the log's envelope to the document that stores keep. Pure: the same envelope, place in the log, enrichment and transform give the same bytes,
/// today and at a replay in a year.
/// <code>
/// EventEnvelope + EventPlace + EventEnrichment → DocumentWriter → EventDocument: key, JSON on one line, vector as float32
/// map, rename, drop → TransformPlan (or problems) → applied to the document that would be written without
/// </code>
/// Promises: every document tells where it comes from (<c>lineage</c>) and by which version of the transform; nothing of the data is lost unless it is
/// dropped by declaration; what is declared is checked when it is read.
/// Refuses: clocks, counters and anything else that a replay would not find again; changing what identifies a document.
/// </summary>
internal static class TransformModule
{
    /// <summary>The version of a transform that declares none.</summary>
    public const string Plain = "1";

    /// <summary>What no mapping may write or drop.</summary>
    public static readonly string[] Kept = ["_id", "metadata_id", "source", "type", "received", "embedding_dim", "lineage"];
}
