using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Writing;

namespace Stoker.Streams.Log.Opening;

/// <summary>Makes a log under another name and gives it its own at the end: it is there whole or not at all.</summary>
internal static class LogCreation
{
    public static void Check(LogOptions options)
    {
        var least = SegmentHeader.Size + options.BatchBytes + SegmentSeal.RoomFor(options.SegmentBytes);
        if (options.Partitions < 1 || options.BatchBytes < 2 * Blocks.Size || options.BatchBytes > 1 << 28 || options.SegmentBytes > 1 << 30 || options.SegmentBytes % Blocks.Size != 0)
            throw new ArgumentOutOfRangeException(nameof(options), options, "no log is kept like that");
        if (options.SegmentBytes < least) throw new ArgumentOutOfRangeException(nameof(options), options, $"a segment needs at least {least} bytes for batches of {options.BatchBytes}");
    }

    /// <exception cref="IOException"/>
    public static void Run(string path, LogOptions options, IDisk disk, TimeProvider clock)
    {
        var unfinished = path + ".new";
        DiskCalls.Check(disk.DeleteTree(unfinished), "delete", unfinished);
        DiskCalls.Check(disk.CreateDirectory(unfinished), "make", unfinished);
        var identity = new LogIdentity(LogId.New(), options.Partitions);
        for (var partition = 0; partition < options.Partitions; partition++) MakePartition(disk, unfinished, identity.Id, partition, 0, options.SegmentBytes);
        if (options.TestsDrive) DriveTest.Write(disk, unfinished, DriveTest.Run(disk, unfinished, clock));
        disk.WriteFile(Path.Combine(unfinished, LogIdentity.FileName), identity.ToBytes());
        DiskCalls.Check(disk.Rename(unfinished, path), "make", path);
        DiskCalls.Check(disk.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!), "sync the directory of", path);
    }

    /// <exception cref="IOException"/>
    public static void MakePartition(IDisk disk, string root, LogId log, int partition, ulong first, long segmentBytes)
    {
        var directory = Path.Combine(root, partition.ToString());
        DiskCalls.Check(disk.CreateDirectory(directory), "make", directory);
        var header = new SegmentHeader(log, partition, segmentBytes, first, log.Start(partition));
        var begin = Path.Combine(directory, PartitionSurvey.BeginName);
        PositionFile.Open(disk, begin, header.Tag, null, new Position(first, header.Before)).Dispose();
        using var segment = new SegmentFiles(disk, directory).Make(header, out var error);
        DiskCalls.Check(error, "make a segment in", directory);
        DiskCalls.Check(disk.SyncDirectory(root), "sync", root);
    }
}
