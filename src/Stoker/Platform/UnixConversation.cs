using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>
/// A connection to a Unix socket, for a program that asks one thing and waits for the answer. .NET's sockets do the same, and make such a
/// program half as slow again to start: they bring an engine for thousands of connections.
/// </summary>
internal sealed unsafe partial class UnixConversation : IDisposable
{
    /// <summary>sun_path holds 108 bytes with its final NUL.</summary>
    public const int LongestPath = 107;

    private const int Unix = 1, Stream = 1, CloseOnExec = 0x80000;

    private readonly int _descriptor;

    private UnixConversation(int descriptor) => _descriptor = descriptor;

    /// <param name="path">At most <see cref="LongestPath"/> bytes long.</param>
    /// <exception cref="UnixConversationException">There is no such socket, nobody listens, or it may not be entered.</exception>
    public static UnixConversation Connect(string path)
    {
        var address = new Address { Family = Unix };
        var length = Encoding.UTF8.GetBytes(path, new Span<byte>(address.Path, LongestPath));
        var descriptor = OpenSocket(Unix, Stream | CloseOnExec, 0);
        if (descriptor < 0) throw Failed();
        var conversation = new UnixConversation(descriptor);
        // One byte more than the path: its final NUL.
        if (Connect(descriptor, &address, (uint)(sizeof(ushort) + length + 1)) == 0) return conversation;
        var failed = Failed();
        conversation.Dispose();
        throw failed;
    }

    /// <exception cref="UnixConversationException">The other side is gone.</exception>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            nint sent;
            fixed (byte* start = bytes) sent = Libc.Write(_descriptor, start, bytes.Length);
            if (sent >= 0) bytes = bytes[(int)sent..];
            else if (Marshal.GetLastPInvokeError() != Errno.Interrupted) throw Failed();
        }
    }

    /// <summary>The next bytes; 0 at the end of what the other side sends.</summary>
    /// <exception cref="UnixConversationException">The other side is gone, or nothing came in time.</exception>
    public int Receive(Span<byte> into, TimeSpan patience)
    {
        if (!Readiness.Await(_descriptor, Readiness.Input, patience)) throw new UnixConversationException(Errno.TimedOut);
        while (true)
        {
            nint received;
            fixed (byte* start = into) received = Libc.Read(_descriptor, start, into.Length);
            if (received >= 0) return (int)received;
            if (Marshal.GetLastPInvokeError() != Errno.Interrupted) throw Failed();
        }
    }

    public void Dispose() => _ = Libc.Close(_descriptor);

    private static UnixConversationException Failed() => new(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int socket, Address* address, uint length);

    /// <summary>struct sockaddr_un.</summary>
    private struct Address
    {
        public ushort Family;
        public fixed byte Path[LongestPath + 1];
    }
}

/// <param name="error">The errno.</param>
internal sealed class UnixConversationException(int error) : IOException(Errno.Text(error), error)
{
    public int Error { get; } = error;
}
