using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>Limits of one group; null leaves a limit as it is.</summary>
/// <param name="Cpus">Processors, 1.5 being one and a half.</param>
/// <param name="MemoryMax">Bytes; above it the kernel kills.</param>
/// <param name="MemoryHigh">Bytes; above it the kernel slows down and reclaims.</param>
/// <param name="CpuWeight">1 to 10000, 100 being the standard.</param>
internal sealed record CgroupLimits(
    double? Cpus = null, long? MemoryMax = null, long? MemoryHigh = null, long? ProcessesMax = null, int? CpuWeight = null)
{
    private const long PeriodMicroseconds = 100_000, ShortestQuota = 1_000;

    /// <summary>Which file takes which text, and which controller has the file.</summary>
    public IReadOnlyList<(string Controller, string File, string Value)> Writes()
    {
        var writes = new List<(string, string, string)>();
        if (Cpus is { } cpus)
        {
            var quota = Math.Max(ShortestQuota, (long)Math.Round(cpus * PeriodMicroseconds));
            writes.Add(("cpu", "cpu.max", $"{quota} {PeriodMicroseconds}"));
        }

        Add("cpu", "cpu.weight", CpuWeight);
        Add("memory", "memory.high", MemoryHigh);
        Add("memory", "memory.max", MemoryMax);
        Add("pids", "pids.max", ProcessesMax);
        return writes;

        void Add(string controller, string file, long? value)
        {
            if (value is { } number)
            {
                writes.Add((controller, file, number.ToString(CultureInfo.InvariantCulture)));
            }
        }
    }
}

/// <summary>One control group: what is in it is known, limited and killed together, whatever sessions and parents it takes.</summary>
internal sealed class Cgroup(string path)
{
    private const int MoveRounds = 20;

    public string Path { get; } = path;

    /// <summary>Does anything live in it or below it? False also when the group is gone.</summary>
    public bool IsPopulated => Counter("cgroup.events", "populated") == 1;

    /// <summary>Processes that the kernel has killed here for want of memory.</summary>
    public long OutOfMemoryKills => Counter("memory.events", "oom_kill") ?? 0;

    public long? MemoryBytes => long.TryParse(ProcFile.ReadText(File("memory.current")), out var bytes) ? bytes : null;

    /// <summary>Sets the limits; returns a sentence for each that is not in force and why. Empty: all are.</summary>
    public IReadOnlyList<string> Apply(CgroupLimits limits)
    {
        var problems = new List<string>();
        foreach (var (controller, file, value) in limits.Writes())
        {
            var error = TryWrite(File(file), value);
            if (error != 0)
            {
                problems.Add(error == Errno.NoEntry
                    ? $"{file} is not limited: the {controller} controller is not available to `{Path}`"
                    : $"{file} cannot be set to {value}: {Errno.Text(error)}");
            }
        }

        return problems;
    }

    /// <summary>
    /// Moves a process and all that it has forked already. What a member forks afterwards is born here. False when the
    /// process is gone.
    /// </summary>
    public bool Add(int pid)
    {
        if (!Move(pid))
        {
            return false;
        }

        // What it forks from now on is born inside. What it forked before is moved once each, also a child that has ended already.
        var moved = new HashSet<int>();
        for (var round = 0; round < MoveRounds; round++)
        {
            var children = ProcessTable.Children(pid).Where(moved.Add).ToList();
            if (children.Count == 0)
            {
                break;
            }

            children.ForEach(child => Add(child));
        }

        return true;
    }

    /// <summary>The pids in it and below it.</summary>
    public IReadOnlyList<int> Members()
    {
        var members = new List<int>();
        foreach (var word in Cgroups.Words(File("cgroup.procs")))
        {
            // 0 is a process of another pid namespace, which cannot be named here.
            if (int.TryParse(word, out var pid) && pid > 0)
            {
                members.Add(pid);
            }
        }

        foreach (var below in Below())
        {
            members.AddRange(below.Members());
        }

        return members;
    }

    /// <summary>SIGKILL to all, in one step where the kernel can (5.14), else until none is left. True when none is left.</summary>
    public bool Kill()
    {
        if (TryWrite(File("cgroup.kill"), "1") == 0)
        {
            return true;
        }

        for (var round = 0; round < MoveRounds; round++)
        {
            var members = Members();
            if (members.Count == 0)
            {
                return true;
            }

            foreach (var pid in members)
            {
                if (ProcessTable.Find(pid) is { } entry)
                {
                    _ = ProcessTree.Kill([new ProcessId(pid, entry.StartTicks)], Signals.Kill);
                }
            }

            Thread.Sleep(1);
        }

        return false;
    }

    /// <summary>Removes it and the empty groups below it; false when something still runs there.</summary>
    public bool TryRemove()
    {
        foreach (var below in Below())
        {
            below.TryRemove();
        }

        try
        {
            Directory.Delete(Path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>One write, as the kernel wants it. 0, or the error.</summary>
    internal static unsafe int TryWrite(string path, string value)
    {
        var descriptor = Libc.Open(path, Libc.WriteOnly | Libc.CloseOnExec);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        var bytes = Encoding.UTF8.GetBytes(value);
        fixed (byte* start = bytes)
        {
            var error = Libc.Write(descriptor, start, bytes.Length) < 0 ? Marshal.GetLastPInvokeError() : 0;
            _ = Libc.Close(descriptor);
            return error;
        }
    }

    private bool Move(int pid)
    {
        var error = TryWrite(File("cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture));
        return error switch
        {
            0 => true,
            Errno.NoSuchProcess => false,
            _ => throw Errno.Failed($"cannot move pid {pid} to the control group `{Path}`", error),
        };
    }

    private IEnumerable<Cgroup> Below()
    {
        try
        {
            return [.. Directory.EnumerateDirectories(Path).Select(path => new Cgroup(path))];
        }
        catch (IOException)
        {
            // Removed meanwhile.
            return [];
        }
    }

    private long? Counter(string file, string name)
    {
        var words = Cgroups.Words(File(file));
        var index = Array.IndexOf(words, name);
        return index >= 0 && index + 1 < words.Length && long.TryParse(words[index + 1], out var value) ? value : null;
    }

    private string File(string name) => System.IO.Path.Combine(Path, name);
}
