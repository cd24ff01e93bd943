using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>The processes of this machine, as /proc shows them.</summary>
internal static unsafe class ProcessTable
{
    private const int DirectoryBuffer = 32 * 1024, StatBuffer = 1024, PathBuffer = 32, EmptyEnvironmentReads = 5;
    private const int LengthOffset = 16, NameOffset = 19;

    [ThreadStatic]
    private static byte[]? _pooled;

    /// <summary>
    /// Every process that is there from beginning to end of the walk; those that come or go meanwhile may or may not be in it.
    /// About 10 µs a process, no allocation but the entries and their names.
    /// </summary>
    public static ProcessSnapshot Take()
    {
        var buffer = _pooled ??= GC.AllocateUninitializedArray<byte>(DirectoryBuffer + StatBuffer + PathBuffer);
        var directory = Libc.Open("/proc", Libc.ReadOnly | Libc.CloseOnExec);
        if (directory < 0)
        {
            throw Errno.LastFailed("cannot read /proc");
        }

        var entries = new List<ProcessEntry>(256);
        try
        {
            fixed (byte* start = buffer)
            {
                int length;
                while ((length = SystemCalls.ReadDirectory(directory, start, DirectoryBuffer)) > 0)
                {
                    for (var offset = 0; offset < length; offset += *(ushort*)(start + offset + LengthOffset))
                    {
                        AddEntry(entries, directory, start + offset + NameOffset, start + DirectoryBuffer);
                    }
                }
            }
        }
        finally
        {
            _ = Libc.Close(directory);
        }

        return new ProcessSnapshot(entries);
    }

    /// <summary>One process now; null when there is none with this pid.</summary>
    public static ProcessEntry? Find(int pid) => ProcessEntry.Read(pid);

    /// <summary>
    /// The newest pid (or thread id) of this pid namespace: <c>0.05 0.02 0.01 1/213 18637</c>. Twice the same means that
    /// nothing was forked in between.
    /// </summary>
    public static long LastPid()
    {
        var buffer = stackalloc byte[128];
        var text = new ReadOnlySpan<byte>(buffer, Math.Max(ProcFile.Read("/proc/loadavg", buffer, 128), 0)).TrimEnd((byte)'\n');
        return Utf8Parser.TryParse(text[(text.LastIndexOf((byte)' ') + 1)..], out long pid, out _) ? pid : -1;
    }

    /// <summary>
    /// The value of a variable in the environment the process was started with; null where there is none, or it may not be
    /// read. Programs that write a title over their arguments (nginx, PostgreSQL) may have overwritten it.
    /// </summary>
    public static string? EnvironmentVariable(int pid, string name)
    {
        var block = ProcFile.ReadAll($"/proc/{pid}/environ");
        for (var attempt = 0; block is { Length: 0 } && attempt < EmptyEnvironmentReads; attempt++)
        {
            // For a moment in the middle of execve the new program has no environment yet.
            Thread.SpinWait(2000);
            block = ProcFile.ReadAll($"/proc/{pid}/environ");
        }

        if (block is null)
        {
            return null;
        }

        var marker = Encoding.UTF8.GetBytes(name + "=");
        ReadOnlySpan<byte> rest = block;
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)0);
            var variable = end < 0 ? rest : rest[..end];
            if (variable.StartsWith(marker))
            {
                return Encoding.UTF8.GetString(variable[marker.Length..]);
            }

            rest = end < 0 ? default : rest[(end + 1)..];
        }

        return null;
    }

    /// <summary>The children of a process whose main thread forked them, without a look at all processes.</summary>
    public static IReadOnlyList<int> Children(int pid) =>
        [.. (ProcFile.ReadText($"/proc/{pid}/task/{pid}/children") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    /// <summary>The arguments it was started with, as it left them; empty for kernel threads, zombies and the gone.</summary>
    public static IReadOnlyList<string> CommandLine(int pid) =>
        ProcFile.ReadText($"/proc/{pid}/cmdline") is { Length: > 0 } text ? text.TrimEnd('\0').Split('\0') : [];

    private static void AddEntry(List<ProcessEntry> entries, int directory, byte* name, byte* scratch)
    {
        if (*name is < (byte)'1' or > (byte)'9')
        {
            return;
        }

        var digits = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        var path = new Span<byte>(scratch + StatBuffer, PathBuffer);
        digits.CopyTo(path);
        "/stat\0"u8.CopyTo(path[digits.Length..]);
        var length = ProcFile.ReadAt(directory, scratch + StatBuffer, scratch, StatBuffer);
        if (length > 0 && ProcessEntry.TryParse(new ReadOnlySpan<byte>(scratch, length), out var entry, out _))
        {
            entries.Add(entry);
        }
    }
}
