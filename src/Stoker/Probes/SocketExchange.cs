using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Stoker.Probes;

/// <summary>
/// One socket for one question, whose failures are values. A starting service refuses connections hundreds of times, and an
/// exception costs more than the whole probe; so this goes through <see cref="SocketAsyncEventArgs"/>, one operation at a time.
/// </summary>
internal sealed class SocketExchange : IDisposable
{
    private readonly Operation _operation = new();
    private readonly Socket _socket;
    private readonly EndPoint _remote;
    private bool _connected;

    public SocketExchange(IPEndPoint remote)
    {
        _remote = remote;
        _socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    }

    /// <summary>What <see cref="ReceiveAsync"/> brought last; 0 is the end of the stream.</summary>
    public int Received => _operation.BytesTransferred;

    public async ValueTask<SocketError> ConnectAsync()
    {
        _operation.RemoteEndPoint = _remote;
        var error = await RunAsync(static (s, o) => s.ConnectAsync(o));
        if (error != SocketError.Success) return error;

        // A port in the ephemeral range that nobody listens on can be given to the very socket that connects to it: TCP's
        // simultaneous open then connects the socket with itself.
        if (_remote.Equals(_socket.LocalEndPoint)) return SocketError.ConnectionRefused;

        _connected = true;
        return error;
    }

    public async ValueTask<SocketError> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        var unsent = System.Runtime.InteropServices.MemoryMarshal.AsMemory(bytes);
        while (unsent.Length > 0)
        {
            _operation.SetBuffer(unsent);
            var error = await RunAsync(static (s, o) => s.SendAsync(o));
            if (error != SocketError.Success) return error;
            unsent = unsent[_operation.BytesTransferred..];
        }

        return SocketError.Success;
    }

    public ValueTask<SocketError> ReceiveAsync(Memory<byte> into)
    {
        _operation.SetBuffer(into);
        return RunAsync(static (s, o) => s.ReceiveAsync(o));
    }

    /// <summary>The same connection as a stream, for TLS. The stream does not own the socket.</summary>
    public NetworkStream AsStream() => new(_socket, ownsSocket: false);

    /// <summary>Ends the operation in progress with <see cref="SocketError.OperationAborted"/>. From any thread.</summary>
    public void Abort() => _socket.Dispose();

    public void Dispose()
    {
        try
        {
            // An orderly end: a bare close of .NET resets, which servers log as an error of their client.
            if (_connected) _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer or the timeout was faster.
        }

        _socket.Dispose();
        _operation.Dispose();
    }

    private ValueTask<SocketError> RunAsync(Func<Socket, SocketAsyncEventArgs, bool> start)
    {
        try
        {
            _operation.Begin();
            return start(_socket, _operation) ? _operation.Pending : new ValueTask<SocketError>(_operation.SocketError);
        }
        catch (ObjectDisposedException)
        {
            return new ValueTask<SocketError>(SocketError.OperationAborted);
        }
    }

    private sealed class Operation() : SocketAsyncEventArgs(true), IValueTaskSource<SocketError>
    {
        private ManualResetValueTaskSourceCore<SocketError> _done;

        public ValueTask<SocketError> Pending => new(this, _done.Version);

        public void Begin() => _done.Reset();

        protected override void OnCompleted(SocketAsyncEventArgs e) => _done.SetResult(e.SocketError);

        SocketError IValueTaskSource<SocketError>.GetResult(short token) => _done.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<SocketError>.GetStatus(short token) => _done.GetStatus(token);

        void IValueTaskSource<SocketError>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _done.OnCompleted(continuation, state, token, flags);
    }
}
