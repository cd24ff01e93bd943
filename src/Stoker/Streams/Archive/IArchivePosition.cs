using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Archive;

/// <summary>Where a partition's archive ends, and who may go on from there: kept by the embedded log, or for a topic told by the archive's own manifests.</summary>
internal interface IArchivePosition
{
    /// <summary>Completes when the partition's events are this process's to archive.</summary>
    Task<PartitionHold> HoldAsync(CancellationToken cancellation);

    /// <exception cref="ArchiveUnavailableException">Also when the archive has events that the log has not.</exception>
    Task<ArchivePoint> TakeAsync(CancellationToken cancellation);

    /// <summary>Objects and manifest up to here are durable.</summary>
    /// <exception cref="IOException"/>
    void Keep(ArchivePoint point);

    /// <summary>
    /// Where objects end that somebody put at this place without their manifest: the same again then replaces them. Null: there are none, or none that a name
    /// of their own would keep.
    /// </summary>
    Task<ulong?> LeftoverAsync(ArchivePlace place, CancellationToken cancellation);

    /// <summary>Another process has archived from this place on, or from behind it.</summary>
    Task<bool> IsOvertakenAsync(ArchivePlace place, CancellationToken cancellation);
}

/// <param name="Next">The first event that is not archived.</param>
/// <param name="Hash">The running hash of all before.</param>
internal readonly record struct ArchivePoint(ulong Next, RunningHash Hash);
