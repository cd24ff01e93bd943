using Stoker.Daemon.Protocol;
using Stoker.Http;
using Stoker.Platform;
using Stoker.Platform.Loops;

namespace Stoker.Daemon;

/// <summary>
/// The control socket: HTTP and JSON over a Unix socket that only its owner may open (0600 in a directory of 0700). The paths are in
/// <see cref="ControlRoutes"/>, each capability maps its own. Between hosts the same paths will be served over mTLS.
/// </summary>
internal sealed class ControlServer : IAsyncDisposable
{
    /// <summary>How long answers that are under way have when the daemon ends.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly RunningDaemon _daemon;
    private readonly ControlSocket _socket;
    private readonly LoopListener _listener;
    private readonly ServerConnections _connections;
    private bool _disposed;

    private ControlServer(RunningDaemon daemon, ControlSocket socket)
    {
        (_daemon, _socket) = (daemon, socket);
        _connections = new ServerConnections(Events);
        Routes = new ControlTable();
        DaemonEndpoints.Map(Routes, daemon);
        ServiceEndpoints.Map(Routes, daemon);
        StreamEndpoints.Map(Routes, daemon);
        ModelEndpoints.Map(Routes, daemon);
        GpuEndpoints.Map(Routes, daemon);
        // The lock is held: a socket file that is there belongs to a daemon that was killed.
        Files.Delete(daemon.Options.State.ControlSocket);
        _listener = LoopListener.Listen(socket.Path, [Events], Accept, problem => daemon.Doors.Journal.Write("control_socket", problem));
        Files.SetMode(daemon.Options.State.ControlSocket, Files.PrivateFile);
    }

    public ControlTable Routes { get; }

    public EventLoop Events { get; } = new("control");

    /// <exception cref="IOException">The socket cannot be listened on.</exception>
    public static ControlServer Start(RunningDaemon daemon) =>
        new(daemon, ControlSocket.Of(daemon.Options.State) ?? throw new IOException($"the state directory {daemon.Options.State.Path} cannot be entered"));

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        _listener.Dispose();
        await Task.WhenAny(_connections.DrainAsync(), Task.Delay(Patience));
        Events.Dispose();
        Files.Delete(_daemon.Options.State.ControlSocket);
        _socket.Dispose();
    }

    /// <summary>A bug that no caller can be told of any more.</summary>
    internal void Report(Exception bug) => _daemon.Doors.Journal.Write("control_failed", $"a request to the control socket ended with a bug of Stoker's: {bug}");

    private void Accept(LoopSocket socket) => _connections.Add(new ControlConnection(this, socket));
}
