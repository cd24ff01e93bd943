namespace Stoker.Platform;

/// <summary>Finds programs as a shell would.</summary>
internal static unsafe class Executables
{
    /// <summary>Where programs are looked for when no PATH is set.</summary>
    public const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>
    /// The absolute path of a program; null when there is none that may be executed. A command with a slash is taken from the
    /// working directory, any other is looked for along the path, where an empty entry is the working directory.
    /// </summary>
    public static string? Find(string command, string? path, string workingDirectory)
    {
        if (command.Length == 0)
        {
            return null;
        }

        if (command.Contains('/'))
        {
            var named = Path.GetFullPath(command, workingDirectory);
            return IsExecutable(named) ? named : null;
        }

        foreach (var entry in (string.IsNullOrEmpty(path) ? DefaultPath : path).Split(':'))
        {
            var candidate = Path.GetFullPath(Path.Combine(entry, command), workingDirectory);
            if (IsExecutable(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    private static bool IsExecutable(string path)
    {
        Libc.FileStatus status;
        return Libc.Status(Libc.AtCurrentDirectory, path, 0, Libc.BasicFields, &status) == 0 && status.IsRegular
            && Libc.Access(path, Libc.MayExecute) == 0;
    }
}
