using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Stoker.Platform.Loops;

/// <summary>
/// One thread around one epoll set of sockets. What awaits a socket goes on inside the loop, on its thread, so that a request
/// is handled from its first byte to its last without a thread changing, a lock or a queue:
/// <code>
/// wait → for each ready socket: whoever awaits it runs until it awaits again → what was posted → deadlines → wait
/// </code>
/// Promises: everything of one loop happens on one thread, one thing at a time. Demands: nothing on it blocks. What throws out of
/// an awaiting method is that method's task's; a callback that throws is a bug and ends the process.
/// </summary>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int ControlAdd = 1, Capacity = 256;
    private const ulong WakeToken = ulong.MaxValue;

    // struct epoll_event is packed on x64 (12 bytes) and naturally aligned everywhere else (16 bytes).
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    [ThreadStatic]
    private static EventLoop? current;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Stack<int> _free = new();
    private readonly Lock _closing = new();
    private LoopSocket?[] _sockets = new LoopSocket?[64];
    private uint[] _generations = new uint[64];
    private int _used;
    private int _waking;
    private volatile bool _stopping;
    private bool _closed;

    public EventLoop(string name)
    {
        _epoll = Libc.EpollCreate(Libc.CloseOnExec);
        _wake = _epoll < 0 ? -1 : Libc.EventDescriptor(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (_wake < 0 || !Add(_wake, PollEvents.Readable, WakeToken)) throw Errno.LastFailed($"cannot make the epoll set of {name}");
        Now = Milliseconds();
        Timers = new LoopTimers(Now);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>The loop whose thread this is; null on any other thread.</summary>
    public static EventLoop? Current => current;

    /// <summary>Milliseconds of the monotonic clock as of this turn of the loop.</summary>
    public long Now { get; private set; }

    internal LoopTimers Timers { get; }

    /// <summary>Runs an action on the loop's thread.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _waking, 1) == 0) Wake();
    }

    /// <summary>Ends the thread and waits for it, unless called from it. Sockets that are still open stay with the process.</summary>
    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        Wake();
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    /// <summary>Watches a socket for both directions until it is closed. On the loop's thread.</summary>
    internal int Register(LoopSocket socket)
    {
        if (!_free.TryPop(out var slot))
        {
            slot = _used++;
            if (slot == _sockets.Length)
            {
                Array.Resize(ref _sockets, slot * 2);
                Array.Resize(ref _generations, slot * 2);
            }
        }

        var token = ((ulong)_generations[slot] << 32) | (uint)slot;
        if (!Add(socket.Descriptor, PollEvents.Readable | PollEvents.Writable | PollEvents.PeerShut | PollEvents.EdgeTriggered, token))
        {
            var error = Marshal.GetLastPInvokeError();
            _free.Push(slot);
            throw Errno.Failed($"cannot watch socket {socket.Descriptor}", error);
        }

        _sockets[slot] = socket;
        return slot;
    }

    /// <summary>Events that the kernel has queued for it already are dropped. Closing the descriptor takes it out of the epoll set.</summary>
    internal void Forget(int slot)
    {
        _sockets[slot] = null;
        _generations[slot]++;
        _free.Push(slot);
    }

    /// <summary>The monotonic clock that <see cref="Now"/> is of.</summary>
    public static long Milliseconds() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    private bool Add(int descriptor, PollEvents events, ulong token)
    {
        var change = stackalloc byte[16];
        *(uint*)change = (uint)events;
        *(ulong*)(change + DataOffset) = token;
        return Libc.EpollControl(_epoll, ControlAdd, descriptor, change) == 0;
    }

    private void Wake()
    {
        lock (_closing)
        {
            if (_closed) return;
            var one = 1UL;
            _ = Libc.Write(_wake, (byte*)&one, sizeof(ulong));
        }
    }

    private void Run()
    {
        current = this;
        // Nothing here has ambient values, and carrying them along would cost each wait.
        using var suppressed = ExecutionContext.SuppressFlow();
        var events = stackalloc byte[Capacity * EventSize];
        while (!_stopping)
        {
            var count = Libc.EpollWait(_epoll, events, Capacity, _posted.IsEmpty ? Timers.UntilNext(Now) : 0);
            if (count < 0 && Marshal.GetLastPInvokeError() is var error && error != Errno.Interrupted) throw Errno.Failed("epoll_wait", error);
            Now = Milliseconds();
            for (var i = 0; i < count; i++) Deliver(*(PollEvents*)(events + (i * EventSize)), *(ulong*)(events + (i * EventSize) + DataOffset));
            RunPosted();
            Timers.Advance(Now);
        }

        lock (_closing)
        {
            _closed = true;
            _ = Libc.Close(_wake);
            _ = Libc.Close(_epoll);
        }
    }

    private void Deliver(PollEvents ready, ulong token)
    {
        if (token == WakeToken)
        {
            ulong count;
            _ = Libc.Read(_wake, (byte*)&count, sizeof(ulong));
            Volatile.Write(ref _waking, 0);
            return;
        }

        var slot = (uint)token;
        if (_generations[slot] == (uint)(token >> 32)) _sockets[slot]?.Ready(ready);
    }

    private void RunPosted()
    {
        // Only what is there now: an action that posts itself again must not starve the sockets.
        for (var left = _posted.Count; left > 0 && _posted.TryDequeue(out var action); left--) action();
    }
}
