using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Writing;

namespace Stoker.Streams.Log.Opening;

/// <summary>
/// Makes a partition without damage writable: completes what a crash interrupted and cuts off what was never acknowledged. Whatever is kept is synced before anybody
/// sees it, since until then it may be in memory only, and gone at the next power cut. May be interrupted and done again.
/// </summary>
internal static class PartitionRecovery
{
    /// <exception cref="IOException"/>
    public static PartitionOpened Run(IDisk disk, string directory, PartitionFindings found)
    {
        foreach (var path in found.Leftovers) DiskCalls.Check(disk.Delete(path), "delete", path);
        // Who was killed may have written them and not have come to sync them.
        foreach (var name in found.Positions.Keys) Sync(disk, Path.Combine(directory, name));
        if (found.Sealed.Count > 0) Sync(disk, found.Sealed[^1].Path);
        var entries = found.Sealed.ToList();
        if (found.ToCut is { } cut) Cut(disk, cut.Path, cut.Length);
        if (found.ToSeal is { } unsealed) entries.Add(Seal(disk, unsealed));
        DiskCalls.Check(disk.SyncDirectory(directory), "sync", directory);
        var active = found.Active!;
        var file = disk.OpenOrThrow(active.Path, DiskAccess.ReadWrite);
        try
        {
            Restore(file, active);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return new PartitionOpened(found.Partition, entries, file, active.Tally, found.Positions);
    }

    private static void Restore(IDiskFile file, OpenSegment active)
    {
        var (tally, path) = (active.Tally, active.Path);
        if (tally.Last is { IsGap: false } last)
        {
            // Only the last batch can have been in doubt. Written again it is certainly what the sync is about, even where a former sync of it has failed.
            var bytes = new byte[last.Extent];
            var count = file.ReadAll(last.Position, bytes);
            DiskCalls.Check(count < 0 ? -count : count < bytes.Length ? Errno.InputOutput : 0, "read", path);
            DiskCalls.Check(file.WriteAll(last.Position, bytes), "write", path);
        }

        var zeros = new byte[1 << 20];
        for (var at = tally.Position; at < Math.Min(Blocks.Up(tally.Position + active.Torn), active.Length); at += zeros.Length)
        {
            var count = (int)Math.Min(zeros.Length, Math.Min(Blocks.Up(tally.Position + active.Torn), active.Length) - at);
            DiskCalls.Check(file.WriteAll(at, zeros.AsSpan(0, count)), "write", path);
        }

        if (active.Length < tally.Header.Capacity) DiskCalls.Check(file.Allocate(tally.Header.Capacity), "claim room for", path);
        DiskCalls.Check(file.Sync(), "sync", path);
    }

    private static void Sync(IDisk disk, string path)
    {
        using var file = disk.OpenOrThrow(path, DiskAccess.ReadWrite);
        DiskCalls.Check(file.Sync(), "sync", path);
    }

    private static void Cut(IDisk disk, string path, long length)
    {
        using var file = disk.OpenOrThrow(path, DiskAccess.ReadWrite);
        DiskCalls.Check(file.SetLength(length), "cut", path);
        DiskCalls.Check(file.Sync(), "sync", path);
    }

    private static SegmentEntry Seal(IDisk disk, OpenSegment unsealed)
    {
        using var file = disk.OpenOrThrow(unsealed.Path, DiskAccess.ReadWrite);
        DiskCalls.Check(SegmentFiles.Seal(file, unsealed.Tally, out var length, out _), "seal", unsealed.Path);
        var (tally, header) = (unsealed.Tally, unsealed.Tally.Header);
        return new SegmentEntry(unsealed.Path, header.FirstOffset, tally.NextOffset, tally.GreatestTime, length, header.Before);
    }
}

/// <summary>A partition that can be written.</summary>
internal sealed record PartitionOpened(
    int Partition, IReadOnlyList<SegmentEntry> Sealed, IDiskFile File, SegmentTally Tally, IReadOnlyDictionary<string, PositionReading> Positions);
