using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Stoker.Models.Simulator.Wire;

/// <summary>
/// One connection: reads a request, has it handled, reads the next. While a request waits, a receive is under way, so that the client's
/// leaving is noticed when it happens and not at the next write; what comes instead belongs to the next request.
/// </summary>
internal sealed class Connection(Socket socket, Func<Exchange, ValueTask> handle, TimeProvider clock)
{
    private const int LongestHead = 64 * 1024;
    private const long LongestBody = 256L << 20;

    private readonly Lock _access = new();
    private byte[] _input = new byte[2048];
    private int _start, _end;
    private Task? _watch;
    private Exchange? _current;
    private bool _isGone, _endsWhenIdle;

    public OutBuffer Output { get; } = new();

    public OutBuffer Event { get; } = new(512);

    public TimeProvider Clock => clock;

    public Socket Socket => socket;

    public async Task RunAsync()
    {
        try
        {
            while (await ReadHeadAsync() is { } head)
            {
                var exchange = new Exchange(this, head);
                if (await ReadBodyAsync(head) is not { } body)
                {
                    await exchange.AnswerAsync(413, "text/plain", "the body is too large, or its framing is wrong"u8.ToArray(), close: true);
                    break;
                }

                exchange.Body = body;
                if (!Begin(exchange)) break;
                await handle(exchange);
                if (!Finish(exchange)) break;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client has left, or the server ends.
        }
        finally
        {
            await CloseAsync();
        }
    }

    /// <summary>
    /// Begins to notice the client's leaving. Called once a request waits for anything. A client that has sent its next request already is
    /// noticed at the next write only.
    /// </summary>
    public void Watch(Exchange exchange)
    {
        if (_start == _end) _watch ??= WatchAsync(exchange);
    }

    /// <summary>No further request; one that is under way is finished.</summary>
    public void EndWhenIdle()
    {
        lock (_access)
        {
            _endsWhenIdle = true;
            if (_current is not null) return;
        }

        End();
    }

    public void End()
    {
        _current?.Pause.End();
        Shutdown();
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var sent = await socket.SendAsync(bytes, SocketFlags.None);
            bytes = bytes[sent..];
        }
    }

    /// <summary>An orderly end: a socket that is disposed of while a receive is under way resets the connection.</summary>
    private async ValueTask CloseAsync()
    {
        Shutdown();
        if (_watch is not null) await _watch;
        socket.Dispose();
    }

    private void Shutdown()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client was faster, or a fault was.
        }
    }

    private bool Begin(Exchange exchange)
    {
        lock (_access)
        {
            _current = exchange;
            return !_endsWhenIdle;
        }
    }

    private bool Finish(Exchange exchange)
    {
        lock (_access)
        {
            _current = null;
            if (_endsWhenIdle) return false;
        }

        Output.Trim();
        Event.Trim();
        return exchange.KeepsAlive && !_isGone;
    }

    private async Task WatchAsync(Exchange exchange)
    {
        if (_end == _input.Length) Array.Resize(ref _input, _input.Length * 2);
        var received = 0;
        try
        {
            received = await socket.ReceiveAsync(_input.AsMemory(_end), SocketFlags.None);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A reset is a leaving too.
        }

        _end += received;
        if (received > 0) return;
        _isGone = true;
        exchange.Leave();
    }

    private async ValueTask<bool> ReceiveAsync()
    {
        if (_start == _end) _start = _end = 0;
        if (_end == _input.Length)
        {
            if (_start > 0)
            {
                Buffer.BlockCopy(_input, _start, _input, 0, _end - _start);
                _end -= _start;
                _start = 0;
            }
            else
            {
                Array.Resize(ref _input, _input.Length * 2);
            }
        }

        var received = await socket.ReceiveAsync(_input.AsMemory(_end), SocketFlags.None);
        _end += received;
        return received > 0;
    }

    private async ValueTask<RequestHead?> ReadHeadAsync()
    {
        if (_watch is { } watching)
        {
            // The receive that is under way is the one that brings the next request.
            _watch = null;
            await watching;
            if (_isGone) return null;
        }

        while (true)
        {
            var found = _input.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8);
            if (found > 0)
            {
                var head = RequestHead.Parse(_input.AsSpan(_start, found + 4));
                _start += found + 4;
                return head;
            }

            if (_end - _start > LongestHead || !await ReceiveAsync()) return null;
        }
    }

    /// <summary>Null when it is too large or no framing.</summary>
    private async ValueTask<ReadOnlyMemory<byte>?> ReadBodyAsync(RequestHead head)
    {
        if (head.ExpectsContinue && (head.IsChunked || head.ContentLength > 0)) await SendAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray());
        if (head.IsChunked) return await ReadChunksAsync();
        if (head.ContentLength > LongestBody) return null;
        if (head.ContentLength <= 0) return ReadOnlyMemory<byte>.Empty;
        var length = (int)head.ContentLength;
        if (_end - _start >= length)
        {
            // Not copied: what a watch receives goes behind it.
            _start += length;
            return _input.AsMemory(_start - length, length);
        }

        var body = new byte[length];
        var have = _end - _start;
        Buffer.BlockCopy(_input, _start, body, 0, have);
        _start = _end = 0;
        while (have < length)
        {
            var received = await socket.ReceiveAsync(body.AsMemory(have), SocketFlags.None);
            if (received == 0) throw new SocketException((int)SocketError.ConnectionReset);
            have += received;
        }

        return body;
    }

    private async ValueTask<ReadOnlyMemory<byte>?> ReadChunksAsync()
    {
        using var body = new MemoryStream();
        while (true)
        {
            var line = await ReadLineAsync();
            var text = Encoding.ASCII.GetString(line).Split(';')[0].Trim();
            if (!int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) || size < 0) return null;
            if (body.Length + size > LongestBody) return null;
            while (size > 0)
            {
                if (_start == _end && !await ReceiveAsync()) throw new SocketException((int)SocketError.ConnectionReset);
                var part = Math.Min(size, _end - _start);
                body.Write(_input, _start, part);
                _start += part;
                size -= part;
            }

            // The end of a chunk's data, or of the trailers.
            var ended = await ReadLineAsync();
            if (text.TrimStart('0').Length > 0) continue;
            while (ended.Length > 0) ended = await ReadLineAsync();
            return body.ToArray();
        }
    }

    private async ValueTask<byte[]> ReadLineAsync()
    {
        while (true)
        {
            var length = _input.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                _start += length + 2;
                return _input[(_start - length - 2)..(_start - 2)];
            }

            if (_end - _start > LongestHead || !await ReceiveAsync()) throw new SocketException((int)SocketError.ConnectionReset);
        }
    }
}
