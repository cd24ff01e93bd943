namespace Stoker.Streams.Archive;

/// <summary>How far a partition's archive is; replaced as a whole, read by anybody.</summary>
/// <param name="Next">The first event that is not archived.</param>
/// <param name="Events">Archived since the process began, likewise the objects and their bytes.</param>
/// <param name="Failures">Attempts that failed.</param>
/// <param name="Oldest">When the oldest event that is not archived was logged, or somewhat earlier, microseconds of UTC; null: there was none.</param>
internal sealed record ArchiveProgress(ulong Next, long Events, long Objects, long Bytes, long Failures, long? Oldest)
{
    /// <summary>Another process archives the partition: how far it is, is not known here.</summary>
    public bool IsElsewhere { get; init; }

    /// <summary>Why it does not get on; null: it does.</summary>
    public string? Problem { get; init; }
}
