using System.Net;
using System.Net.Sockets;

namespace Stoker.Drills.Streams;

/// <summary>Passes connections on to a server of this machine, and cuts, holds or refuses them when told.</summary>
internal sealed class CuttingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly List<TcpClient> _open = [];
    private readonly int _target;
    private TaskCompletionSource _flowing = Flowing();

    public CuttingRelay(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>New connections are closed at once, and the open ones now.</summary>
    public bool IsAway
    {
        get;
        set
        {
            lock (_open)
            {
                field = value;
                if (value) Cut();
            }
        }
    }

    /// <summary>The server's next answer does not arrive: the connection is cut in its place.</summary>
    public bool CutsAnswer { get; set; }

    /// <summary>Nothing that the server says is passed on until <see cref="Release"/>.</summary>
    public void Hold() => _flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _flowing.TrySetResult();

    public void Dispose()
    {
        _end.Cancel();
        Release();
        _listener.Dispose();
        Cut();
        _end.Dispose();
    }

    private static TaskCompletionSource Flowing()
    {
        var flowing = new TaskCompletionSource();
        flowing.SetResult();
        return flowing;
    }

    private void Cut()
    {
        lock (_open)
        {
            foreach (var client in _open) client.Dispose();
            _open.Clear();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = RelayAsync(client);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient();
        try
        {
            lock (_open)
            {
                // Not after all have been cut.
                if (IsAway) return;
                _open.AddRange([client, server]);
            }

            await server.ConnectAsync(IPAddress.Loopback, _target);
            await Task.WhenAny(PassAsync(client.GetStream(), server.GetStream(), isAnswer: false), PassAsync(server.GetStream(), client.GetStream(), isAnswer: true));
        }
        catch (Exception ended) when (ended is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
        }
        finally
        {
            client.Dispose();
            lock (_open) _open.RemoveAll(one => one == client || one == server);
        }
    }

    private async Task PassAsync(NetworkStream from, NetworkStream to, bool isAnswer)
    {
        try
        {
            var buffer = new byte[64 * 1024];
            while (await from.ReadAsync(buffer, _end.Token) is > 0 and var read)
            {
                if (isAnswer)
                {
                    await _flowing.Task;
                    if (CutsAnswer)
                    {
                        CutsAnswer = false;
                        return;
                    }
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }
}
