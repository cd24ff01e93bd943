namespace Stoker.Streams.Log;

/// <summary>
/// The embedded log: what is acknowledged is on the disk, and stays readable in its order until it is no longer wanted.
/// <code>
/// LOG/identity  drive.json  lock  reserve        PARTITION/begin.position  CONSUMER.position
/// LOG/PARTITION/00000000000000000000.log ─ sealed ─► 00000000000000081920.log ─ the one that is written
///               header block │ batch │ batch │ gap │ … │ seal (count, hash, times, index)     each at a block of 4 KiB
///
/// StreamLog.Open ─► survey (seals believed, last segment read) ─┬─► recovery ─► Partition: Append ─► one write, one sync ─► inboxes
///                                                               └─► Refused(damages) ─► LogQuarantine ─► open again, with gaps
/// Partition.Read ─► LogReader: Batch │ Gap │ Deleted │ End │ Damaged          LogVerifier: every byte, also of a log that is being written
/// </code>
/// It promises: no answer before the sync; after a kill or power cut everything that was answered, and of the rest whole appends or nothing; a torn end told from
/// damage (<see cref="Opening.Tail"/>); nothing damaged served, nothing left out without a word; the same hash for the same records.
/// A full disk refuses appends and heals by itself. It refuses: to open what is not whole, to trust a sync after one has failed, to let anybody wait for the disk
/// who only appends.
/// </summary>
internal static class LogModule
{
    /// <summary>Of a time, as it is kept with each record.</summary>
    public static long MicrosecondsOf(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset TimeOf(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
