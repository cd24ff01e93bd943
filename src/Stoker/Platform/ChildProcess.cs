using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>What became of a signal.</summary>
internal enum SignalOutcome
{
    Sent,
    Gone,
    NotPermitted,
}

/// <summary>
/// A process under supervision: launched by this daemon, or adopted from the one before. Held by a pidfd, so neither the
/// end nor a signal can ever concern a stranger with the same pid.
/// </summary>
internal sealed unsafe class ChildProcess : IDisposable
{
    private const int ByPidfd = 3, WaitExited = 4, WaitNoHang = 1;
    private const int CodeExited = 1;

    /// <summary>_IOWR(0xFF, 11, 64 bytes): PIDFD_GET_INFO with the first published size of its structure.</summary>
    private const uint GetInformation = 0xC040FF0B;
    private const ulong InformationExit = 1 << 3;
    private const int InformationSize = 64, ExitCodeOffset = 60;

    private readonly SafeFileHandle _handle;
    private readonly TaskCompletionSource<ExitStatus> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _watching = new();
    private Poller.Registration? _registration;
    private bool _closed;

    internal ChildProcess(int pid, ulong startTicks, SafeFileHandle handle)
    {
        (Pid, StartTicks, _handle) = (pid, startTicks, handle);
    }

    public int Pid { get; }

    /// <summary>Field 22 of /proc/PID/stat.</summary>
    public ulong StartTicks { get; }

    public ProcessId Id => new(Pid, StartTicks);

    /// <summary>Completes when the process has ended and, if it is ours, has been reaped. Never faults.</summary>
    public Task<ExitStatus> Exit => _exit.Task;

    private int Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>Takes over a process that somebody else started; null when it is gone or the pid belongs to another process now.</summary>
    public static ChildProcess? Adopt(int pid, ulong startTicks) => ExitWatcher.Shared.Adopt(pid, startTicks);

    /// <summary>False when it has ended.</summary>
    public bool Signal(int signal) => TrySignal(signal) == SignalOutcome.Sent;

    /// <summary>The same, telling a process that has ended from one that runs as another user (started through sudo, say).</summary>
    public SignalOutcome TrySignal(int signal) => _exit.Task.IsCompleted ? SignalOutcome.Gone : SystemCalls.SignalProcess(_handle, signal) switch
    {
        0 => SignalOutcome.Sent,
        Errno.NotPermitted => SignalOutcome.NotPermitted,
        Errno.NoSuchProcess => SignalOutcome.Gone,
        var error => throw Errno.Failed($"cannot send {Signals.Name(signal)} to pid {Pid}", error),
    };

    /// <summary>
    /// Ends the owner's interest, not the process. A child of ours is still reaped when it ends; the <see cref="Exit"/> of an
    /// adopted one then never completes.
    /// </summary>
    public void Dispose() => ExitWatcher.Shared.Release(this);

    /// <summary>Has the watcher called, on its own thread, when the process may have ended.</summary>
    internal void Watch(Poller poller, Action<ChildProcess> ready)
    {
        // The callback may come before Register returns; Unwatch then waits here for the registration it has to end. And a
        // sweep for orphans may have collected the process before it is registered; the descriptor is anybody's then.
        lock (_watching)
        {
            if (!_closed)
            {
                _registration = poller.Register(Descriptor, PollEvents.Readable, _ => ready(this));
            }
        }
    }

    internal void Unwatch()
    {
        lock (_watching)
        {
            _registration?.Dispose();
            _registration = null;
        }
    }

    /// <summary>On the watcher's thread only. False while the process is still there.</summary>
    internal bool Collect()
    {
        Libc.SignalInformation result = default;
        if (Libc.WaitId(ByPidfd, (uint)Descriptor, &result, WaitExited | WaitNoHang) < 0)
        {
            return Complete(AskAboutForeigner());
        }

        // No error and no pid: our child, and alive.
        return result.Pid != 0
            && Complete(result.Code == CodeExited ? ExitStatus.Exited(result.Status) : ExitStatus.Killed(result.Status));
    }

    internal void Close()
    {
        lock (_watching)
        {
            _closed = true;
            _registration?.Dispose();
            _registration = null;
            _handle.Dispose();
        }
    }

    private bool Complete(ExitStatus status)
    {
        Close();
        _exit.TrySetResult(status);
        return true;
    }

    /// <summary>
    /// The end of a process whose parent is another: the kernel keeps its code for pidfds from the moment it is reaped
    /// (6.15 and later); until then it is a zombie, and its stat line has the code.
    /// </summary>
    private ExitStatus AskAboutForeigner() => AskKernel() ?? AskZombie() ?? AskKernel() ?? ExitStatus.Unknown;

    private ExitStatus? AskKernel()
    {
        var information = stackalloc byte[InformationSize];
        new Span<byte>(information, InformationSize).Clear();
        *(ulong*)information = InformationExit;
        return Libc.DeviceControl(Descriptor, GetInformation, information) == 0 && (*(ulong*)information & InformationExit) != 0
            ? ExitStatus.FromWaitStatus(*(int*)(information + ExitCodeOffset))
            : null;
    }

    private ExitStatus? AskZombie()
    {
        // Others' codes are shown as 0 to those who may not trace the process: no answer is better than a wrong one.
        return ProcessEntry.Read(Pid, out var waitStatus) is { IsZombie: true } entry && entry.StartTicks == StartTicks
            && (Libc.EffectiveUser() == 0 || OwnedByUs())
            ? ExitStatus.FromWaitStatus(waitStatus)
            : null;
    }

    private bool OwnedByUs()
    {
        Libc.FileStatus status;
        return Libc.Status(Libc.AtCurrentDirectory, $"/proc/{Pid}", 0, Libc.BasicFields, &status) == 0 && status.User == Libc.EffectiveUser();
    }
}
