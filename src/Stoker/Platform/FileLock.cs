using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>
/// A lock that one process holds and that ends with it, however it ends. The file says who holds it and stays behind:
/// removing it would let two in.
/// </summary>
internal sealed unsafe class FileLock : IDisposable
{
    private const int Exclusive = 2, WithoutWaiting = 4, Unlock = 8, Attempts = 5;

    private int _descriptor;

    private FileLock(int descriptor) => _descriptor = descriptor;

    /// <summary>Null when somebody else holds it; <paramref name="holder"/> then is what the holder wrote.</summary>
    /// <param name="note">What to tell the others, such as the pid.</param>
    public static FileLock? TryTake(string path, string note, out string holder)
    {
        holder = "";
        var descriptor = Libc.Open(path, Libc.ReadWrite | Libc.Create | Libc.CloseOnExec, 0x180);
        if (descriptor < 0)
        {
            throw Errno.LastFailed($"cannot open the lock file `{path}`");
        }

        var error = TryLock(descriptor);
        if (error == 0)
        {
            Write(descriptor, note);
            return new FileLock(descriptor);
        }

        _ = Libc.Close(descriptor);
        if (error != Errno.Again)
        {
            throw Errno.Failed($"cannot lock `{path}`", error);
        }

        holder = ProcFile.ReadText(path)?.Trim() ?? "";
        return null;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _descriptor, -1) is >= 0 and var held)
        {
            // Closing alone is not enough: a child that is being spawned at this moment has the descriptor until it execs.
            _ = Libc.Lock(held, Unlock);
            _ = Libc.Close(held);
        }
    }

    /// <summary>For the same reason the lock of a daemon that was killed may last a moment longer than the daemon.</summary>
    private static int TryLock(int descriptor)
    {
        for (var attempt = 1; ; attempt++)
        {
            var error = Libc.Lock(descriptor, Exclusive | WithoutWaiting) == 0 ? 0 : Marshal.GetLastPInvokeError();
            if (error != Errno.Again || attempt == Attempts)
            {
                return error;
            }

            Thread.Sleep(5);
        }
    }

    /// <summary>A full disk costs the note, not the lock.</summary>
    private static void Write(int descriptor, string note)
    {
        var bytes = Encoding.UTF8.GetBytes(note + "\n");
        _ = Libc.Truncate(descriptor, 0);
        fixed (byte* start = bytes)
        {
            _ = Libc.Write(descriptor, start, bytes.Length);
        }
    }
}
