using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Stoker.Daemon.Protocol;

/// <summary>
/// One request whose answer is read while it comes: for streams. <see cref="ControlAnswer"/> is for everything else.
/// </summary>
internal sealed class ControlConnection : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;
    private bool _chunked;

    /// <summary>Bytes of the body, or of the current chunk, that are still to come; null: until the connection ends.</summary>
    private long? _left = 0;

    private bool _firstChunk = true;

    private ControlConnection(Socket socket) => _socket = socket;

    public int Status { get; private set; }

    /// <summary>The body came to its own end, as opposed to the connection breaking off.</summary>
    public bool IsComplete { get; private set; }

    /// <exception cref="SocketException">Nobody listens, or the socket may not be entered.</exception>
    public static ControlConnection Connect(UnixDomainSocketEndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(endPoint);
            return new ControlConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The head of a request; a body of JSON follows it.</summary>
    public static byte[] Head(string method, string path, byte[]? body)
    {
        var head = $"{method} {path} HTTP/1.1\r\nHost: stoker\r\nConnection: close\r\n";
        if (body is not null) head += $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n";
        return Encoding.ASCII.GetBytes(head + "\r\n");
    }

    /// <summary>Of a line like <c>HTTP/1.1 200 OK</c>.</summary>
    public static int StatusOf(string line) =>
        line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)
        && int.TryParse(line.AsSpan(9, Math.Min(3, line.Length - 9)), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? code
            : throw new IOException($"the control socket answered what is not HTTP: {line}");

    public async ValueTask GetAsync(string path, CancellationToken cancel)
    {
        ReadOnlyMemory<byte> rest = Head("GET", path, null);
        while (rest.Length > 0) rest = rest[await _socket.SendAsync(rest, cancel)..];
        await ReadHeadAsync(cancel);
    }

    /// <summary>The next bytes of the body, without the framing; 0 at the end of it.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken cancel)
    {
        if (_chunked && _left == 0 && !IsComplete) await NextChunkAsync(cancel);
        if (IsComplete || _left == 0)
        {
            IsComplete = true;
            return 0;
        }

        if (_start == _end && await FillAsync(cancel) == 0)
        {
            IsComplete = _left is null;
            return 0;
        }

        var count = Math.Min(into.Length, _end - _start);
        if (_left is { } left) count = (int)Math.Min(count, left);
        _buffer.AsMemory(_start, count).CopyTo(into);
        _start += count;
        _left -= count;
        return count;
    }

    public async ValueTask<byte[]> ReadToEndAsync(CancellationToken cancel)
    {
        var body = new byte[4096];
        var length = 0;
        while (await ReadAsync(body.AsMemory(length), cancel) is var read and > 0)
        {
            length += read;
            if (length == body.Length) Array.Resize(ref body, body.Length * 2);
        }

        if (!IsComplete) throw new IOException("the daemon ended in the middle of its answer");
        return body[..length];
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask ReadHeadAsync(CancellationToken cancel)
    {
        Status = StatusOf(await ReadLineAsync(cancel));
        _left = null;
        while (await ReadLineAsync(cancel) is { Length: > 0 } header)
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) continue;
            var value = header.AsSpan(colon + 1).Trim();
            if (header.AsSpan(0, colon).Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                _left = long.Parse(value, CultureInfo.InvariantCulture);
            else if (header.AsSpan(0, colon).Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                _chunked = value.Equals("chunked", StringComparison.OrdinalIgnoreCase);
        }

        if (_chunked) _left = 0;
    }

    private async ValueTask NextChunkAsync(CancellationToken cancel)
    {
        // A chunk ends with an empty line of its own before the next size.
        if (!_firstChunk) await ReadLineAsync(cancel);
        _firstChunk = false;
        var size = await ReadLineAsync(cancel);
        if (!long.TryParse(size.AsSpan().Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length))
            throw new IOException(size.Length == 0 ? "the daemon ended in the middle of its answer" : $"not the size of a chunk: {size}");
        _left = length;
        IsComplete = length == 0;
    }

    private async ValueTask<string> ReadLineAsync(CancellationToken cancel)
    {
        var searched = 0;
        while (true)
        {
            var at = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = Encoding.ASCII.GetString(_buffer, _start, searched + at).TrimEnd('\r');
                _start += searched + at + 1;
                return line;
            }

            searched = _end - _start;
            if (await FillAsync(cancel) == 0) return "";
        }
    }

    private async ValueTask<int> FillAsync(CancellationToken cancel)
    {
        if (_start == _end) _start = _end = 0;
        if (_end == _buffer.Length && _start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = await _socket.ReceiveAsync(_buffer.AsMemory(_end), cancel);
        _end += read;
        return read;
    }
}
