using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>The kernel's named pipes: opened by a reader that never blocks, enlarged, and moved into files.</summary>
internal static partial class Pipes
{
    private const int ReadWrite = 2, NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int SetPipeSize = 1031, GetPipeSize = 1032;
    private const uint BytesReadable = 0x541B;
    private const uint SpliceNonBlocking = 2;
    private const int Interrupted = 4;

    /// <summary>EAGAIN: the pipe is empty just now.</summary>
    public const int Empty = 11;

    /// <summary>Opens a FIFO for reading and writing: it exists on while no writer is there, and opening never waits for one.</summary>
    public static SafeFileHandle OpenFifo(string path)
    {
        SafeFileHandle handle = LogFile.OpenHandle(path, ReadWrite | NonBlocking | CloseOnExec, 0);
        if (!LogFile.IsFifo(path))
        {
            handle.Dispose();
            throw new IOException($"`{path}` is not a named pipe");
        }

        return handle;
    }

    /// <summary>
    /// Asks for room for <paramref name="wanted"/> bytes and takes what it can get: without privileges a user has a budget for
    /// all pipes (/proc/sys/fs/pipe-user-pages-soft). Returns the room that is there.
    /// </summary>
    public static int Enlarge(SafeFileHandle pipe, int wanted)
    {
        for (int size = wanted; size > 65536 && Control(pipe, SetPipeSize, size) < 0; size /= 2)
        {
        }

        return Math.Max(Control(pipe, GetPipeSize, 0), 4096);
    }

    /// <summary>The number of bytes that wait in the pipe.</summary>
    public static unsafe int Waiting(SafeFileHandle pipe)
    {
        int count = 0;
        return Query(pipe, BytesReadable, &count) < 0 ? 0 : count;
    }

    /// <summary>
    /// Moves up to <paramref name="limit"/> bytes from the pipe to <paramref name="offset"/> of the file, in one step: a byte has left
    /// the pipe exactly if it is in the file, also when this process is killed inside the call. (The kernel writes into the file
    /// and drops from the pipe what was written, under the pipe's lock; a fatal signal shortens the write, never the drop.)
    /// Returns the bytes moved, or the negated errno.
    /// </summary>
    public static unsafe long MoveToFile(SafeFileHandle pipe, SafeFileHandle file, long offset, int limit)
    {
        while (true)
        {
            long target = offset;
            nint moved = Splice(pipe, null, file, &target, limit, SpliceNonBlocking);
            if (moved >= 0)
            {
                return moved;
            }

            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                return -error;
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle handle, int command, int argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int Query(SafeFileHandle handle, nuint request, int* result);

    [LibraryImport("libc", EntryPoint = "splice", SetLastError = true)]
    private static unsafe partial nint Splice(
        SafeFileHandle from, long* fromOffset, SafeFileHandle to, long* toOffset, nint length, uint flags);
}
