using System.Net;
using System.Net.Sockets;

namespace Stoker.Models.Simulator.Wire;

/// <summary>Listens, and keeps the connections that it accepted so that it can end them.</summary>
internal sealed class WireServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly Func<Exchange, ValueTask> _handle;
    private readonly TimeProvider _clock;
    private readonly HashSet<Connection> _connections = [];
    private readonly Lock _access = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _accepting = Task.CompletedTask;
    private bool _ends;

    private WireServer(Socket listener, Func<Exchange, ValueTask> handle, TimeProvider clock)
    {
        _listener = listener;
        _handle = handle;
        _clock = clock;
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    /// <exception cref="IOException">It cannot listen there.</exception>
    public static WireServer Start(IPEndPoint where, Func<Exchange, ValueTask> handle, TimeProvider clock)
    {
        const int socketLevel = 1, reuseAddress = 2;
        var socket = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Only SO_REUSEADDR: .NET's own ReuseAddress adds SO_REUSEPORT, and two servers on one port would both "work".
            socket.SetRawSocketOption(socketLevel, reuseAddress, [1, 0, 0, 0]);
            if (where.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = where.Address.Equals(IPAddress.IPv6Any);
            socket.Bind(where);
            socket.Listen(4096);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"cannot listen on {where}: {e.Message}", e);
        }

        var server = new WireServer(socket, handle, clock);
        server._accepting = server.AcceptAsync();
        return server;
    }

    /// <summary>Accepts no more, lets what is under way come to its end, and ends the rest when the patience is over.</summary>
    public async Task StopAsync(TimeSpan grace, CancellationToken impatient)
    {
        List<Connection> open;
        lock (_access)
        {
            _ends = true;
            open = [.. _connections];
            if (open.Count == 0) _empty.TrySetResult();
        }

        _listener.Dispose();
        foreach (var connection in open) connection.EndWhenIdle();
        try
        {
            await _empty.Task.WaitAsync(grace, _clock, impatient);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            lock (_access) open = [.. _connections];
            foreach (var connection in open) connection.End();
        }

        await _accepting;
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero, CancellationToken.None);

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var socket = await _listener.AcceptAsync();
                socket.NoDelay = true;
                Serve(socket);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException) when (_ends)
            {
                return;
            }
            catch (SocketException)
            {
                // The peer was gone before it was accepted, or there are too many open files: the next one may do.
                await Task.Yield();
            }
        }
    }

    private void Serve(Socket socket)
    {
        var connection = new Connection(socket, _handle, _clock);
        lock (_access)
        {
            if (_ends)
            {
                socket.Dispose();
                return;
            }

            _connections.Add(connection);
        }

        _ = RunAsync(connection);
    }

    private async Task RunAsync(Connection connection)
    {
        await connection.RunAsync();
        lock (_access)
        {
            _connections.Remove(connection);
            if (_ends && _connections.Count == 0) _empty.TrySetResult();
        }
    }
}
