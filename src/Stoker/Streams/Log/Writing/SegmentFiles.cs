using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;

namespace Stoker.Streams.Log.Writing;

/// <summary>Makes and seals segments, in an order that a crash at any point leaves something that opening completes.</summary>
internal sealed class SegmentFiles(IDisk disk, string directory)
{
    public string PathOf(ulong firstOffset) => Path.Combine(directory, SegmentEntry.NameOf(firstOffset));

    /// <summary>An empty segment with all of its room, durable with its name when this returns. Null with the error: there is nothing of it, or it can be made again.</summary>
    public IDiskFile? Make(in SegmentHeader header, out int error)
    {
        var path = PathOf(header.FirstOffset);
        var temporary = path + ".tmp";
        var file = disk.Open(temporary, DiskAccess.Create, out error);
        if (file is null) return null;
        error = file.Allocate(header.Capacity);
        if (error == 0) error = file.WriteAll(0, header.ToBytes());
        if (error == 0) error = file.Sync();
        if (error == 0) error = disk.Rename(temporary, path);
        if (error == 0) error = disk.SyncDirectory(directory);
        if (error == 0) return file;
        file.Dispose();
        _ = disk.Delete(temporary);
        return null;
    }

    /// <summary>Writes the seal behind the last batch and gives back the room behind it.</summary>
    /// <param name="length">Of the file, then.</param>
    /// <param name="mayRetry">The error came before anything was in doubt.</param>
    public static int Seal(IDiskFile file, SegmentTally tally, out long length, out bool mayRetry)
    {
        var seal = tally.ToSeal().ToBytes(tally.Position);
        length = tally.Position + seal.Length;
        var error = file.WriteAll(tally.Position, seal);
        mayRetry = error != 0;
        if (error == 0) error = file.Sync();
        if (error == 0) error = file.SetLength(length);
        return error == 0 ? file.Sync() : error;
    }

    public static bool IsFull(int error) => error is Errno.NoSpace or Errno.QuotaExceeded;
}
