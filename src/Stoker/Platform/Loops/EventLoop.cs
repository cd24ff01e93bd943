using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Stoker.Platform.Loops;

/// <summary>
/// One thread around one epoll set of sockets. What awaits a socket goes on inside the loop, on its thread, so that a request
/// is handled from its first byte to its last without a thread changing, a lock or a queue:
/// <code>
/// wait → for each ready socket: whoever awaits it runs until it awaits again → what was posted → deadlines → what is to be sent → wait
/// </code>
/// What is to be sent waits for the end of the turn, or for <see cref="MostUnsent"/> that wait: who reads at the other end is woken once for many, which under load
/// saves a tenth of all the work, and one that comes alone is sent as soon as ever.
/// Promises: everything of one loop happens on one thread, one thing at a time. Demands: nothing on it blocks. What throws out of
/// an awaiting method is that method's task's; a callback that throws is a bug and ends the process.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private const int Capacity = 256;

    /// <summary>Sockets that wait to send; more would keep the first of them waiting for longer than the saving is worth.</summary>
    private const int MostUnsent = 32;

    [ThreadStatic]
    private static EventLoop? _current;

    private readonly Epoll _epoll;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Stack<int> _free = new();
    private readonly List<LoopSocket> _unsent = [];
    private LoopSocket?[] _sockets = new LoopSocket?[64];
    private uint[] _generations = new uint[64];
    private int _used;
    private int _waking;
    private volatile bool _stopping;

    public EventLoop(string name)
    {
        _epoll = new Epoll(name);
        Now = Milliseconds();
        Timers = new LoopTimers(Now);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>The loop whose thread this is; null on any other thread.</summary>
    public static EventLoop? Current => _current;

    /// <summary>Milliseconds of the monotonic clock as of this turn of the loop.</summary>
    public long Now { get; private set; }

    internal LoopTimers Timers { get; }

    /// <summary>Runs an action on the loop's thread.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _waking, 1) == 0) _epoll.Wake();
    }

    /// <summary>Has something done on another thread, because it waits for a disk; on the loop's thread, who awaits it goes on there.</summary>
    public Task<T> AsideAsync<T>(Func<T> work) => AsideAsync(() => Task.FromResult(work()));

    /// <inheritdoc cref="AsideAsync{T}(Func{T})"/>
    public Task<T> AsideAsync<T>(Func<Task<T>> work)
    {
        // Whoever awaits it goes on where the result is set.
        var done = new TaskCompletionSource<T>();
        _ = HandBackAsync(Task.Run(work));
        return done.Task;

        async Task HandBackAsync(Task<T> working)
        {
            await ((Task)working).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Post(() => done.SetFromTask(working));
        }
    }

    /// <summary>Ends the thread and waits for it, unless called from it. Sockets that are still open stay with the process.</summary>
    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        _epoll.Wake();
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
        if (!_epoll.TryAdd(socket.Descriptor, PollEvents.Readable | PollEvents.Writable | PollEvents.PeerShut | PollEvents.EdgeTriggered, token))
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

    /// <summary>Has a socket send what it has, at the end of this turn at the latest.</summary>
    internal void SendLater(LoopSocket socket) => _unsent.Add(socket);

    /// <summary>The monotonic clock that <see cref="Now"/> is of.</summary>
    public static long Milliseconds() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    private void Run()
    {
        _current = this;
        // Nothing here has ambient values, and carrying them along would cost each wait.
        using var suppressed = ExecutionContext.SuppressFlow();
        Span<ReadyDescriptor> ready = stackalloc ReadyDescriptor[Capacity];
        while (!_stopping)
        {
            var count = _epoll.Wait(ready, _posted.IsEmpty ? Timers.UntilNext(Now) : 0);
            Now = Milliseconds();
            foreach (var (events, token) in ready[..count]) Deliver(events, token);
            RunPosted();
            Timers.Advance(Now);
            SendUnsent();
        }

        _epoll.Dispose();
    }

    private void Deliver(PollEvents ready, ulong token)
    {
        if (token == Epoll.WakeToken)
        {
            Volatile.Write(ref _waking, 0);
            return;
        }

        var slot = (uint)token;
        if (_generations[slot] == (uint)(token >> 32)) _sockets[slot]?.Ready(ready);
        if (_unsent.Count >= MostUnsent) SendUnsent();
    }

    private void SendUnsent()
    {
        // Whoever has sent goes on, and may have more to send.
        for (var i = 0; i < _unsent.Count; i++) _unsent[i].SendUnsent();
        _unsent.Clear();
    }

    private void RunPosted()
    {
        // Only what is there now: an action that posts itself again must not starve the sockets.
        for (var left = _posted.Count; left > 0 && _posted.TryDequeue(out var action); left--) action();
    }
}
