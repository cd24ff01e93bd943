using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// The door to the file system. Private by default: files 0600, directories 0700, whatever the umask. What cannot be done
/// throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> with the path in the message.
/// </summary>
internal static class Files
{
    public const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const UnixFileMode PrivateDirectory = PrivateFile | UnixFileMode.UserExecute;

    /// <summary>
    /// All or nothing, also across a power cut: a temporary file beside it, fsync, rename, fsync of the directory. Readers
    /// see the old content or the new.
    /// </summary>
    public static void AtomicWrite(string path, ReadOnlySpan<byte> content, UnixFileMode mode = PrivateFile)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        try
        {
            using (var file = new FileStream(temporary, Exclusively(mode)))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            // The umask may have taken bits away at the creation.
            File.SetUnixFileMode(temporary, mode);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        SyncDirectory(directory);
    }

    public static void AtomicWrite(string path, string content, UnixFileMode mode = PrivateFile) =>
        AtomicWrite(path, Encoding.UTF8.GetBytes(content), mode);

    /// <summary>All or nothing for readers and across a kill, but not across a power cut: for what is worthless after one.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content, UnixFileMode mode = PrivateFile)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = mode }))
        {
            file.Write(content);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>An empty file, where there is none yet. It is never open here: closing it would drop what locks this process has on it by then.</summary>
    public static void CreateEmpty(string path, UnixFileMode mode = PrivateFile)
    {
        var error = SystemCalls.MakeFile(path, mode);
        if (error is not (0 or Errno.Exists)) throw Errno.Failed($"cannot make `{path}`", error);
    }

    public static byte[] ReadAllBytes(string path)
    {
        using var file = OpenRead(path);
        using var content = new MemoryStream((int)Math.Min(file.Length, int.MaxValue));
        file.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>UTF-8, with or without its mark; what is no UTF-8 becomes replacement characters.</summary>
    public static string ReadAllText(string path)
    {
        using var reader = new StreamReader(OpenRead(path), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Null when there is no such file; every other failure throws.</summary>
    public static byte[]? ReadIfPresent(string path)
    {
        try
        {
            return ReadAllBytes(path);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The end of a file, at most so many bytes.</summary>
    public static byte[] ReadTail(string path, int bytes)
    {
        using var file = OpenRead(path);
        file.Seek(Math.Max(0, file.Length - bytes), SeekOrigin.Begin);
        var tail = new byte[Math.Min(file.Length, bytes)];
        return tail[..file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false)];
    }

    /// <summary>Unbuffered. Unlike the framework's own it takes no lock, and so reads what another process has locked.</summary>
    public static FileStream OpenRead(string path) => new(Open(path, Libc.ReadOnly, 0), FileAccess.Read, bufferSize: 0);

    /// <summary>Unbuffered; each write goes to the end, wherever that is then, also with several writers.</summary>
    public static FileStream OpenAppend(string path, UnixFileMode mode = PrivateFile) =>
        new(Open(path, Libc.WriteOnly | Libc.Append | Libc.Create, (int)mode), FileAccess.Write, bufferSize: 0);

    /// <summary>To the end of a file, which is made where it is not there; on the disk when it returns, perhaps cut off where it throws.</summary>
    public static void AppendDurably(string path, ReadOnlySpan<byte> content)
    {
        using (var file = OpenAppend(path))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Is there a file of any kind that is not a directory?</summary>
    public static bool Exists(string path) => File.Exists(path);

    public static bool DirectoryExists(string path) => Directory.Exists(path);

    public static long Length(string path) => new FileInfo(path).Length;

    public static DateTimeOffset ModifiedAt(string path) => new(File.GetLastWriteTimeUtc(path), TimeSpan.Zero);

    /// <summary>Null: it is not there.</summary>
    public static DateTimeOffset? ModifiedAtIfPresent(string path) => File.Exists(path) ? ModifiedAt(path) : null;

    public static UnixFileMode Mode(string path) => File.GetUnixFileMode(path);

    public static void SetMode(string path, UnixFileMode mode) => File.SetUnixFileMode(path, mode);

    public static void SetOwner(string path, uint user, uint group)
    {
        var descriptor = Libc.Open(path, Libc.ReadOnly | Libc.CloseOnExec);
        if (descriptor < 0) throw Errno.LastFailed($"cannot open `{path}`");
        var error = Libc.ChangeOwner(descriptor, user, group) < 0 ? Marshal.GetLastPInvokeError() : 0;
        _ = Libc.Close(descriptor);
        if (error != 0) throw Errno.Failed($"cannot give `{path}` to user {user}", error);
    }

    /// <summary>With its parents; those that are there keep their mode.</summary>
    public static void CreateDirectory(string path, UnixFileMode mode = PrivateDirectory) => Directory.CreateDirectory(path, mode);

    /// <summary>A file, a link, a FIFO or a socket; nothing happens when it is not there.</summary>
    public static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Not there, and neither is its directory.
        }
    }

    /// <summary>A directory with all that is in it; nothing happens when it is not there. Links are removed, not followed.</summary>
    public static void DeleteTree(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>An empty directory; a full one throws.</summary>
    public static void DeleteDirectory(string path) => Directory.Delete(path, recursive: false);

    /// <summary>Names in a directory, of any kind, in ordinal order.</summary>
    public static IReadOnlyList<string> Names(string directory) =>
        [.. Directory.EnumerateFileSystemEntries(directory).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];

    /// <summary>A symbolic link, in place of whatever file or link is there.</summary>
    public static void MakeLink(string path, string target)
    {
        var temporary = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        File.CreateSymbolicLink(temporary, target);
        File.Move(temporary, path, overwrite: true);
    }

    public static void Move(string from, string to) => File.Move(from, to, overwrite: true);

    /// <summary>Full paths of the files in a directory, in ordinal order; none when it is not there.</summary>
    public static IReadOnlyList<string> List(string directory, string pattern = "*") =>
        Directory.Exists(directory) ? [.. Directory.EnumerateFiles(directory, pattern).Order(StringComparer.Ordinal)] : [];

    public static IReadOnlyList<string> ListDirectories(string directory) =>
        Directory.Exists(directory) ? [.. Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal)] : [];

    /// <summary>Where a chain of links ends; the path itself where it is none or leads nowhere.</summary>
    public static string ResolveLinks(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    /// <summary>What a link says, as it was written; null for what is none.</summary>
    public static string? LinkTarget(string path) => new FileInfo(path).LinkTarget;

    /// <summary>A named pipe; one that is there already is kept.</summary>
    public static void MakeFifo(string path, UnixFileMode mode = PrivateFile)
    {
        if (Libc.MakeFifo(path, (uint)mode) < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Errno.Exists || !IsFifo(path))
            {
                throw Errno.Failed($"cannot make the FIFO `{path}`", error);
            }
        }
        else
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    /// <summary>Makes the names in a directory durable; a rename or a new file is not before.</summary>
    public static void SyncDirectory(string path)
    {
        var descriptor = Libc.Open(path, Libc.ReadOnly | Libc.CloseOnExec);
        if (descriptor < 0)
        {
            throw Errno.LastFailed($"cannot open the directory `{path}`");
        }

        var error = Libc.Sync(descriptor) < 0 ? Marshal.GetLastPInvokeError() : 0;
        _ = Libc.Close(descriptor);

        // Some network and overlay file systems cannot sync a directory, and say so with EINVAL.
        if (error is not (0 or Errno.Invalid))
        {
            throw Errno.Failed($"cannot sync the directory `{path}`", error);
        }
    }

    private static SafeFileHandle Open(string path, int flags, int mode)
    {
        var descriptor = Libc.Open(path, flags | Libc.CloseOnExec, mode);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw (Marshal.GetLastPInvokeError() switch
        {
            Errno.NoEntry when Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))) =>
                new FileNotFoundException($"`{path}` does not exist", path),
            Errno.NoEntry or Errno.NotDirectory => new DirectoryNotFoundException($"the directory of `{path}` does not exist"),
            Errno.AccessDenied or Errno.NotPermitted => new UnauthorizedAccessException($"`{path}` may not be opened"),
            var error => Errno.Failed($"cannot open `{path}`", error),
        });
    }

    private static unsafe bool IsFifo(string path)
    {
        Libc.FileStatus status;
        return Libc.Status(Libc.AtCurrentDirectory, path, Libc.NoFollow, Libc.BasicFields, &status) == 0 && status.IsFifo;
    }

    private static FileStreamOptions Exclusively(UnixFileMode mode) =>
        new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0, UnixCreateMode = mode };
}
