using System.Net.Sockets;
using System.Text;
using Stoker.Platform;

namespace Stoker.Daemon.Protocol;

/// <summary>
/// The address of the control socket. A Unix socket address holds 107 bytes of path; a state directory may be deeper, and is
/// then reached through an open handle of it, for listening and for connecting alike.
/// </summary>
internal sealed class ControlSocket : IDisposable
{
    /// <summary>sun_path is 108 bytes with its final NUL.</summary>
    private const int LongestPath = 107;

    private readonly DirectoryHandle? _directory;

    private ControlSocket(string path, DirectoryHandle? directory)
    {
        Path = path;
        _directory = directory;
    }

    /// <summary>A path that fits a socket address. Valid until this is disposed.</summary>
    public string Path { get; }

    public UnixDomainSocketEndPoint EndPoint => new(Path);

    /// <summary>Null when the state directory is not there or may not be entered.</summary>
    public static ControlSocket? Of(StateDirectory state)
    {
        if (Encoding.UTF8.GetByteCount(state.ControlSocket) <= LongestPath) return new ControlSocket(state.ControlSocket, null);
        return DirectoryHandle.Open(state.Path, out _) is { } directory
            ? new ControlSocket(directory.PathOf("control.sock"), directory)
            : null;
    }

    public void Dispose() => _directory?.Dispose();
}
