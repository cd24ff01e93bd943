using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// A file that is written at given offsets and whose failures are numbers: a full disk is an everyday outcome for a log, so nothing
/// here throws once the file is open, and no call allocates.
/// </summary>
internal sealed partial class LogFile : IDisposable
{
    private const int ReadOnly = 0, ReadWrite = 2, CreateIt = 0x40, EmptyIt = 0x200, CloseOnExec = 0x80000;
    private const uint OwnerOnly = 0x180 /* 0600 */, OwnerOnlyDirectory = 0x1C0 /* 0700 */;
    private const int Interrupted = 4, NotFound = 2, InputOutputError = 5, AlreadyExists = 17;
    private const int CurrentDirectory = -100, OfTheDescriptor = 0x1000;
    private const uint Wanted = 0x2 | 0x4 | 0x100 | 0x200 | 0x1; // mode, links, inode, size, type
    private const uint TypeMask = 0xF000, FifoType = 0x1000;

    private LogFile(SafeFileHandle handle) => Handle = handle;

    public SafeFileHandle Handle { get; }

    /// <summary>Opens a file to read and write, made with mode 0600 where it is missing.</summary>
    public static LogFile Open(string path, bool empty = false) =>
        new(OpenHandle(path, ReadWrite | CreateIt | CloseOnExec | (empty ? EmptyIt : 0), OwnerOnly));

    /// <summary>Opens a file to read; null when there is none.</summary>
    public static LogFile? OpenToRead(string path)
    {
        SafeFileHandle handle = OpenOnce(path, ReadOnly | CloseOnExec, 0);
        int error = Marshal.GetLastPInvokeError();
        if (!handle.IsInvalid)
        {
            return new LogFile(handle);
        }

        handle.Dispose();
        return error == NotFound ? null : throw Failure("open", path, error);
    }

    /// <summary>Inode, length and number of names; all zero when the kernel refuses to say.</summary>
    public unsafe FileFacts Facts()
    {
        byte* stat = stackalloc byte[256];
        return Stat(Handle, "", OfTheDescriptor, Wanted, stat) < 0 ? default : FactsOf(stat);
    }

    /// <summary>Reads until <paramref name="target"/> is full or the file ends; returns the bytes read.</summary>
    public unsafe int Read(long offset, Span<byte> target)
    {
        int done = 0;
        fixed (byte* start = target)
        {
            while (done < target.Length)
            {
                nint count = ReadAt(Handle, start + done, target.Length - done, offset + done);
                if (count == 0 || (count < 0 && Marshal.GetLastPInvokeError() != Interrupted))
                {
                    break;
                }

                done += (int)Math.Max(count, 0);
            }
        }

        return done;
    }

    /// <summary>Writes all of <paramref name="bytes"/>; returns 0, or the errno that stopped it, perhaps after a part.</summary>
    public unsafe int Write(long offset, ReadOnlySpan<byte> bytes)
    {
        int done = 0;
        fixed (byte* start = bytes)
        {
            while (done < bytes.Length)
            {
                nint count = WriteAt(Handle, start + done, bytes.Length - done, offset + done);
                int error = count < 0 ? Marshal.GetLastPInvokeError() : count == 0 ? InputOutputError : 0;
                if (error != 0 && error != Interrupted)
                {
                    return error;
                }

                done += (int)Math.Max(count, 0);
            }
        }

        return 0;
    }

    /// <summary>Sets the length; returns 0 or the errno.</summary>
    public int Truncate(long length) => SetLength(Handle, length) == 0 ? 0 : Marshal.GetLastPInvokeError();

    public void Dispose() => Handle.Dispose();

    /// <summary>Gives a file another name, replacing what had it; returns 0 or the errno.</summary>
    public static int Move(string from, string to) => Rename(from, to) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Removes a name; returns 0 (also when there was none) or the errno.</summary>
    public static int Delete(string path)
    {
        int error = Unlink(path) == 0 ? 0 : Marshal.GetLastPInvokeError();
        return error == NotFound ? 0 : error;
    }

    public static bool Exists(string path) => FactsAt(path) is not null;

    public static bool IsFifo(string path) => FactsAt(path) is { IsFifo: true };

    /// <summary>Makes a directory, and those above it, that only the owner may enter. What is already there keeps its mode.</summary>
    public static void CreateDirectory(string path)
    {
        if (path.Length == 0 || Exists(path))
        {
            return;
        }

        CreateDirectory(Path.GetDirectoryName(path) ?? "");
        if (MakeDirectory(path, OwnerOnlyDirectory) != 0 && Marshal.GetLastPInvokeError() is not AlreadyExists and int error)
        {
            throw Failure("make the directory", path, error);
        }
    }

    /// <summary>The names of the files in a directory that end with <paramref name="ending"/>; none when there is no directory.</summary>
    public static IReadOnlyList<string> Names(string directory, string ending) => !Directory.Exists(directory)
        ? []
        : [.. Directory.EnumerateFiles(directory, "*" + ending).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>What an errno means, in the system's words.</summary>
    public static string Meaning(int error) => new Win32Exception(error).Message;

    internal static IOException Failure(string what, string path, int error) =>
        new($"cannot {what} `{path}`: {Meaning(error)}", error);

    internal static SafeFileHandle OpenHandle(string path, int flags, uint mode)
    {
        SafeFileHandle handle = OpenOnce(path, flags, mode);
        int error = Marshal.GetLastPInvokeError();
        if (!handle.IsInvalid)
        {
            return handle;
        }

        handle.Dispose();
        throw Failure("open", path, error);
    }

    private static unsafe FileFacts? FactsAt(string path)
    {
        byte* stat = stackalloc byte[256];
        return StatPath(CurrentDirectory, path, 0, Wanted, stat) < 0 ? null : FactsOf(stat);
    }

    // struct statx is the same on every architecture, which struct stat is not.
    private static unsafe FileFacts FactsOf(byte* stat) =>
        new(*(ulong*)(stat + 32), *(long*)(stat + 40), *(uint*)(stat + 16), (*(ushort*)(stat + 28) & TypeMask) == FifoType);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenOnce(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    private static unsafe partial nint ReadAt(SafeFileHandle handle, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    private static unsafe partial nint WriteAt(SafeFileHandle handle, byte* buffer, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int SetLength(SafeFileHandle handle, long length);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Stat(SafeFileHandle handle, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatPath(int directory, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectory(string path, uint mode);
}

/// <summary>What the file system says of a file.</summary>
internal readonly record struct FileFacts(ulong Inode, long Length, uint Links, bool IsFifo);
