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
    private readonly Operation operation = new();
    private readonly Socket socket;
    private readonly EndPoint remote;
    private bool connected;

    public SocketExchange(IPEndPoint remote)
    {
        this.remote = remote;
        socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    }

    /// <summary>What <see cref="ReceiveAsync"/> brought last; 0 is the end of the stream.</summary>
    public int Received => operation.BytesTransferred;

    public async ValueTask<SocketError> ConnectAsync()
    {
        operation.RemoteEndPoint = remote;
        var error = await RunAsync(static (s, o) => s.ConnectAsync(o));
        if (error != SocketError.Success) return error;

        // A port in the ephemeral range that nobody listens on can be given to the very socket that connects to it: TCP's
        // simultaneous open then connects the socket with itself.
        if (remote.Equals(socket.LocalEndPoint)) return SocketError.ConnectionRefused;

        connected = true;
        return error;
    }

    public async ValueTask<SocketError> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        var unsent = System.Runtime.InteropServices.MemoryMarshal.AsMemory(bytes);
        while (unsent.Length > 0)
        {
            operation.SetBuffer(unsent);
            var error = await RunAsync(static (s, o) => s.SendAsync(o));
            if (error != SocketError.Success) return error;
            unsent = unsent[operation.BytesTransferred..];
        }

        return SocketError.Success;
    }

    public ValueTask<SocketError> ReceiveAsync(Memory<byte> into)
    {
        operation.SetBuffer(into);
        return RunAsync(static (s, o) => s.ReceiveAsync(o));
    }

    /// <summary>The same connection as a stream, for TLS. The stream does not own the socket.</summary>
    public NetworkStream AsStream() => new(socket, ownsSocket: false);

    /// <summary>Ends the operation in progress with <see cref="SocketError.OperationAborted"/>. From any thread.</summary>
    public void Abort() => socket.Dispose();

    public void Dispose()
    {
        try
        {
            // An orderly end: a bare close of .NET resets, which servers log as an error of their client.
            if (connected) socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer or the timeout was faster.
        }

        socket.Dispose();
        operation.Dispose();
    }

    private ValueTask<SocketError> RunAsync(Func<Socket, SocketAsyncEventArgs, bool> start)
    {
        try
        {
            operation.Begin();
            return start(socket, operation) ? operation.Pending : new ValueTask<SocketError>(operation.SocketError);
        }
        catch (ObjectDisposedException)
        {
            return new ValueTask<SocketError>(SocketError.OperationAborted);
        }
    }

    private sealed class Operation() : SocketAsyncEventArgs(true), IValueTaskSource<SocketError>
    {
        private ManualResetValueTaskSourceCore<SocketError> done;

        public ValueTask<SocketError> Pending => new(this, done.Version);

        public void Begin() => done.Reset();

        protected override void OnCompleted(SocketAsyncEventArgs e) => done.SetResult(e.SocketError);

        SocketError IValueTaskSource<SocketError>.GetResult(short token) => done.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<SocketError>.GetStatus(short token) => done.GetStatus(token);

        void IValueTaskSource<SocketError>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            done.OnCompleted(continuation, state, token, flags);
    }
}
