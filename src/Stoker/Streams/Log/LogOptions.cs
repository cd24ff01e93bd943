namespace Stoker.Streams.Log;

/// <summary>How a log is kept. Only <see cref="Partitions"/> is for ever; the rest may differ at every opening.</summary>
/// <param name="Partitions">How many; each has one writer and its own order.</param>
/// <param name="SegmentBytes">Size of a file; what retention deletes, and what is read through when the log is opened.</param>
/// <param name="BatchBytes">Committed at once at most; a record, and records that must be committed together, have to fit.</param>
/// <param name="MostWaiting">Bytes in memory that are not yet on the disk, per partition; more is refused.</param>
/// <param name="ReserveBytes">Kept free for positions' and dead letters' sake when the disk is full; 0: none.</param>
/// <param name="Window">How long a commit waits for more; null: what the drive's test advises.</param>
internal sealed record LogOptions(
    int Partitions = 1,
    long SegmentBytes = 64L << 20,
    int BatchBytes = 4 << 20,
    int MostWaiting = 32 << 20,
    long ReserveBytes = 8L << 20,
    TimeSpan? Window = null)
{
    /// <summary>Bytes of zeros written ahead of small batches, so that a commit changes data only, and no bookkeeping of the file system's.</summary>
    public int ZeroAhead { get; init; } = 256 << 10;

    /// <summary>Measures the drive when the log is made, for about a second at most.</summary>
    public bool TestsDrive { get; init; } = true;

    /// <summary>How often a full disk is asked whether there is room again.</summary>
    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromSeconds(1);
}
