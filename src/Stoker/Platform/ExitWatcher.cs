using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>
/// The one thread that waits for processes to end. A pidfd wakes it for each process that is watched; SIGCHLD, once the
/// daemon is a subreaper, for orphans that nobody watches.
/// </summary>
/// <remarks>
/// <code>
/// Launch:  [shared gate: spawn → pidfd → watched]         end → Collect → Exit completes
/// Orphan:  SIGCHLD → sweep: first zombie → watched? Collect : [exclusive gate: still not watched? reap]
/// </code>
/// The gate keeps the sweep from taking the status of a child that has been spawned, has already ended, and is not yet
/// in the table. A pid leaves the table before it is reaped, because afterwards it may be a new child's.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "There is one, and it lives as long as the process.")]
internal sealed unsafe class ExitWatcher
{
    private const int AnyChild = 0, ByPid = 1, WaitNoHang = 1, WaitExited = 4, WaitNoReap = 0x01000000;
    private const int SetChildSubreaper = 36, FirstOther = 3;

    private static readonly Lazy<ExitWatcher> Instance = new(() => new ExitWatcher());

    private readonly Poller _poller;
    private readonly ReaderWriterLockSlim _gate = new();
    private readonly ConcurrentDictionary<int, ChildProcess> _watched = new();
    private PosixSignalRegistration? _childSignals;
    private int _sweeping;

    private ExitWatcher()
    {
        RestoreChildSignal();
        CloseInheritedOnExec();
        _poller = new Poller("stoker exits");
    }

    public static ExitWatcher Shared => Instance.Value;

    /// <summary>
    /// Runs a spawn so that nothing can reap its child before it is watched. The function returns the pid, or minus an error
    /// number; the outcome is the child, or null with the error.
    /// </summary>
    public ChildProcess? Launch(Func<int> spawn, out int error)
    {
        _gate.EnterReadLock();
        try
        {
            var pid = spawn();
            error = pid < 0 ? -pid : 0;
            if (pid < 0)
            {
                return null;
            }

            var child = TryWatch(pid, out error);
            if (child is null)
            {
                // A child that cannot be watched must not run.
                _ = Libc.Kill(pid, Signals.Kill);
                Libc.SignalInformation unused;
                _ = Libc.WaitId(ByPid, (uint)pid, &unused, WaitExited);
            }

            return child;
        }
        finally
        {
            _gate.ExitReadLock();
        }
    }

    public ChildProcess? Adopt(int pid, ulong startTicks)
    {
        _gate.EnterReadLock();
        try
        {
            var handle = SystemCalls.OpenProcess(pid, out var error);
            if (handle is null)
            {
                // EINVAL: a thread of some process has the number now.
                return error is Errno.NoSuchProcess or Errno.Invalid ? null : throw Errno.Failed($"cannot open pid {pid}", error);
            }

            if (ProcessEntry.Read(pid) is not { } entry || entry.StartTicks != startTicks)
            {
                handle.Dispose();
                return null;
            }

            return Start(new ChildProcess(pid, startTicks, handle));
        }
        finally
        {
            _gate.ExitReadLock();
        }
    }

    /// <summary>The owner has lost interest: a process of others is forgotten, one of ours still reaped when it ends.</summary>
    public void Release(ChildProcess child)
    {
        if (child.Exit.IsCompleted)
        {
            return;
        }

        _poller.Post(() =>
        {
            if (!child.Exit.IsCompleted && ProcessEntry.Read(child.Pid) is { } entry && entry.ParentPid != Environment.ProcessId)
            {
                Forget(child);
                child.Close();
            }
        });
    }

    /// <summary>Orphans of the daemon's children become its own instead of init's, and are reaped here.</summary>
    public void BecomeSubreaper()
    {
        if (Libc.ProcessControl(SetChildSubreaper, 1) < 0)
        {
            throw Errno.LastFailed("cannot become a subreaper");
        }

        _childSignals ??= PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => RequestSweep());
        RequestSweep();
    }

    public void StopBeingSubreaper()
    {
        _ = Libc.ProcessControl(SetChildSubreaper, 0);
        _childSignals?.Dispose();
        _childSignals = null;
    }

    /// <summary>
    /// What the daemon opens is close-on-exec; what its own starter has left open is not, and must not reach the children.
    /// </summary>
    private static void CloseInheritedOnExec()
    {
        const int setDescriptorFlags = 2, closeOnExec = 1;
        if (SystemCalls.CloseOnExecFrom(FirstOther))
        {
            return;
        }

        foreach (var entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(entry), out var descriptor) && descriptor >= FirstOther)
            {
                _ = Libc.Control(descriptor, setDescriptorFlags, closeOnExec);
            }
        }
    }

    private static void RestoreChildSignal()
    {
        const nint ignored = 1;
        const int noZombies = 2;
        Libc.SignalDisposition current;
        if (Libc.SignalAction(Signals.Child, null, &current) == 0 && (current.Handler == ignored || (current.Flags & noZombies) != 0))
        {
            // Left so by whoever started the daemon: the kernel would throw every exit status away.
            Libc.SignalDisposition standard = default;
            _ = Libc.SignalAction(Signals.Child, &standard, null);
        }
    }

    private ChildProcess? TryWatch(int pid, out int error)
    {
        var handle = SystemCalls.OpenProcess(pid, out error);
        if (handle is null)
        {
            return null;
        }

        // Our child and not yet reaped, so its stat line is there: what can be missing is a descriptor to read it with.
        if (ProcessEntry.Read(pid) is not { } entry)
        {
            handle.Dispose();
            error = Errno.TooManyOpen;
            return null;
        }

        try
        {
            return Start(new ChildProcess(pid, entry.StartTicks, handle));
        }
        catch (IOException refused)
        {
            handle.Dispose();
            error = refused.HResult;
            return null;
        }
    }

    private ChildProcess Start(ChildProcess child)
    {
        _watched[child.Pid] = child;
        try
        {
            child.Watch(_poller, OnReady);
        }
        catch
        {
            Forget(child);
            throw;
        }

        return child;
    }

    private void OnReady(ChildProcess child)
    {
        Forget(child);
        if (!child.Collect())
        {
            // Readable and yet not waitable: not seen, but a pidfd makes no promise about it. Wait again, by the same way.
            Start(child);
        }
    }

    private void Forget(ChildProcess child)
    {
        // Of two watches of one process (adopted twice) the younger is in the table.
        _watched.TryRemove(KeyValuePair.Create(child.Pid, child));
        child.Unwatch();
    }

    private void RequestSweep()
    {
        if (Interlocked.Exchange(ref _sweeping, 1) == 0)
        {
            _poller.Post(Sweep);
        }
    }

    private void Sweep()
    {
        Interlocked.Exchange(ref _sweeping, 0);
        while (true)
        {
            Libc.SignalInformation zombie = default;
            if (Libc.WaitId(AnyChild, 0, &zombie, WaitExited | WaitNoHang | WaitNoReap) < 0 || zombie.Pid == 0)
            {
                return;
            }

            if (_watched.TryGetValue(zombie.Pid, out var child))
            {
                OnReady(child);
                if (!child.Exit.IsCompleted)
                {
                    return;
                }
            }
            else
            {
                ReapOrphan(zombie.Pid);
            }
        }
    }

    private void ReapOrphan(int pid)
    {
        _gate.EnterWriteLock();
        try
        {
            if (!_watched.ContainsKey(pid))
            {
                Libc.SignalInformation result = default;
                _ = Libc.WaitId(ByPid, (uint)pid, &result, WaitExited | WaitNoHang);
            }
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }
}
