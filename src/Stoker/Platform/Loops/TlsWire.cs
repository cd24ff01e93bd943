using System.Net.Security;
using System.Security.Authentication;

namespace Stoker.Platform.Loops;

/// <summary>TLS over a loop's socket, as a client. The certificate is checked against the system's authorities and the host's name.</summary>
internal sealed class TlsWire : IWire
{
    /// <summary><c>EPROTO</c>: the peer does not speak TLS, or its certificate is not to be trusted.</summary>
    public const int ProtocolError = 71;

    private readonly LoopSocket _socket;
    private readonly SocketStream _inner;
    private readonly SslStream _tls;
    private readonly byte[] _received = new byte[16 * 1024];
    private int _from;
    private int _to;
    private bool _ended;

    private TlsWire(LoopSocket socket)
    {
        _socket = socket;
        _inner = new SocketStream(socket);
        _tls = new SslStream(_inner);
    }

    public bool PeerLeft => _socket.PeerLeft;

    public bool MayReceive => _from < _to || _socket.MayReceive;

    public Action? OnPeerLeft
    {
        get => _socket.OnPeerLeft;
        set => _socket.OnPeerLeft = value;
    }

    /// <summary>Takes over a connected socket and makes a session; on failure the socket is closed.</summary>
    /// <param name="host">The name or address that the certificate must be for.</param>
    /// <returns>Without a wire a negated error number, and why where that number alone would not tell.</returns>
    public static async ValueTask<(TlsWire? Wire, int Error, string? Why)> ConnectAsync(LoopSocket socket, string host, long deadline)
    {
        var wire = new TlsWire(socket);
        wire._inner.Deadline = deadline;
        string? problem = null;
        try
        {
            await wire._tls.AuthenticateAsClientAsync(CertificateCheck.Options(host, wrong => (problem = wrong) is null));
            return (wire, 0, null);
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException)
        {
            wire.Dispose();
            if (wire._inner.Error < 0) return (null, wire._inner.Error, null);
            return (null, -ProtocolError, problem is null ? $"TLS failed: {refused.InnerException?.Message ?? refused.Message}" : $"its certificate is refused: {problem}");
        }
    }

    public int Receive(Span<byte> target)
    {
        if (_from == _to) return _ended ? 0 : -Errno.Again;
        var count = Math.Min(target.Length, _to - _from);
        _received.AsSpan(_from, count).CopyTo(target);
        _from += count;
        return count;
    }

    public ValueTask<int> ReadableAsync(long deadline = 0) => _from < _to || _ended ? new ValueTask<int>(0) : DecryptAsync(deadline);

    public async ValueTask<int> SendAllAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> behind = default, long deadline = 0, bool more = false)
    {
        _inner.Deadline = deadline;
        try
        {
            await _tls.WriteAsync(first);
            if (!behind.IsEmpty) await _tls.WriteAsync(behind);
            return 0;
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException)
        {
            return _inner.Error < 0 ? _inner.Error : -SocketCalls.BrokenPipe;
        }
    }

    public void Cancel() => _socket.Cancel();

    public void ShutSend() => _socket.ShutSend();

    public void Reset() => _socket.Reset();

    public void Dispose()
    {
        _tls.Dispose();
        _socket.Dispose();
    }

    private async ValueTask<int> DecryptAsync(long deadline)
    {
        _inner.Deadline = deadline;
        try
        {
            (_from, _to) = (0, await _tls.ReadAsync(_received));
            _ended = _to == 0;
            return 0;
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException)
        {
            return _inner.Error < 0 ? _inner.Error : -SocketCalls.Reset;
        }
    }

    /// <summary>What <see cref="SslStream"/> reads from and writes to.</summary>
    private sealed class SocketStream(LoopSocket socket) : Stream
    {
        public long Deadline { get; set; }

        /// <summary>Why the last operation failed, which an exception's text would hide.</summary>
        public int Error { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // SslStream asks for nothing to learn that something is there.
            while (true)
            {
                var ready = await socket.ReadableAsync(Deadline);
                if (ready < 0) throw Failed(ready);
                if (buffer.IsEmpty) return 0;
                var received = socket.Receive(buffer.Span);
                if (received >= 0) return received;
                if (received != -Errno.Again) throw Failed(received);
            }
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var sent = await socket.SendAllAsync(buffer, deadline: Deadline);
            if (sent < 0) throw Failed(sent);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private IOException Failed(int error)
        {
            Error = error;
            return new IOException(Errno.Text(-error), -error);
        }
    }
}
