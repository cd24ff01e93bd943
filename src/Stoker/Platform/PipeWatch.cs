using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// Waits until one of many pipes can be read (epoll), or until another thread wakes it. A pipe that was reported is not reported again
/// until it is armed again; arming looks at the pipe, so nothing that was written in between is missed. One-shot rather than
/// edge-triggered because a service that floods would otherwise wake the waiting thread for every line it writes.
/// </summary>
internal sealed partial class PipeWatch : IDisposable
{
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800, Interrupted = 4;
    private const int Add = 1, Delete = 2, Modify = 3;
    private const uint Readable = 1, OneShot = 1u << 30;
    private const long WakeKey = -1;
    private const int Most = 64;

    // struct epoll_event is packed on x64 only.
    private static readonly int _keyAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int _size = _keyAt + 8;

    private readonly SafeFileHandle _epoll;
    private readonly SafeFileHandle _wake;
    private readonly byte[] _events = GC.AllocateArray<byte>(Most * 16, pinned: true);

    public PipeWatch()
    {
        _epoll = Owned(CreateEpoll(CloseOnExec));
        _wake = Owned(CreateEvent(0, CloseOnExec | NonBlocking));
        Change(Add, _wake, Readable, WakeKey);
    }

    /// <summary>A clock that only goes forward, for pacing; not for times that anyone is shown.</summary>
    public static TimeSpan Clock => Stopwatch.GetElapsedTime(0);

    /// <summary>Makes a pipe known; it is not reported before it is armed.</summary>
    public void Register(SafeFileHandle pipe, long key) => Change(Add, pipe, OneShot, key);

    /// <summary>Asks for one report, at once if something is in the pipe already.</summary>
    public void Arm(SafeFileHandle pipe, long key) => Change(Modify, pipe, Readable | OneShot, key);

    public void Unregister(SafeFileHandle pipe) => Change(Delete, pipe, 0, 0);

    /// <summary>Waits; returns how many keys of readable pipes it put into <paramref name="keys"/>. A wake-up is not a key.</summary>
    public unsafe int Wait(Span<long> keys, int timeoutMilliseconds)
    {
        fixed (byte* events = _events)
        {
            int count = EpollWait(_epoll, events, Math.Min(keys.Length, Most), timeoutMilliseconds);
            if (count < 0 && Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            int found = 0;
            for (int i = 0; i < count; i++)
            {
                long key = *(long*)(events + i * _size + _keyAt);
                if (key == WakeKey)
                {
                    ulong wakes;
                    _ = Read(_wake, &wakes, sizeof(ulong));
                }
                else
                {
                    keys[found++] = key;
                }
            }

            return found;
        }
    }

    /// <summary>Ends a wait that is going on, or the next one. Any thread may call it.</summary>
    public unsafe void Wake()
    {
        ulong one = 1;
        _ = Write(_wake, &one, sizeof(ulong));
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
    }

    private static SafeFileHandle Owned(int descriptor) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private unsafe void Change(int operation, SafeFileHandle pipe, uint interest, long key)
    {
        byte* change = stackalloc byte[16];
        *(uint*)change = interest;
        *(long*)(change + _keyAt) = key;
        if (EpollControl(_epoll, operation, pipe, change) < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int CreateEpoll(int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int CreateEvent(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static unsafe partial int EpollControl(SafeFileHandle epoll, int operation, SafeFileHandle target, void* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static unsafe partial int EpollWait(SafeFileHandle epoll, byte* events, int most, int timeout);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(SafeFileHandle handle, void* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint Write(SafeFileHandle handle, void* buffer, nint count);
}
