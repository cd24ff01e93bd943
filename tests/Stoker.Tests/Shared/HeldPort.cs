using System.Net;
using System.Net.Sockets;

namespace Stoker.Tests.Shared;

/// <summary>
/// A port of the loopback that nobody listens on, and that nobody else is given until this is disposed: connections are refused, until one who is told its
/// number listens there. To choose a port and let it go would leave it to whoever asks for any, and many tests do at every moment.
/// </summary>
internal sealed class HeldPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public HeldPort()
    {
        Share(_socket);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public int Number => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public IPEndPoint Address => new(IPAddress.Loopback, Number);

    /// <summary>
    /// Only SO_REUSEADDR: those that have it may be bound to one port together, as long as one of them listens at most. .NET's own ReuseAddress adds SO_REUSEPORT.
    /// </summary>
    public static void Share(Socket socket) => socket.SetRawSocketOption(1, 2, BitConverter.GetBytes(1));

    public void Dispose() => _socket.Dispose();
}
