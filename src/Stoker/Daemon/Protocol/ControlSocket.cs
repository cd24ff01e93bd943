using System.Net.Sockets;
using System.Text;
using Stoker.Platform;

namespace Stoker.Daemon.Protocol;

/// <summary>
/// The address of the control socket, or of another one beside it. A Unix socket address holds 107 bytes of path; a state directory may be deeper, and is
/// then reached through an open handle of it, for listening and for connecting alike.
/// </summary>
internal sealed class ControlSocket : IDisposable
{
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
    public static ControlSocket? Of(StateDirectory state) => Of(state, state.ControlSocket);

    /// <param name="socket">Path of a socket in the state directory itself.</param>
    public static ControlSocket? Of(StateDirectory state, string socket)
    {
        if (Encoding.UTF8.GetByteCount(socket) <= UnixConversation.LongestPath) return new ControlSocket(socket, null);
        return DirectoryHandle.Open(state.Path, out _) is { } directory
            ? new ControlSocket(directory.PathOf(System.IO.Path.GetFileName(socket)), directory)
            : null;
    }

    public void Dispose() => _directory?.Dispose();
}
