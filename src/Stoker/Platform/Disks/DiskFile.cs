using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform.Disks;

internal sealed unsafe class DiskFile(int descriptor) : IDiskFile
{
    private readonly SafeFileHandle _handle = new(descriptor, ownsHandle: true);

    public long Length => RandomAccess.GetLength(_handle);

    public int Read(long position, Span<byte> target)
    {
        fixed (byte* start = target) return Count(Libc.ReadAt(_handle, start, target.Length, position));
    }

    public int Write(long position, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes) return Count(Libc.WriteAt(_handle, start, bytes.Length, position));
    }

    public int Sync() => Result(Libc.SyncData(_handle));

    public int Allocate(long length)
    {
        var error = Result(Libc.Allocate(_handle, 0, 0, (nint)length));
        // Some file systems cannot promise room; there a write finds out.
        return error is Errno.NotSupported or Errno.NotImplemented ? SetLength(length) : error;
    }

    public int SetLength(long length) => Result(Libc.Truncate(_handle, length));

    public void Dispose() => _handle.Dispose();

    private static int Count(nint returned) => returned < 0 ? -Marshal.GetLastPInvokeError() : (int)returned;

    private static int Result(int returned) => returned < 0 ? Marshal.GetLastPInvokeError() : 0;
}
