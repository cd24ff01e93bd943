namespace Stoker.Streams.Work;

/// <summary>How far a partition's worker is; replaced as a whole, read by anybody.</summary>
/// <param name="Next">The first event that the store has not had.</param>
/// <param name="Oldest">When the oldest event that is not stored was logged, or somewhat earlier, microseconds of UTC; null: there was none.</param>
internal sealed record WorkerProgress(ulong Next, long Stored, long Duplicates, long Poison, long? Oldest)
{
    /// <summary>Why it does not get on; null: it does.</summary>
    public string? Problem { get; init; }
}
