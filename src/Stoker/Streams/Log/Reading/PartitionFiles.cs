using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Positions;

namespace Stoker.Streams.Log.Reading;

/// <summary>
/// Reads a partition by its files alone, without the lock and so also while another process writes it: up to where its records ended when it was
/// looked at. Each batch is held to its checksum, as everywhere.
/// </summary>
/// <param name="found">By <see cref="LogSurvey"/>.</param>
internal sealed class PartitionFiles(IDisk disk, LogId log, PartitionFindings found) : IPartitionView
{
    private readonly ulong _tag = log.TagOf(found.Partition);

    public int Partition => found.Partition;

    public ulong BeginOffset => found.Begin?.Position.Next ?? Segments.Select(segment => segment.First).FirstOrDefault();

    public ulong NextOffset => found.NextOffset;

    /// <summary>The end's running hash; null: it is not known.</summary>
    public RunningHash? Hash => found.Active?.Tally.Hash;

    /// <summary>Bytes of the segments.</summary>
    public long Bytes => found.Reports.Sum(report => report.Bytes);

    private IEnumerable<(string Path, ulong First, ulong Next)> Segments =>
        found.Sealed.Select(entry => (entry.Path, entry.FirstOffset, entry.NextOffset))
            .Concat(found.Active is { } active ? [(active.Path, active.Tally.Header.FirstOffset, active.Tally.NextOffset)] : []);

    /// <summary>How far a consumer is, by the name under which it keeps its position; null: it keeps none that can be read.</summary>
    public Position? PositionOf(string consumer) => (found.Positions.GetValueOrDefault(consumer + PositionFile.Ending) as PositionReading.Found)?.Position;

    /// <summary>From a record on to the end, or to damage, which is the last then. Batches are the caller's, to dispose of.</summary>
    /// <exception cref="IOException">A file cannot be opened.</exception>
    public IEnumerable<ReadOutcome> Read(ulong from)
    {
        if (from < BeginOffset)
        {
            yield return new ReadOutcome.Deleted(from, BeginOffset);
            from = BeginOffset;
        }

        foreach (var (path, first, next) in Segments.Where(segment => segment.Next > from).ToList())
        {
            if (first > from)
            {
                yield return new ReadOutcome.Damaged(Damage(path, from, 0, "the segment before it is not there"));
                yield break;
            }

            foreach (var outcome in ReadSegment(path, from, next))
            {
                yield return outcome;
                if (outcome is ReadOutcome.Damaged) yield break;
            }

            from = next;
        }
    }

    /// <summary>The first record that is not older than a time; the end where all are. Times may jump: what is left out is older for certain.</summary>
    public ulong OffsetAt(long time)
    {
        var from = found.Sealed.FirstOrDefault(entry => entry.GreatestTime >= time)?.FirstOffset ?? found.Active?.Tally.Header.FirstOffset ?? NextOffset;
        foreach (var outcome in Read(Math.Max(from, BeginOffset)))
        {
            if (outcome is not ReadOutcome.Batch { Value: var batch }) continue;
            using (batch)
            {
                if (batch.GreatestTime < time) continue;
                foreach (var record in batch)
                {
                    if (record.Time >= time) return record.Offset;
                }
            }
        }

        return NextOffset;
    }

    /// <summary>The running hash before a record; null: that is nothing that the files can tell, because it is deleted, damaged or within a batch.</summary>
    public RunningHash? HashBefore(ulong offset)
    {
        if (offset <= BeginOffset || offset > NextOffset) return null;
        foreach (var outcome in Read(offset - 1))
        {
            if (outcome is not ReadOutcome.Batch { Value: var batch }) return null;
            using (batch) return batch.NextOffset == offset ? batch.Hash : null;
        }

        return null;
    }

    private IEnumerable<ReadOutcome> ReadSegment(string path, ulong from, ulong end)
    {
        using var file = disk.OpenOrThrow(path, DiskAccess.Read);
        using var extents = new ExtentReader(file, _tag);
        var position = SegmentPlaces.Find(file, _tag, mark => mark.Offset <= from);
        while (from < end)
        {
            var extent = extents.Read(position, file.Length);
            if (extent.Kind is not (ExtentKind.Batch or ExtentKind.Gap) || extent.Header.FirstOffset > from)
            {
                yield return new ReadOutcome.Damaged(Damage(
                    path, from, position, extent.Kind == ExtentKind.Unreadable ? $"it cannot be read: {Errno.Text(extent.Error)}" : "a batch is not as it was written"));
                yield break;
            }

            position += extent.Header.Extent;
            // On the way from the place that the index gave.
            if (extent.Header.NextOffset <= from) continue;
            var begin = from;
            from = extent.Header.NextOffset;
            yield return extent.Kind == ExtentKind.Gap ? new ReadOutcome.Gap(begin, from) : new ReadOutcome.Batch(new LogBatch(extents.Detach(), extent.Header, begin));
        }
    }

    private LogDamage Damage(string path, ulong from, long position, string words) =>
        new(DamageKind.Batches, found.Partition, $"{found.Partition}/{Path.GetFileName(path)}", from, null, position, position, words);
}
