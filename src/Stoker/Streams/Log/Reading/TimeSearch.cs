using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Reading;

/// <summary>The first record that is not older than a time. Times may jump, back and forth: what is left out is older for certain.</summary>
internal static class TimeSearch
{
    /// <exception cref="IOException"/>
    public static ulong Run(Partition partition, long time)
    {
        var end = partition.End.NextOffset;
        var path = partition.Segments.PathOfTime(time);
        using var file = partition.Disk.OpenOrThrow(path, DiskAccess.Read);
        var tag = partition.Log.TagOf(partition.Number);
        var position = SegmentPlaces.Find(file, tag, mark => mark.GreatestTimeBefore < time);
        using var reader = new ExtentReader(file, tag);
        while (reader.Read(position, file.Length) is { Kind: ExtentKind.Batch or ExtentKind.Gap } extent && extent.Header.FirstOffset < end)
        {
            position += extent.Header.Extent;
            if (extent.Kind == ExtentKind.Gap || extent.Header.GreatestTime < time) continue;
            using var batch = new LogBatch(reader.Detach(), extent.Header, extent.Header.FirstOffset);
            foreach (var record in batch)
            {
                if (record.Time >= time) return record.Offset;
            }
        }

        return end;
    }
}
