using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// The kernel's own calls, for what the C library does not offer, offers only since recently, or offers for the whole process
/// where one thread is meant.
/// </summary>
internal static unsafe class SystemCalls
{
    // The same on every architecture: these are younger than the unified table.
    private const int PidfdOpen = 434, PidfdSendSignal = 424, CloseRange = 436;

    private static readonly bool Arm64 = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.Arm64 => true,
        Architecture.X64 => false,
        var other => throw new PlatformNotSupportedException($"Stoker runs on x64 and arm64; this is {other}"),
    };

    /// <summary>A descriptor for a process, close-on-exec; null with the error where that is not possible.</summary>
    public static SafeFileHandle? OpenProcess(int pid, out int error)
    {
        var descriptor = (int)Libc.SystemCall(PidfdOpen, pid, 0);
        error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>0, or the error.</summary>
    public static int SignalProcess(SafeFileHandle process, int signal)
    {
        var held = false;
        try
        {
            process.DangerousAddRef(ref held);
            return Libc.SystemCall(PidfdSendSignal, process.DangerousGetHandle(), signal) < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
        catch (ObjectDisposedException)
        {
            return Errno.NoSuchProcess;
        }
        finally
        {
            if (held)
            {
                process.DangerousRelease();
            }
        }
    }

    /// <summary>
    /// Makes the calling thread, and no other, a user. glibc's functions of the same name change every thread of the
    /// process, and there is no way back. 0, or the error.
    /// </summary>
    public static int BecomeOnThisThread(uint user, uint group, ReadOnlySpan<uint> groups)
    {
        nint setGroups = Arm64 ? 159 : 116, setGroupIds = Arm64 ? 149 : 119, setUserIds = Arm64 ? 147 : 117;
        fixed (uint* list = groups)
        {
            if (Libc.SystemCall(setGroups, groups.Length, (nint)list) < 0)
            {
                return Marshal.GetLastPInvokeError();
            }
        }

        if (Libc.SystemCall(setGroupIds, (nint)group, (nint)group, (nint)group) < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        return Libc.SystemCall(setUserIds, (nint)user, (nint)user, (nint)user) < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Marks every descriptor from this number on; false before Linux 5.11.</summary>
    public static bool CloseOnExecFrom(int first)
    {
        const int markOnly = 4;
        return Libc.SystemCall(CloseRange, first, int.MaxValue, markOnly) == 0;
    }

    /// <summary>Directory entries in the kernel's form: 8 bytes inode, 8 offset, 2 length of the entry, 1 type, the name.</summary>
    public static int ReadDirectory(int descriptor, byte* buffer, int size) =>
        (int)Libc.SystemCall(Arm64 ? 61 : 217, descriptor, (nint)buffer, size);

    /// <summary>An empty file, without a descriptor of it; 0, or the error: <see cref="Errno.Exists"/> where something has the name.</summary>
    public static int MakeFile(string path, UnixFileMode mode)
    {
        const int regular = 0x8000;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            return Libc.SystemCall(Arm64 ? 33 : 259, Libc.AtCurrentDirectory, (nint)name, regular | (int)mode, 0) < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }
}
