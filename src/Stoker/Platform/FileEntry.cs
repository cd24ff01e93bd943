using System.Runtime.InteropServices;

namespace Stoker.Platform;

internal enum FileKind
{
    File,
    Directory,
    Link,
    Socket,
    Fifo,
    Device,
}

/// <summary>What the file system knows of a path.</summary>
/// <param name="Mode">Permissions, the lowest twelve bits.</param>
internal sealed unsafe record FileEntry(FileKind Kind, int Mode, uint User, uint Group, long Size)
{
    private const int TypeMask = 0xF000, Directory = 0x4000, Link = 0xA000, Socket = 0xC000, Fifo = 0x1000, Regular = 0x8000;

    /// <param name="follow">What a link leads to, and not the link.</param>
    /// <param name="why">Null when there is nothing there, else why nobody can tell.</param>
    public static FileEntry? Look(string path, bool follow, out string? why)
    {
        Libc.FileStatus status;
        why = null;
        if (Libc.Status(Libc.AtCurrentDirectory, path, follow ? 0 : Libc.NoFollow, Libc.BasicFields, &status) == 0)
        {
            var kind = (status.Mode & TypeMask) switch
            {
                Directory => FileKind.Directory,
                Link => FileKind.Link,
                Socket => FileKind.Socket,
                Fifo => FileKind.Fifo,
                Regular => FileKind.File,
                _ => FileKind.Device,
            };
            return new FileEntry(kind, status.Permissions, status.User, status.Group, (long)status.Size);
        }

        var error = Marshal.GetLastPInvokeError();
        if (error is not (Errno.NoEntry or Errno.NotDirectory)) why = Errno.Text(error);
        return null;
    }
}
