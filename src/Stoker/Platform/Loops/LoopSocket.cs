using System.Net;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace Stoker.Platform.Loops;

/// <summary>
/// A connected stream socket of one loop, used on that loop's thread only. At most one receiver and one sender wait at a time.
/// Every answer is a count, or a negated error number as the kernel's own calls have it: <c>-EAGAIN</c> not now,
/// <c>-ETIMEDOUT</c> the deadline passed, <c>-ECANCELED</c> somebody called <see cref="Cancel"/>. A peer that breaks off is an
/// everyday outcome here, so nothing throws for it.
/// </summary>
internal sealed class LoopSocket : IWire
{
    private readonly EventLoop _loop;
    private readonly Waiter _reader;
    private readonly Waiter _writer;
    private readonly int _slot;
    private bool _readable = true;
    private bool _writable = true;
    private bool _disposed;

    /// <summary>Takes over a non-blocking descriptor. On the loop's thread.</summary>
    public LoopSocket(EventLoop loop, int descriptor)
    {
        _loop = loop;
        Descriptor = descriptor;
        _reader = new Waiter(loop);
        _writer = new Waiter(loop);
        _slot = loop.Register(this);
    }

    public EventLoop Loop => _loop;

    /// <summary>The system's words for a negated error number.</summary>
    public static string Words(int error) => Errno.Text(-error);

    public int Descriptor { get; }

    /// <summary>The peer sent its last byte, or the connection broke. What it had sent before can still be received.</summary>
    public bool PeerLeft { get; private set; }

    /// <summary>Called once, on the loop's thread, when the peer leaves, whatever the owner is waiting for.</summary>
    public Action? OnPeerLeft { get; set; }

    public bool MayReceive => _readable;

    /// <returns>Bytes received, 0 at the peer's end, <c>-EAGAIN</c> when there are none yet, or another negated error.</returns>
    public unsafe int Receive(Span<byte> target)
    {
        if (_disposed) return -SocketCalls.Canceled;
        if (!_readable) return -Errno.Again;
        nint count;
        fixed (byte* at = target) count = SocketCalls.Receive(Descriptor, at, target.Length, 0);
        if (count < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == Errno.Again) _readable = false;
            return -error;
        }

        // An edge-triggered socket that gave less than was asked for is empty, unless its end is yet to be read.
        if (count > 0 && count < target.Length && !PeerLeft) _readable = false;
        return (int)count;
    }

    /// <returns>Bytes taken, which may be fewer than given; <c>-EAGAIN</c> or another negated error.</returns>
    /// <param name="behind">Goes behind the first piece, in one call.</param>
    /// <param name="more">More follows at once: the kernel may wait for it before it sends a packet.</param>
    private unsafe int Send(ReadOnlySpan<byte> source, ReadOnlySpan<byte> behind, bool more)
    {
        if (_disposed) return -SocketCalls.Canceled;
        var flags = SocketCalls.NoSignal | (more ? SocketCalls.More : 0);
        nint count;
        fixed (byte* first = source)
        fixed (byte* second = behind)
        {
            if (behind.IsEmpty)
            {
                count = SocketCalls.Send(Descriptor, first, source.Length, flags);
            }
            else
            {
                var pieces = stackalloc SocketCalls.Piece[] { new() { At = first, Length = source.Length }, new() { At = second, Length = behind.Length } };
                var message = new SocketCalls.Message { Pieces = pieces, Count = 2 };
                count = SocketCalls.SendMessage(Descriptor, &message, flags);
            }
        }

        if (count >= 0) return (int)count;
        var error = Marshal.GetLastPInvokeError();
        if (error == Errno.Again) _writable = false;
        return -error;
    }

    /// <summary>Completes with 0 when a receive may find something, else with a negated error.</summary>
    /// <param name="deadline">In <see cref="EventLoop.Now"/>'s milliseconds; 0: none.</param>
    public ValueTask<int> ReadableAsync(long deadline = 0) =>
        _disposed ? new ValueTask<int>(-SocketCalls.Canceled) : _readable ? new ValueTask<int>(0) : _reader.WaitAsync(deadline);

    /// <summary>Completes with 0 when a send may take something, else with a negated error.</summary>
    private ValueTask<int> WritableAsync(long deadline) =>
        _disposed ? new ValueTask<int>(-SocketCalls.Canceled) : _writable ? new ValueTask<int>(0) : _writer.WaitAsync(deadline);

    /// <summary>Sends all of it: when this turn of the loop ends, beside what else is sent in it.</summary>
    /// <returns>0, or a negated error after which some of it may have been sent.</returns>
    public ValueTask<int> SendAllAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> behind = default, long deadline = 0, bool more = false)
    {
        if (_disposed) return new ValueTask<int>(-SocketCalls.Canceled);
        if (first.IsEmpty) (first, behind) = (behind, default);
        if (first.IsEmpty) return new ValueTask<int>(0);
        var sent = _writer.WaitAsync(deadline);
        (_writer.Unsent, _writer.Behind, _writer.More) = (first, behind, more);
        if (_writable) _loop.SendLater(this);
        return sent;
    }

    /// <summary>Begins to connect and waits for the outcome: 0 or a negated error.</summary>
    /// <param name="begun">Gets the socket while it is waited for: <see cref="Cancel"/> ends the wait.</param>
    public static async ValueTask<(LoopSocket? Socket, int Error)> ConnectAsync(EventLoop loop, IPEndPoint endpoint, long deadline, Action<LoopSocket>? begun = null)
    {
        var descriptor = SocketCalls.Socket(KernelAddress.FamilyOf(endpoint), SocketCalls.Stream | SocketCalls.NonBlocking | SocketCalls.CloseOnExec, 0);
        if (descriptor < 0) return (null, -Marshal.GetLastPInvokeError());
        Tune(descriptor, endpoint);
        if (BeginConnect(descriptor, endpoint) is var error && error != 0 && error != SocketCalls.InProgress)
        {
            _ = Libc.Close(descriptor);
            return (null, -error);
        }

        var socket = new LoopSocket(loop, descriptor) { _readable = false, _writable = error == 0 };
        begun?.Invoke(socket);
        var waited = await socket.WritableAsync(deadline);
        if (waited == 0) waited = -socket.PendingError();
        if (waited == 0) return (socket, 0);
        socket.Dispose();
        return (null, waited);
    }

    /// <summary>Whoever waits is told <c>-ECANCELED</c>. The socket stays open.</summary>
    public void Cancel()
    {
        _reader.Complete(-SocketCalls.Canceled);
        _writer.Complete(-SocketCalls.Canceled);
    }

    /// <summary>No more will be sent: the peer reads to the end.</summary>
    public void ShutSend()
    {
        if (!_disposed) _ = SocketCalls.Shutdown(Descriptor, 1);
    }

    /// <summary>Closes by a reset: what was not sent yet is thrown away and the peer learns at once.</summary>
    public unsafe void Reset()
    {
        if (_disposed) return;
        var linger = stackalloc int[2] { 1, 0 };
        _ = SocketCalls.SetOption(Descriptor, SocketCalls.LevelSocket, SocketCalls.Linger, linger, 8);
        Dispose();
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _loop.Forget(_slot);
        _ = Libc.Close(Descriptor);
        OnPeerLeft = null;
        Cancel();
        _reader.Retire();
        _writer.Retire();
    }

    /// <summary>
    /// Small packets at once; a peer whose machine vanished is noticed in about a minute. On the machine itself nothing is lost and nothing has to be
    /// paced: what some systems have for the way across the world (BBR) only costs there, a twentieth of all the work under load.
    /// </summary>
    internal static unsafe void Tune(int descriptor, IPEndPoint peer)
    {
        SocketCalls.SetOption(descriptor, SocketCalls.LevelTcp, SocketCalls.NoDelay, 1);
        SocketCalls.SetOption(descriptor, SocketCalls.LevelSocket, SocketCalls.KeepAlive, 1);
        SocketCalls.SetOption(descriptor, SocketCalls.LevelTcp, SocketCalls.KeepIdle, 30);
        SocketCalls.SetOption(descriptor, SocketCalls.LevelTcp, SocketCalls.KeepInterval, 10);
        SocketCalls.SetOption(descriptor, SocketCalls.LevelTcp, SocketCalls.KeepCount, 3);
        SocketCalls.SetOption(descriptor, SocketCalls.LevelTcp, SocketCalls.UserTimeout, 60_000);
        if (!IPAddress.IsLoopback(peer.Address)) return;
        var plainest = "reno"u8;
        fixed (byte* name = plainest) _ = SocketCalls.SetOption(descriptor, SocketCalls.LevelTcp, SocketCalls.Congestion, name, (uint)plainest.Length);
    }

    /// <summary>The kernel's news of this socket.</summary>
    internal void Ready(PollEvents events)
    {
        var left = (events & (PollEvents.PeerShut | PollEvents.HungUp | PollEvents.Error)) != 0;
        if ((events & PollEvents.Readable) != 0 || left) _readable = true;
        if ((events & PollEvents.Writable) != 0 || left) _writable = true;
        if (left && !PeerLeft)
        {
            PeerLeft = true;
            OnPeerLeft?.Invoke();
        }

        if (_writable && !_disposed)
        {
            if (_writer.Unsent.IsEmpty) _writer.Complete(0);
            else SendUnsent();
        }

        if (_readable && !_disposed) _reader.Complete(0);
    }

    /// <summary>As much as the kernel takes now of what <see cref="SendAllAsync"/> was given; whoever waits for the last of it goes on.</summary>
    internal void SendUnsent()
    {
        while (_writer.Unsent is { IsEmpty: false } unsent)
        {
            var behind = _writer.Behind;
            var sent = Send(unsent.Span, behind.Span, _writer.More);
            if (sent == -Errno.Again) return;
            if (sent < 0 || sent == unsent.Length + behind.Length) _writer.Complete(Math.Min(sent, 0));
            else if (sent < unsent.Length) _writer.Unsent = unsent[sent..];
            else (_writer.Unsent, _writer.Behind) = (behind[(sent - unsent.Length)..], default);
        }
    }

    private static unsafe int BeginConnect(int descriptor, IPEndPoint endpoint)
    {
        Span<byte> address = stackalloc byte[KernelAddress.Capacity];
        var length = KernelAddress.Write(endpoint, address);
        fixed (byte* at = address) return SocketCalls.Connect(descriptor, at, (uint)length) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private unsafe int PendingError()
    {
        int error = 0;
        uint length = sizeof(int);
        return SocketCalls.GetOption(Descriptor, SocketCalls.LevelSocket, SocketCalls.SocketError, &error, &length) == 0 ? error : Marshal.GetLastPInvokeError();
    }

    /// <summary>One direction's wait, used again for each: an awaitable that completes on the loop's thread, with a deadline.</summary>
    private sealed class Waiter(EventLoop loop) : LoopTimer, IValueTaskSource<int>
    {
        private ManualResetValueTaskSourceCore<int> _core;

        public bool IsWaiting { get; private set; }

        /// <summary>What is still to be sent while somebody waits for that; nothing otherwise.</summary>
        public ReadOnlyMemory<byte> Unsent { get; set; }

        /// <summary>What is to be sent behind it.</summary>
        public ReadOnlyMemory<byte> Behind { get; set; }

        /// <summary>More follows what is unsent.</summary>
        public bool More { get; set; }

        public ValueTask<int> WaitAsync(long deadline)
        {
            if (IsWaiting) throw new InvalidOperationException("somebody waits for this direction of the socket already");
            _core.Reset();
            IsWaiting = true;
            loop.Timers.Set(this, deadline);
            return new ValueTask<int>(this, _core.Version);
        }

        public void Complete(int outcome)
        {
            if (!IsWaiting) return;
            IsWaiting = false;
            Unsent = Behind = default;
            // Zero is "no deadline": it stays in the wheel until its slot comes, and is then forgotten.
            Deadline = 0;
            _core.SetResult(outcome);
        }

        public void Retire() => loop.Timers.Remove(this);

        public int GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, ValueTaskSourceOnCompletedFlags.None);

        internal override void Due() => Complete(-SocketCalls.TimedOut);
    }
}
