using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>How much a file system holds.</summary>
/// <param name="Total">Bytes.</param>
/// <param name="Free">Bytes that users other than root may still take.</param>
internal sealed unsafe partial record FileSystemSpace(long Total, long Free)
{
    private const string Library = "libc";

    /// <summary>Of the file system that a path is on; null where there is no such path, or it does not tell. Blocks where a server of it is gone.</summary>
    public static FileSystemSpace? Of(string path)
    {
        Status status;
        return AskStatus(path, &status) == 0 ? new FileSystemSpace((long)(status.Blocks * status.BlockSize), (long)(status.Available * status.BlockSize)) : null;
    }

    [LibraryImport(Library, EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AskStatus(string path, Status* status);

    /// <summary>struct statvfs, 112 bytes, the same on both 64-bit architectures.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 112)]
    private struct Status
    {
        [FieldOffset(8)] public ulong BlockSize;
        [FieldOffset(16)] public ulong Blocks;
        [FieldOffset(32)] public ulong Available;
    }
}
