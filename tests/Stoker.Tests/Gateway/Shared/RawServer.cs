using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Stoker.Tests.Gateway.Shared;

/// <summary>A server whose every byte the test says. Each connection is served by the script, in turn or at once.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly ConcurrentBag<RawPeer> _peers = [];
    private readonly Task _accepting;
    private int _connections;

    /// <param name="at">Null: on a port that is free.</param>
    public RawServer(Func<RawPeer, Task> script, IPEndPoint? at = null)
    {
        _listener = new TcpListener(at ?? new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Start();
        _accepting = AcceptAsync(script);
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Answers every request with the same bytes and keeps the connection.</summary>
    public static RawServer Saying(string answer, IPEndPoint? at = null) => new(
        async peer =>
        {
            while (await peer.ReadRequestAsync() is not null) await peer.SendAsync(answer);
        },
        at);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        // First: one may have been accepted in this moment, under load.
        await _accepting;
        foreach (var peer in _peers) peer.Dispose();
        await Task.WhenAll(_serving);
        _listener.Dispose();
    }

    private async Task AcceptAsync(Func<RawPeer, Task> script)
    {
        try
        {
            while (true)
            {
                var peer = new RawPeer(await _listener.AcceptSocketAsync(), Interlocked.Increment(ref _connections));
                _peers.Add(peer);
                _serving.Add(ServeAsync(script, peer));
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private static async Task ServeAsync(Func<RawPeer, Task> script, RawPeer peer)
    {
        using (peer)
        {
            try
            {
                await script(peer);
            }
            catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
            {
                // The other side is gone, which some scripts wait for and others do not care about.
            }
        }
    }
}

/// <summary>The server's end of one connection.</summary>
/// <param name="number">From 1 on, in the order they came.</param>
internal sealed class RawPeer(Socket socket, int number) : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<byte> _heard = [];

    public int Number => number;

    public Socket Socket => socket;

    /// <summary>The next request, head and body; null at the end of the connection.</summary>
    public async Task<string?> ReadRequestAsync()
    {
        while (true)
        {
            var text = Encoding.Latin1.GetString(_heard.ToArray());
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0 && _heard.Count >= end + 4 + LengthIn(text[..end]))
            {
                var whole = end + 4 + LengthIn(text[..end]);
                var request = Encoding.UTF8.GetString(_heard.GetRange(0, whole).ToArray());
                _heard.RemoveRange(0, whole);
                return request;
            }

            if (!await HearAsync()) return null;
        }
    }

    public async Task SendAsync(string text) => await socket.SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(byte[] bytes) => await socket.SendAsync(bytes);

    /// <summary>Waits until the other side has left, by a close or by a reset.</summary>
    public async Task LeftAsync()
    {
        try
        {
            while (await HearAsync())
            {
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // That is how the gateway leaves.
        }
    }

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();

    private async Task<bool> HearAsync()
    {
        var count = await socket.ReceiveAsync(_buffer);
        _heard.AddRange(_buffer.AsSpan(0, count));
        return count > 0;
    }

    private static int LengthIn(string head)
    {
        var line = head.Split("\r\n").FirstOrDefault(one => one.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase));
        return line is null ? 0 : int.Parse(line["content-length:".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
