namespace Stoker.Platform;

/// <summary>The files of this machine.</summary>
internal sealed class SystemTree : ISystemTree
{
    public TreeFile Read(string path) => ProcFile.ReadAll(path, out var bytes) switch
    {
        0 => new TreeFile.Found(bytes),
        Errno.NoEntry or Errno.NotDirectory or Errno.NoDevice => new TreeFile.Absent(),
        Errno.AccessDenied or Errno.NotPermitted when !HostEnvironment.IsRoot => new TreeFile.Refused("may not be read without root"),
        var error => new TreeFile.Refused($"cannot be read: {Errno.Text(error)}"),
    };

    public IReadOnlyList<string> List(string directory)
    {
        try
        {
            var names = new List<string>();
            foreach (var entry in Directory.EnumerateFileSystemEntries(directory)) names.Add(Path.GetFileName(entry));
            names.Sort(StringComparer.Ordinal);
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public string? Follow(string path) => Libc.RealPath(path);
}
