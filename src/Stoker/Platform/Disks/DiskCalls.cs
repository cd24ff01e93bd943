namespace Stoker.Platform.Disks;

/// <summary>What callers do with the seam: whole reads and writes, and cold calls whose failure is an exception in words.</summary>
internal static class DiskCalls
{
    /// <summary>Writes all; 0, or the error that stopped it, perhaps after a part.</summary>
    public static int WriteAll(this IDiskFile file, long position, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var count = file.Write(position, bytes);
            if (count == -Errno.Interrupted) continue;
            if (count <= 0) return count == 0 ? Errno.InputOutput : -count;
            bytes = bytes[count..];
            position += count;
        }

        return 0;
    }

    /// <summary>Reads until the target is full or the file ends.</summary>
    /// <returns>Bytes read; below 0: minus the error.</returns>
    public static int ReadAll(this IDiskFile file, long position, Span<byte> target)
    {
        var done = 0;
        while (done < target.Length)
        {
            var count = file.Read(position + done, target[done..]);
            if (count == -Errno.Interrupted) continue;
            if (count < 0) return count;
            if (count == 0) break;
            done += count;
        }

        return done;
    }

    /// <exception cref="IOException">It cannot be opened.</exception>
    public static IDiskFile OpenOrThrow(this IDisk disk, string path, DiskAccess access) =>
        disk.Open(path, access, out var error) ?? throw Errno.Failed($"cannot open `{path}`", error);

    /// <summary>Null: it is not there.</summary>
    /// <exception cref="IOException"/>
    public static byte[]? ReadFile(this IDisk disk, string path)
    {
        using var file = disk.Open(path, DiskAccess.Read, out var error);
        if (file is null) return error == Errno.NoEntry ? null : throw Errno.Failed($"cannot open `{path}`", error);
        var bytes = new byte[file.Length];
        var count = file.ReadAll(0, bytes);
        return count >= 0 ? bytes[..count] : throw Errno.Failed($"cannot read `{path}`", -count);
    }

    /// <summary>All or nothing, also across a power cut.</summary>
    /// <exception cref="IOException"/>
    public static void WriteFile(this IDisk disk, string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".tmp";
        using (var file = disk.OpenOrThrow(temporary, DiskAccess.Create))
        {
            Check(file.WriteAll(0, bytes), "write", temporary);
            Check(file.Sync(), "sync", temporary);
        }

        Check(disk.Rename(temporary, path), "name", path);
        Check(disk.SyncDirectory(Path.GetDirectoryName(path)!), "sync the directory of", path);
    }

    /// <exception cref="IOException">There is an error.</exception>
    public static void Check(int error, string what, string path)
    {
        if (error != 0) throw Errno.Failed($"cannot {what} `{path}`", error);
    }
}
