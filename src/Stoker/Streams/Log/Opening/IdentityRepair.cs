using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Opening;

/// <summary>Writes the identity anew from the segments, each of which knows whose it is; if they agree.</summary>
internal static class IdentityRepair
{
    /// <exception cref="IOException"/>
    public static bool Run(IDisk disk, string path)
    {
        var ids = new HashSet<LogId>();
        var partitions = 0;
        for (; disk.List(Path.Combine(path, partitions.ToString())) is { } names; partitions++)
        {
            foreach (var name in names.Where(name => SegmentEntry.OffsetOf(name) is not null))
            {
                if (HeaderOf(disk, Path.Combine(path, partitions.ToString(), name)) is { } header && header.Partition == partitions) ids.Add(header.Log);
            }
        }

        if (ids.Count != 1) return false;
        disk.WriteFile(Path.Combine(path, LogIdentity.FileName), new LogIdentity(ids.Single(), partitions).ToBytes());
        return true;
    }

    private static SegmentHeader? HeaderOf(IDisk disk, string path)
    {
        using var file = disk.OpenOrThrow(path, DiskAccess.Read);
        var block = new byte[SegmentHeader.Size];
        return file.ReadAll(0, block) == block.Length && SegmentHeader.TryRead(block, out var header) ? header : null;
    }
}
