using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>
/// Reads the small files of /proc and cgroups, which have no size and may vanish at any moment, in three system calls.
/// </summary>
internal static unsafe class ProcFile
{
    /// <summary>The number of bytes read, or minus the error number.</summary>
    public static int Read(string path, byte* buffer, int size)
    {
        var descriptor = Libc.Open(path, Libc.ReadOnly | Libc.CloseOnExec);
        return descriptor < 0 ? -Marshal.GetLastPInvokeError() : ReadAndClose(descriptor, buffer, size);
    }

    public static int ReadAt(int directory, byte* path, byte* buffer, int size)
    {
        var descriptor = Libc.OpenAt(directory, path, Libc.ReadOnly | Libc.CloseOnExec);
        return descriptor < 0 ? -Marshal.GetLastPInvokeError() : ReadAndClose(descriptor, buffer, size);
    }

    /// <summary>The whole file, however long; null where it cannot be read (gone, or somebody else's).</summary>
    public static byte[]? ReadAll(string path) => ReadAll(path, out var bytes) == 0 ? bytes : null;

    /// <summary>The whole file, however long.</summary>
    /// <returns>0, or the error number.</returns>
    public static int ReadAll(string path, out byte[] bytes)
    {
        bytes = [];
        var size = 4096;
        while (true)
        {
            var buffer = new byte[size];
            int length;
            fixed (byte* start = buffer)
            {
                length = Read(path, start, size);
            }

            if (length < 0)
            {
                return -length;
            }

            if (length < size)
            {
                bytes = buffer[..length];
                return 0;
            }

            size *= 4;
        }
    }

    public static string? ReadText(string path) => ReadAll(path) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private static int ReadAndClose(int descriptor, byte* buffer, int size)
    {
        var total = 0;
        while (total < size)
        {
            var count = (int)Libc.Read(descriptor, buffer + total, size - total);
            if (count < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error == Errno.Interrupted)
                {
                    continue;
                }

                _ = Libc.Close(descriptor);
                return -error;
            }

            if (count == 0)
            {
                break;
            }

            total += count;
        }

        _ = Libc.Close(descriptor);
        return total;
    }
}
