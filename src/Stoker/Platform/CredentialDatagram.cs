using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>
/// Receives datagrams of a Unix socket with what the kernel vouches for: who sent them (SCM_CREDENTIALS), and the descriptors
/// that came along (SCM_RIGHTS), which are closed at once. .NET's own sockets give neither.
/// </summary>
/// <remarks>Layouts are those of 64-bit Linux, the same on x64 and arm64.</remarks>
internal static unsafe partial class CredentialDatagram
{
    private const int SocketLevel = 1, PassCredentials = 16;
    private const int ScmRights = 1, ScmCredentials = 2;
    private const int DontWait = 0x40, CloseOnExecDescriptors = 0x40000000;
    private const int ControlCapacity = 2048, ControlHead = 16;

    /// <param name="Length">-1: there was none to receive.</param>
    /// <param name="SenderPid">As this pid namespace sees it; 0: not known.</param>
    /// <param name="Descriptors">How many came along and have been closed.</param>
    internal readonly record struct Received(int Length, int SenderPid, uint SenderUser, int Descriptors);

    /// <summary>From now on the kernel adds the sender to each datagram.</summary>
    public static void AskForCredentials(Socket socket)
    {
        var on = 1;
        socket.SetRawSocketOption(SocketLevel, PassCredentials, new ReadOnlySpan<byte>(&on, sizeof(int)));
    }

    /// <summary>
    /// Sets what the file that <c>bind</c> makes will allow. On Linux it takes the mode of the socket itself, so there is no
    /// moment at which the file is open to others.
    /// </summary>
    public static void SetMode(Socket socket, UnixFileMode mode)
    {
        if (ChangeMode(socket.SafeHandle, (uint)mode) < 0) throw Errno.LastFailed("cannot set the mode of a socket");
    }

    /// <summary>Hands the file of a bound socket to another user, so that a service that runs as that user may write to it.</summary>
    public static void SetOwner(string path, uint user)
    {
        const uint sameGroup = uint.MaxValue;
        if (ChangeOwner(path, user, sameGroup) < 0) throw Errno.LastFailed($"cannot give the socket `{path}` to user {user}");
    }

    /// <summary>Takes one datagram if there is one; never waits.</summary>
    public static Received Receive(Socket socket, Span<byte> buffer)
    {
        var control = stackalloc byte[ControlCapacity];
        fixed (byte* start = buffer)
        {
            var piece = new Piece { Start = start, Length = (nuint)buffer.Length };
            var message = new Message { Pieces = &piece, PieceCount = 1, Control = control, ControlLength = ControlCapacity };
            nint length;
            do
            {
                length = ReceiveMessage(socket.SafeHandle, &message, DontWait | CloseOnExecDescriptors);
            }
            while (length < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);

            if (length < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                return error == Errno.Again ? new Received(-1, 0, 0, 0) : throw Errno.Failed("cannot receive a datagram", error);
            }

            var received = new Received((int)length, 0, 0, 0);
            return ReadControl(received, control, (int)message.ControlLength);
        }
    }

    private static Received ReadControl(Received received, byte* control, int length)
    {
        var at = 0;
        while (at + ControlHead <= length)
        {
            var size = (int)*(nuint*)(control + at);
            if (size < ControlHead || at + size > length) break;

            var (level, kind) = (*(int*)(control + at + 8), *(int*)(control + at + 12));
            var data = (int*)(control + at + ControlHead);
            if (level == SocketLevel && kind == ScmCredentials)
            {
                received = received with { SenderPid = data[0], SenderUser = (uint)data[1] };
            }
            else if (level == SocketLevel && kind == ScmRights)
            {
                var count = (size - ControlHead) / sizeof(int);
                for (var i = 0; i < count; i++)
                {
                    _ = Libc.Close(data[i]);
                }

                received = received with { Descriptors = received.Descriptors + count };
            }

            at += (size + 7) & ~7;
        }

        return received;
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(SafeSocketHandle socket, Message* message, int flags);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    private static partial int ChangeMode(SafeSocketHandle socket, uint mode);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    /// <summary>struct iovec.</summary>
    private struct Piece
    {
        public byte* Start;
        public nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    private struct Message
    {
        public byte* Name;
        public uint NameLength;
        public Piece* Pieces;
        public nuint PieceCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
