using System.Runtime.InteropServices;

namespace Stoker.Platform.Disks;

/// <summary>The machine's own file systems. Private: files 0600, directories 0700.</summary>
internal sealed class Disk : IDisk
{
    private const int PrivateFile = 0x180, EmptyIt = 0x200;

    public static Disk Instance { get; } = new();

    public IDiskFile? Open(string path, DiskAccess access, out int error)
    {
        var flags = access switch
        {
            DiskAccess.Read => Libc.ReadOnly,
            DiskAccess.ReadWrite => Libc.ReadWrite,
            DiskAccess.Create => Libc.ReadWrite | Libc.Create | EmptyIt,
        };
        var descriptor = Libc.Open(path, flags | Libc.CloseOnExec, PrivateFile);
        error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return descriptor < 0 ? null : new DiskFile(descriptor);
    }

    public int CreateDirectory(string path) => Attempt(() => Files.CreateDirectory(path));

    public int Rename(string from, string to) => Result(Libc.Rename(from, to));

    public int Delete(string path) => Result(Libc.Unlink(path)) is var error && error == Errno.NoEntry ? 0 : error;

    public int DeleteTree(string path) => Attempt(() => Files.DeleteTree(path));

    public int SyncDirectory(string path) => Attempt(() => Files.SyncDirectory(path));

    public IReadOnlyList<string>? List(string directory) => !Files.DirectoryExists(directory)
        ? null
        : [.. Files.List(directory).Concat(Files.ListDirectories(directory)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public IDisposable? Lock(string path, string note, out string holder) => FileLock.TryTake(path, note, out holder);

    private static int Result(int returned) => returned < 0 ? Marshal.GetLastPInvokeError() : 0;

    private static int Attempt(Action call)
    {
        try
        {
            call();
            return 0;
        }
        catch (UnauthorizedAccessException)
        {
            return Errno.AccessDenied;
        }
        catch (DirectoryNotFoundException)
        {
            return Errno.NoEntry;
        }
        catch (IOException e)
        {
            // The framework gives the errno here where it has no number of its own for it.
            return e.HResult is > 0 and < 4096 ? e.HResult : Errno.InputOutput;
        }
    }
}
