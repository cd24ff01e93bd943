using Stoker.Platform;
using Stoker.Platform.Disks;

namespace Stoker.Tests.Streams.Log.Shared;

public enum DiskCall
{
    Open,
    CreateDirectory,
    Rename,
    Delete,
    SyncDirectory,
    Read,
    Write,
    Sync,
    Allocate,
    SetLength,
}

public enum DiskFault
{
    Full,
    Broken,

    /// <summary>A read or write does only a part of what it was asked, and no error is told.</summary>
    Partial,
    Interrupted,
}

/// <summary>
/// A disk in memory that loses what was not synced. Between two syncs it keeps every write; a power cut leaves of each, sector by sector, what chance decides, in any order,
/// and of names that were not synced the old or the new. Everything it is asked counts as a call, at any of which it can fail, or lose power.
/// </summary>
internal sealed class SimulatedDisk : IDisk
{
    private readonly Lock _access = new();
    private readonly Folder _root;
    private readonly HashSet<string> _locks = [];

    public SimulatedDisk()
        : this(new Folder())
    {
    }

    private SimulatedDisk(Folder root) => _root = root;

    /// <summary>Calls that change something, or could.</summary>
    public int Calls { get; private set; }

    /// <summary>How often a fault has come about.</summary>
    public int Faults { get; private set; }

    public Func<DiskCall, string, int, DiskFault?>? Fault { get; set; }

    /// <summary>The power goes before this call is done: nothing works any more.</summary>
    public Func<DiskCall, string, int, bool>? CutAt { get; set; }

    public bool IsDark { get; private set; }

    /// <summary>Bytes that files may have together.</summary>
    public long Room { get; set; } = long.MaxValue;

    /// <summary>A mutant: syncs of which this is true are not done, and succeed.</summary>
    public Func<DiskCall, string, bool>? ForgetsSync { get; set; }

    /// <summary>What is there when the power is back.</summary>
    public SimulatedDisk AfterPowerCut(Random random)
    {
        lock (_access)
        {
            IsDark = true;
            return new SimulatedDisk(_root.AfterPowerCut(random, random.Next(2) == 0 ? 512 : 4096, random.Next(4) / 3.0));
        }
    }

    /// <summary>As after a kill: what was written is seen, and what of it was not synced still is not.</summary>
    public SimulatedDisk AfterKill()
    {
        lock (_access)
        {
            IsDark = true;
            return new SimulatedDisk(_root.Copy());
        }
    }

    /// <summary>An own disk with the same content.</summary>
    public SimulatedDisk Copy()
    {
        lock (_access) return new SimulatedDisk(_root.Copy());
    }

    public byte[] Content(string path)
    {
        lock (_access) return [.. FileAt(path)!.Current];
    }

    public void SetContent(string path, byte[] bytes)
    {
        lock (_access)
        {
            if (FileAt(path) is { } file) (file.Current, file.Durable) = ([.. bytes], [.. bytes]);
            else FolderOf(path, out var name)!.Put(name, new Inode { Current = [.. bytes], Durable = [.. bytes] }, durable: true);
        }
    }

    public void Remove(string path)
    {
        lock (_access) FolderOf(path, out var name)!.Remove(name);
    }

    public IEnumerable<string> Files(string directory)
    {
        lock (_access) return [.. Walk(_root, "").Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal))];
    }

    public IDiskFile? Open(string path, DiskAccess access, out int error)
    {
        lock (_access)
        {
            error = access == DiskAccess.Create ? Begin(DiskCall.Open, path) : IsDark ? Errno.InputOutput : 0;
            if (error != 0) return null;
            if (FolderOf(path, out var name) is not { } folder)
            {
                error = Errno.NoEntry;
                return null;
            }

            var file = FileAt(path);
            if (file is null && access != DiskAccess.Create)
            {
                error = Errno.NoEntry;
                return null;
            }

            if (file is null) folder.Current[name] = file = new Inode();
            else if (access == DiskAccess.Create) file.SetLength(0);
            return new SimulatedFile(this, file, path);
        }
    }

    public int CreateDirectory(string path)
    {
        lock (_access)
        {
            var error = Begin(DiskCall.CreateDirectory, path);
            if (error != 0) return error;
            var at = _root;
            foreach (var part in Parts(path))
            {
                if (!at.Current.TryGetValue(part, out var next)) at.Current[part] = next = new Folder();
                at = (Folder)next;
            }

            return 0;
        }
    }

    public int Rename(string from, string to)
    {
        lock (_access)
        {
            var error = Begin(DiskCall.Rename, to);
            if (error != 0) return error;
            var source = FolderOf(from, out var oldName)!;
            var target = FolderOf(to, out var newName)!;
            if (!source.Current.Remove(oldName, out var moved)) return Errno.NoEntry;
            target.Current[newName] = moved;
            return 0;
        }
    }

    public int Delete(string path)
    {
        lock (_access)
        {
            var error = Begin(DiskCall.Delete, path);
            if (error == 0) FolderOf(path, out var name)?.Current.Remove(name);
            return error;
        }
    }

    public int DeleteTree(string path) => Delete(path);

    public int SyncDirectory(string path)
    {
        lock (_access)
        {
            var error = Begin(DiskCall.SyncDirectory, path);
            if (error == 0 && ForgetsSync?.Invoke(DiskCall.SyncDirectory, path) != true) FolderAt(path)!.Sync();
            return error;
        }
    }

    public IReadOnlyList<string>? List(string directory)
    {
        lock (_access) return FolderAt(directory)?.Current.Keys.Order(StringComparer.Ordinal).ToList();
    }

    public IDisposable? Lock(string path, string note, out string holder)
    {
        lock (_access)
        {
            holder = "1";
            return _locks.Add(path) ? new Held(() => _locks.Remove(path)) : null;
        }
    }

    /// <returns>0, or the error of a fault.</returns>
    internal int Begin(DiskCall call, string path) => Begin(call, path, out _);

    internal int Begin(DiskCall call, string path, out bool isShort)
    {
        isShort = false;
        if (IsDark) return Errno.InputOutput;
        var number = ++Calls;
        if (CutAt?.Invoke(call, path, number) == true)
        {
            IsDark = true;
            return Errno.InputOutput;
        }

        var fault = Fault?.Invoke(call, path, number);
        if (fault is not null) Faults++;
        isShort = fault == DiskFault.Partial;
        return fault switch
        {
            DiskFault.Full => Errno.NoSpace,
            DiskFault.Broken => Errno.InputOutput,
            DiskFault.Interrupted when call is DiskCall.Read or DiskCall.Write => Errno.Interrupted,
            _ => 0,
        };
    }

    internal bool HasRoomFor(long more) => more <= 0 || Walk(_root, "").Sum(path => (long)FileAt(path)!.Current.Length) + more <= Room;

    internal Lock Access => _access;

    private static string[] Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<string> Walk(Folder folder, string at) =>
        folder.Current.SelectMany(entry => entry.Value is Folder below ? Walk(below, $"{at}/{entry.Key}") : [$"{at}/{entry.Key}"]);

    private Folder? FolderAt(string path)
    {
        var at = _root;
        foreach (var part in Parts(path))
        {
            if (!at.Current.TryGetValue(part, out var next) || next is not Folder below) return null;
            at = below;
        }

        return at;
    }

    private Folder? FolderOf(string path, out string name)
    {
        name = Path.GetFileName(path);
        return FolderAt(Path.GetDirectoryName(path)!);
    }

    private Inode? FileAt(string path) => FolderOf(path, out var name) is { } folder && folder.Current.TryGetValue(name, out var found) ? found as Inode : null;

    private sealed class Held(Action release) : IDisposable
    {
        public void Dispose() => release();
    }
}
