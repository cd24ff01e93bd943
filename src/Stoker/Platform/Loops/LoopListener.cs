using System.Net;
using System.Runtime.InteropServices;

namespace Stoker.Platform.Loops;

/// <summary>
/// Accepts connections on a thread of its own and hands them to the loops in turn. A blocking thread costs nothing while nobody comes,
/// and connections are rare beside requests.
/// </summary>
internal sealed unsafe class LoopListener : IDisposable
{
    private readonly int _descriptor;
    private readonly IReadOnlyList<EventLoop> _loops;
    private readonly Action<LoopSocket, IPEndPoint> _accepted;
    private readonly Action<string> _problem;
    private readonly Thread _thread;
    private volatile bool _stopping;
    private uint _next;

    private LoopListener(int descriptor, IReadOnlyList<EventLoop> loops, Action<LoopSocket, IPEndPoint> accepted, Action<string> problem)
    {
        (_descriptor, _loops, _accepted, _problem) = (descriptor, loops, accepted, problem);
        Address = NameOf(descriptor);
        _thread = new Thread(Run) { IsBackground = true, Name = "accept" };
        _thread.Start();
    }

    /// <summary>Where it listens, with the port that the kernel chose for 0; nothing of use where it listens at a path.</summary>
    public IPEndPoint Address { get; }

    /// <param name="accepted">Called on the loop's thread with each connection and the peer's address.</param>
    /// <param name="problem">Told, in words, what keeps it from accepting; once for each time it begins.</param>
    /// <exception cref="IOException">The address cannot be listened on; the message says why.</exception>
    public static LoopListener Listen(IPEndPoint endpoint, IReadOnlyList<EventLoop> loops, Action<LoopSocket, IPEndPoint> accepted, Action<string> problem)
    {
        Span<byte> address = stackalloc byte[KernelAddress.Capacity];
        var length = KernelAddress.Write(endpoint, address);
        return new LoopListener(Bound(KernelAddress.FamilyOf(endpoint), address[..length], endpoint.ToString()), loops, accepted, problem);
    }

    /// <summary>Listens on a Unix socket, whose file must not be there yet; it stays there afterwards.</summary>
    /// <exception cref="IOException">The path cannot be listened on; the message says why.</exception>
    public static LoopListener Listen(string path, IReadOnlyList<EventLoop> loops, Action<LoopSocket> accepted, Action<string> problem)
    {
        Span<byte> address = stackalloc byte[KernelAddress.Capacity];
        var length = KernelAddress.Write(path, address);
        return new LoopListener(Bound(SocketCalls.FamilyUnix, address[..length], path), loops, (socket, _) => accepted(socket), problem);
    }

    /// <summary>Stops accepting; connections that were accepted go on.</summary>
    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        // Wakes the thread out of accept.
        _ = SocketCalls.Shutdown(_descriptor, 2);
        _thread.Join();
        _ = Libc.Close(_descriptor);
    }

    private static int Bound(int family, ReadOnlySpan<byte> address, string name)
    {
        var descriptor = SocketCalls.Socket(family, SocketCalls.Stream | SocketCalls.CloseOnExec, 0);
        if (descriptor < 0) throw Errno.LastFailed($"cannot listen on {name}");
        SocketCalls.SetOption(descriptor, SocketCalls.LevelSocket, SocketCalls.ReuseAddress, 1);
        fixed (byte* at = address)
        {
            if (SocketCalls.Bind(descriptor, at, (uint)address.Length) == 0 && SocketCalls.Listen(descriptor, 4096) == 0) return descriptor;
        }

        var error = Marshal.GetLastPInvokeError();
        _ = Libc.Close(descriptor);
        throw Errno.Failed($"cannot listen on {name}", error);
    }

    private void Run()
    {
        var address = stackalloc byte[KernelAddress.Capacity];
        var failing = false;
        while (!_stopping)
        {
            uint length = KernelAddress.Capacity;
            var descriptor = SocketCalls.Accept(_descriptor, address, &length, SocketCalls.NonBlocking | SocketCalls.CloseOnExec);
            if (descriptor >= 0)
            {
                failing = false;
                HandOver(descriptor, KernelAddress.Read(new ReadOnlySpan<byte>(address, KernelAddress.Capacity)));
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (_stopping) return;
            if (error is not (Errno.TooManyOpen or Errno.TooManyOpenSystem)) continue;

            // The connection stays in the kernel's queue; without a pause this would spin until a descriptor is free.
            if (!failing) _problem($"no connection can be accepted: {Errno.Text(error)}");
            failing = true;
            Thread.Sleep(50);
        }
    }

    private void HandOver(int descriptor, IPEndPoint peer)
    {
        LoopSocket.Tune(descriptor, peer);
        // In turn: how many each has is only known once it has taken those that are on their way to it.
        var loop = _loops[(int)(_next++ % (uint)_loops.Count)];
        loop.Post(() => _accepted(new LoopSocket(loop, descriptor), peer));
    }

    private static IPEndPoint NameOf(int descriptor)
    {
        var address = stackalloc byte[KernelAddress.Capacity];
        uint length = KernelAddress.Capacity;
        return SocketCalls.LocalName(descriptor, address, &length) == 0
            ? KernelAddress.Read(new ReadOnlySpan<byte>(address, KernelAddress.Capacity))
            : throw Errno.LastFailed("cannot read the address of a listening socket");
    }
}
