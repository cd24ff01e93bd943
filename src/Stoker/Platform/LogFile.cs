using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// A file that is written at given offsets and whose failures are numbers: a full disk is an everyday outcome for a log, so nothing
/// here throws once the file is open, and no call allocates.
/// </summary>
internal sealed unsafe class LogFile : IDisposable
{
    private LogFile(SafeFileHandle handle) => Handle = handle;

    public SafeFileHandle Handle { get; }

    /// <summary>Opens a file to read and write, made with mode 0600 where it is missing.</summary>
    /// <exception cref="IOException">With the errno as its result.</exception>
    public static LogFile Open(string path, bool empty = false) =>
        TryOpen(path, Libc.ReadWrite | Libc.Create | (empty ? Libc.Empty : 0)) ?? throw Errno.LastFailed($"cannot open `{path}`");

    /// <summary>Opens a file to read; null when there is none.</summary>
    public static LogFile? OpenToRead(string path)
    {
        var file = TryOpen(path, Libc.ReadOnly);
        return file is not null || Marshal.GetLastPInvokeError() == Errno.NoEntry ? file : throw Errno.LastFailed($"cannot open `{path}`");
    }

    /// <summary>Inode, length and number of names; all zero when the kernel refuses to say.</summary>
    public FileFacts Facts()
    {
        Libc.FileStatus status;
        return Libc.Status(Handle, "", Libc.OfTheDescriptor, Libc.BasicFields, &status) < 0
            ? default
            : new FileFacts(status.Inode, (long)status.Size, status.Links);
    }

    /// <summary>Reads until <paramref name="target"/> is full or the file ends; returns the bytes read.</summary>
    public int Read(long offset, Span<byte> target)
    {
        var done = 0;
        fixed (byte* start = target)
        {
            while (done < target.Length)
            {
                var count = Libc.ReadAt(Handle, start + done, target.Length - done, offset + done);
                if (count == 0 || (count < 0 && Marshal.GetLastPInvokeError() != Errno.Interrupted)) break;
                done += (int)Math.Max(count, 0);
            }
        }

        return done;
    }

    /// <summary>Writes all of <paramref name="bytes"/>; returns 0, or the errno that stopped it, perhaps after a part.</summary>
    public int Write(long offset, ReadOnlySpan<byte> bytes)
    {
        var done = 0;
        fixed (byte* start = bytes)
        {
            while (done < bytes.Length)
            {
                var count = Libc.WriteAt(Handle, start + done, bytes.Length - done, offset + done);
                var error = count < 0 ? Marshal.GetLastPInvokeError() : count == 0 ? Errno.InputOutput : 0;
                if (error != 0 && error != Errno.Interrupted) return error;
                done += (int)Math.Max(count, 0);
            }
        }

        return 0;
    }

    /// <summary>Sets the length; returns 0 or the errno.</summary>
    public int Truncate(long length) => Outcome(Libc.Truncate(Handle, length));

    public void Dispose() => Handle.Dispose();

    /// <summary>Gives a file another name, replacing what had it; returns 0 or the errno.</summary>
    public static int Move(string from, string to) => Outcome(Libc.Rename(from, to));

    /// <summary>Removes a name; returns 0 (also when there was none) or the errno.</summary>
    public static int Delete(string path) => Outcome(Libc.Unlink(path)) is not Errno.NoEntry and var error ? error : 0;

    private static int Outcome(int result) => result == 0 ? 0 : Marshal.GetLastPInvokeError();

    private static LogFile? TryOpen(string path, int flags)
    {
        var descriptor = Libc.Open(path, flags | Libc.CloseOnExec, (int)Files.PrivateFile);
        return descriptor < 0 ? null : new LogFile(new SafeFileHandle(descriptor, ownsHandle: true));
    }
}

/// <summary>What the file system says of a file.</summary>
internal readonly record struct FileFacts(ulong Inode, long Length, uint Links);
