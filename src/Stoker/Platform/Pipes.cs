using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>The kernel's named pipes: opened by a reader that never blocks, enlarged, and moved into files.</summary>
internal static unsafe class Pipes
{
    private const int SetPipeSize = 1031, GetPipeSize = 1032, Smallest = 4096, Usual = 65536;
    private const uint BytesReadable = 0x541B;
    private const uint SpliceNonBlocking = 2;

    /// <summary>
    /// Opens a FIFO for reading and writing, so that it is never at its end: it exists on while no writer is there, and opening
    /// never waits for one.
    /// </summary>
    public static SafeFileHandle OpenFifo(string path)
    {
        var descriptor = Libc.Open(path, Libc.ReadWrite | Libc.NonBlocking | Libc.CloseOnExec);
        if (descriptor < 0) throw Errno.LastFailed($"cannot open the FIFO `{path}`");
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Libc.FileStatus status;
        if (Libc.Status(handle, "", Libc.OfTheDescriptor, Libc.BasicFields, &status) == 0 && status.IsFifo) return handle;
        handle.Dispose();
        throw new IOException($"`{path}` is not a named pipe");
    }

    /// <summary>
    /// Asks for room for <paramref name="wanted"/> bytes and takes what it can get: without privileges a user has a budget for
    /// all pipes (/proc/sys/fs/pipe-user-pages-soft). Returns the room that is there.
    /// </summary>
    public static int Enlarge(SafeFileHandle pipe, int wanted)
    {
        for (var size = wanted; size > Usual && Libc.Control(pipe, SetPipeSize, size) < 0; size /= 2)
        {
        }

        return Math.Max(Libc.Control(pipe, GetPipeSize, 0), Smallest);
    }

    /// <summary>The number of bytes that wait in the pipe.</summary>
    public static int Waiting(SafeFileHandle pipe)
    {
        int count;
        return Libc.DeviceControl(pipe, BytesReadable, &count) < 0 ? 0 : count;
    }

    /// <summary>
    /// Moves up to <paramref name="limit"/> bytes from the pipe to <paramref name="offset"/> of the file, in one step: a byte has left
    /// the pipe exactly if it is in the file, also when this process is killed inside the call. (The kernel writes into the file
    /// and drops from the pipe what was written, under the pipe's lock; a fatal signal shortens the write, never the drop.)
    /// Returns the bytes moved, or the negated errno; <see cref="Errno.Again"/>: the pipe is empty just now.
    /// </summary>
    public static long MoveToFile(SafeFileHandle pipe, SafeFileHandle file, long offset, int limit)
    {
        while (true)
        {
            var target = offset;
            long moved = Libc.Splice(pipe, null, file, &target, limit, SpliceNonBlocking);
            if (moved >= 0) return moved;
            if (Marshal.GetLastPInvokeError() is var error && error != Errno.Interrupted) return -error;
        }
    }
}
