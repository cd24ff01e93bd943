using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

[Flags]
internal enum PollEvents : uint
{
    None = 0,
    Readable = 0x001,

    /// <summary>A kernel file such as cgroup.events has changed.</summary>
    Priority = 0x002,
    Writable = 0x004,
    Error = 0x008,
    HungUp = 0x010,

    /// <summary>The peer of a socket has sent its last byte.</summary>
    PeerShut = 0x2000,
    EdgeTriggered = 1u << 31,
}

/// <summary>
/// One named background thread around one epoll set. Callbacks run on that thread, one at a time; they must not block.
/// A callback that throws is a bug and ends the process, as on any thread.
/// </summary>
internal sealed unsafe class Poller : IDisposable
{
    private const int ControlAdd = 1, ControlDelete = 2, Capacity = 128;

    // struct epoll_event is packed on x64 (12 bytes) and naturally aligned everywhere else (16 bytes).
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    private readonly int epoll;
    private readonly int wake;
    private readonly Thread thread;
    private readonly ConcurrentDictionary<ulong, Action<PollEvents>> callbacks = new();
    private readonly ConcurrentQueue<Action> posted = new();
    private readonly Lock closing = new();
    private ulong lastToken;
    private volatile bool stopping;
    private bool closed;

    public Poller(string name)
    {
        epoll = Libc.EpollCreate(Libc.CloseOnExec);
        wake = epoll < 0 ? -1 : Libc.EventDescriptor(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (wake < 0 || !Add(wake, PollEvents.Readable, token: 0))
        {
            throw Errno.LastFailed($"cannot make the epoll set of {name}");
        }

        thread = new Thread(Loop, maxStackSize: 256 * 1024) { IsBackground = true, Name = name };
        thread.Start();
    }

    public bool IsCurrentThread => Thread.CurrentThread == thread;

    /// <summary>
    /// Calls back whenever the descriptor is ready. The descriptor stays the caller's: remove before closing it.
    /// With <see cref="PollEvents.EdgeTriggered"/> once per change, else for as long as it is ready.
    /// </summary>
    public Registration Register(int descriptor, PollEvents events, Action<PollEvents> callback)
    {
        var token = Interlocked.Increment(ref lastToken);
        callbacks[token] = callback;
        if (!Add(descriptor, events, token))
        {
            var error = Marshal.GetLastPInvokeError();
            callbacks.TryRemove(token, out _);
            throw Errno.Failed($"cannot watch descriptor {descriptor}", error);
        }

        return new Registration(this, descriptor, token);
    }

    /// <summary>Runs an action on the poller's thread, after the callbacks that are due.</summary>
    public void Post(Action action)
    {
        posted.Enqueue(action);
        Wake();
    }

    /// <summary>Ends the thread and waits for it, unless called from it.</summary>
    public void Dispose()
    {
        if (stopping)
        {
            return;
        }

        stopping = true;
        Wake();
        if (!IsCurrentThread)
        {
            thread.Join();
        }
    }

    private bool Add(int descriptor, PollEvents events, ulong token)
    {
        var change = stackalloc byte[16];
        *(uint*)change = (uint)events;
        *(ulong*)(change + DataOffset) = token;
        return Libc.EpollControl(epoll, ControlAdd, descriptor, change) == 0;
    }

    private void Wake()
    {
        lock (closing)
        {
            if (!closed)
            {
                // Fails only when the counter is full, and then the thread is being woken already.
                var one = 1UL;
                _ = Libc.Write(wake, (byte*)&one, sizeof(ulong));
            }
        }
    }

    private void Loop()
    {
        var events = stackalloc byte[Capacity * EventSize];
        while (!stopping)
        {
            var count = Libc.EpollWait(epoll, events, Capacity, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() is var error && error != Errno.Interrupted)
            {
                throw Errno.Failed("epoll_wait", error);
            }

            for (var i = 0; i < count; i++)
            {
                Deliver(*(PollEvents*)(events + (i * EventSize)), *(ulong*)(events + (i * EventSize) + DataOffset));
            }

            while (posted.TryDequeue(out var action))
            {
                action();
            }
        }

        lock (closing)
        {
            // The numbers are anybody's from here on.
            closed = true;
            _ = Libc.Close(wake);
            _ = Libc.Close(epoll);
        }
    }

    private void Deliver(PollEvents ready, ulong token)
    {
        if (token == 0)
        {
            ulong count;
            _ = Libc.Read(wake, (byte*)&count, sizeof(ulong));
        }
        else if (callbacks.TryGetValue(token, out var callback))
        {
            // A token that is not there was removed after the kernel had queued its event.
            callback(ready);
        }
    }

    private void Remove(int descriptor, ulong token)
    {
        if (!callbacks.TryRemove(token, out _))
        {
            return;
        }

        lock (closing)
        {
            if (!closed)
            {
                var unused = stackalloc byte[16];
                _ = Libc.EpollControl(epoll, ControlDelete, descriptor, unused);
            }
        }
    }

    /// <summary>One watched descriptor. After <see cref="Dispose"/> no new callback starts; one may still be running on the thread.</summary>
    internal sealed class Registration(Poller poller, int descriptor, ulong token) : IDisposable
    {
        public void Dispose() => poller.Remove(descriptor, token);
    }
}
