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

    /// <summary>Told once, and not again before it is asked for again.</summary>
    OneShot = 1u << 30,
    EdgeTriggered = 1u << 31,
}

/// <param name="Token">What the descriptor was added with.</param>
internal readonly record struct ReadyDescriptor(PollEvents Events, ulong Token);

/// <summary>
/// One epoll set, and the event descriptor that ends a wait on it. One thread waits; any may add, remove and wake. The
/// descriptors in it stay their owners'.
/// </summary>
internal sealed unsafe class Epoll : IDisposable
{
    /// <summary>Of the event that <see cref="Wake"/> makes; nobody else may have it.</summary>
    public const ulong WakeToken = ulong.MaxValue;

    private const int ControlAdd = 1, ControlDelete = 2, ControlModify = 3, Most = 256;

    // struct epoll_event is packed on x64 (12 bytes) and naturally aligned everywhere else (16 bytes).
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly byte[] _events = GC.AllocateArray<byte>(Most * EventSize, pinned: true);
    private readonly Lock _closing = new();
    private bool _closed;

    /// <param name="owner">For the message when the machine refuses.</param>
    public Epoll(string owner)
    {
        _epoll = Libc.EpollCreate(Libc.CloseOnExec);
        _wake = _epoll < 0 ? -1 : Libc.EventDescriptor(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (_wake < 0 || !TryAdd(_wake, PollEvents.Readable, WakeToken)) throw Errno.LastFailed($"cannot make the epoll set of {owner}");
    }

    /// <summary>False with the last error set.</summary>
    public bool TryAdd(int descriptor, PollEvents events, ulong token) => Control(ControlAdd, descriptor, events, token);

    /// <summary>The same for one that is in the set; what happened in between is told.</summary>
    public bool TryModify(int descriptor, PollEvents events, ulong token) => Control(ControlModify, descriptor, events, token);

    public void Remove(int descriptor)
    {
        lock (_closing)
        {
            if (!_closed) Control(ControlDelete, descriptor, PollEvents.None, 0);
        }
    }

    /// <summary>Ends the wait that is going on, or the next one.</summary>
    public void Wake()
    {
        lock (_closing)
        {
            if (_closed) return;
            // Fails only when the counter is full, and then the thread is being woken already.
            var one = 1UL;
            _ = Libc.Write(_wake, (byte*)&one, sizeof(ulong));
        }
    }

    /// <summary>Returns how many of <paramref name="ready"/> it filled; a wake-up is one of them, and over with that.</summary>
    /// <param name="milliseconds">-1: as long as it takes.</param>
    public int Wait(Span<ReadyDescriptor> ready, int milliseconds)
    {
        fixed (byte* events = _events)
        {
            var count = Libc.EpollWait(_epoll, events, Math.Min(ready.Length, Most), milliseconds);
            if (count < 0 && Marshal.GetLastPInvokeError() is var error && error != Errno.Interrupted) throw Errno.Failed("epoll_wait", error);
            for (var i = 0; i < count; i++)
            {
                var at = events + (i * EventSize);
                ready[i] = new ReadyDescriptor(*(PollEvents*)at, *(ulong*)(at + DataOffset));
                if (ready[i].Token != WakeToken) continue;
                ulong wakes;
                _ = Libc.Read(_wake, (byte*)&wakes, sizeof(ulong));
            }

            return Math.Max(count, 0);
        }
    }

    /// <summary>By the thread that waits, or when none does any more.</summary>
    public void Dispose()
    {
        lock (_closing)
        {
            if (_closed) return;
            // The numbers are anybody's from here on.
            _closed = true;
            _ = Libc.Close(_wake);
            _ = Libc.Close(_epoll);
        }
    }

    private bool Control(int operation, int descriptor, PollEvents events, ulong token)
    {
        var change = stackalloc byte[16];
        *(uint*)change = (uint)events;
        *(ulong*)(change + DataOffset) = token;
        return Libc.EpollControl(_epoll, operation, descriptor, change) == 0;
    }
}
