using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>An open directory, so that a file in it can be named by the short path <c>/proc/self/fd/N/NAME</c>.</summary>
internal sealed class DirectoryHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private const int PathOnly = 0x200000;

    public DirectoryHandle()
        : base(ownsHandle: true)
    {
    }

    /// <summary>Null when the path is no directory that this user may enter; <paramref name="error"/> is the errno then.</summary>
    public static DirectoryHandle? Open(string path, out int error)
    {
        // O_DIRECTORY differs between x64 and arm64; a path that is no directory fails when a name in it is used.
        var handle = new DirectoryHandle();
        handle.SetHandle(Libc.Open(path, PathOnly | Libc.CloseOnExec));
        error = handle.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
        return handle.IsInvalid ? null : handle;
    }

    public string PathOf(string name) => $"/proc/self/fd/{DangerousGetHandle()}/{name}";

    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
