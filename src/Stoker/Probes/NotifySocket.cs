using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Stoker.Platform;

namespace Stoker.Probes;

/// <summary>A message and who sent it, as the kernel says.</summary>
/// <param name="SenderPid">The driver accepts it only from a process of the service; it may have ended by now. 0: not known.</param>
internal sealed record NotifyPacket(NotifyMessage Message, int SenderPid, uint SenderUser);

/// <summary>
/// The socket that one replica finds in NOTIFY_SOCKET. Its file is the replica's alone (mode 0600) and keeps its path across
/// daemons: one that is left over from a daemon that was killed is replaced, and the service's next message arrives here.
/// Waiting costs no thread: the runtime's one socket loop watches them all.
/// </summary>
internal sealed class NotifySocket : IDisposable
{
    /// <summary>sun_path has 108 bytes, and senders want the terminating zero.</summary>
    public const int LongestPath = 107;

    private readonly Socket _socket;
    private int _disposed;

    private NotifySocket(Socket socket, string path) => (_socket, Path) = (socket, path);

    /// <summary>The value of NOTIFY_SOCKET.</summary>
    public string Path { get; }

    /// <param name="directory">Where the file goes; made when it is not there.</param>
    /// <param name="fallback">Where it goes when its path would be too long there.</param>
    /// <param name="name">Unique among the services of this machine that share the directory: <c>vision.1</c>.</param>
    /// <param name="owner">The user of the service, when it is not the daemon's; both directories must then let that user through.</param>
    /// <exception cref="IOException">The file cannot be made, with the reason.</exception>
    public static NotifySocket Bind(string directory, string fallback, string name, uint? owner = null)
    {
        var path = Choose(directory, fallback, name)
            ?? throw new IOException($"the path of the notify socket of {name} is longer than {LongestPath} bytes in `{directory}` and in `{fallback}`");
        Files.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        Files.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            CredentialDatagram.AskForCredentials(socket);
            CredentialDatagram.SetMode(socket, Files.PrivateFile);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (owner is { } user && user != HostEnvironment.UserId) CredentialDatagram.SetOwner(path, user);
            return new NotifySocket(socket, path);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"cannot make the notify socket `{path}`: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The path that <see cref="Bind"/> would take; null when neither fits. Pure.</summary>
    public static string? Choose(string directory, string fallback, string name)
    {
        foreach (var candidate in (string[])[directory, fallback])
        {
            var path = System.IO.Path.Combine(candidate, name);
            if (Encoding.UTF8.GetByteCount(path) <= LongestPath) return path;
        }

        return null;
    }

    /// <summary>
    /// What the replica says, in order, until <paramref name="cancel"/> fires or the socket is disposed. A barrier has been
    /// answered when its packet is seen: its descriptor was closed after everything before it had been handed out.
    /// </summary>
    public async IAsyncEnumerable<NotifyPacket> ReadAllAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var buffer = new byte[NotifyMessage.Longest + 1];
        while (await WaitAsync(cancel))
        {
            while (Receive(buffer) is { } packet)
            {
                yield return packet;
            }
        }
    }

    /// <summary>Removes the file. A service that still speaks is refused, which sd_notify is used to.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _socket.Dispose();
        Files.Delete(Path);
    }

    private NotifyPacket? Receive(byte[] buffer)
    {
        if (Volatile.Read(ref _disposed) != 0) return null;

        CredentialDatagram.Received received;
        try
        {
            received = CredentialDatagram.Receive(_socket, buffer);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }

        return received.Length < 0
            ? null
            : new NotifyPacket(NotifyMessage.Parse(buffer.AsSpan(0, received.Length)), received.SenderPid, received.SenderUser);
    }

    /// <summary>False at the end. Looks without taking: the take needs recvmsg, which knows the sender.</summary>
    private async ValueTask<bool> WaitAsync(CancellationToken cancel)
    {
        try
        {
            await _socket.ReceiveAsync(new byte[1], SocketFlags.Peek, cancel);
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException
            || e is SocketException { SocketErrorCode: SocketError.OperationAborted or SocketError.Interrupted })
        {
            return false;
        }
    }
}
