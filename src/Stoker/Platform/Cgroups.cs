namespace Stoker.Platform;

/// <summary>May this daemon limit and track its children by control groups?</summary>
internal abstract record CgroupSupport
{
    private CgroupSupport()
    {
    }

    /// <param name="Controllers">What limits may be set: of <c>cpu memory pids io cpuset</c>. May be empty: tracking and killing still work.</param>
    /// <param name="Missing">Why a controller that one would expect is not there; empty when all are.</param>
    internal sealed record Available(CgroupTree Tree, IReadOnlySet<string> Controllers, string Missing) : CgroupSupport;

    internal sealed record Unavailable(string Reason) : CgroupSupport;
}

/// <summary>
/// Control groups, version 2: where this daemon may make its own.
/// </summary>
/// <remarks>
/// <code>
/// &lt;base&gt;                      the daemon's own group (systemd: Delegate=yes), or the root of the hierarchy
/// ├─ stoker-daemon            the daemon, moved here, because a group with controllers below it may hold no process
/// └─ stoker.ESTATE            one per estate
///    └─ SERVICE               one per service or replica
/// </code>
/// Machines that mount version 1 beside it (at /sys/fs/cgroup/unified) have no controllers here, and tracking only.
/// </remarks>
internal static class Cgroups
{
    private const string DaemonLeaf = "stoker-daemon";
    private static readonly string[] Wanted = ["cpu", "memory", "pids", "io", "cpuset"];

    /// <summary>Finds the place, makes the estate's group and enables what controllers it may.</summary>
    public static CgroupSupport Open(string estate)
    {
        if (FindPlace(out var place) is { } unavailable)
        {
            return unavailable;
        }

        try
        {
            var tree = new CgroupTree(Path.Combine(place, "stoker." + estate));
            Directory.CreateDirectory(tree.Path);
            var missing = EnableControllers(place, tree.Path);
            return new CgroupSupport.Available(tree, Words(Path.Combine(tree.Path, "cgroup.subtree_control")).ToHashSet(), missing);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new CgroupSupport.Unavailable($"no control group can be made in `{place}`: {refused.Message}");
        }
    }

    /// <summary>The same, judged without making or changing anything: for a plan before there is a daemon.</summary>
    public static CgroupSupport Look()
    {
        if (FindPlace(out var place) is { } unavailable)
        {
            return unavailable;
        }

        var offered = Words(Path.Combine(place, "cgroup.controllers")).Intersect(Wanted).ToHashSet();
        return new CgroupSupport.Available(new CgroupTree(place), offered, Absent(place, offered));
    }

    private static CgroupSupport.Unavailable? FindPlace(out string place)
    {
        place = "";
        if (FindMount(ProcFile.ReadText("/proc/self/mountinfo") ?? "") is not { } mount)
        {
            return new CgroupSupport.Unavailable("cgroup version 2 is not mounted on this host");
        }

        if (OwnGroup(ProcFile.ReadText("/proc/self/cgroup") ?? "", mount) is not { } own)
        {
            return new CgroupSupport.Unavailable("the daemon's own control group is outside of what is mounted here");
        }

        place = Path.GetFileName(own) == DaemonLeaf ? Path.GetDirectoryName(own)! : own;
        if (Libc.Access(place, Libc.MayWrite) != 0 || Libc.Access(Path.Combine(place, "cgroup.procs"), Libc.MayWrite) != 0)
        {
            return new CgroupSupport.Unavailable(
                $"the daemon may not write to its control group `{place}` (systemd: Delegate=yes; without root: loginctl enable-linger and a user unit)");
        }

        return null;
    }

    /// <summary>
    /// <c>36 32 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw</c>: the root within the hierarchy and
    /// where it is mounted. The last one wins, as it covers the others.
    /// </summary>
    internal static (string Root, string Path)? FindMount(string mountInformation)
    {
        (string, string)? found = null;
        foreach (var line in mountInformation.Split('\n'))
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (separator > 5 && separator + 1 < fields.Length && fields[separator + 1] == "cgroup2")
            {
                found = (Unescape(fields[3]), Unescape(fields[4]));
            }
        }

        return found;
    }

    /// <summary>The directory of the group in the line <c>0::/user.slice/…</c>; null where it is not below the mount.</summary>
    internal static string? OwnGroup(string groups, (string Root, string Path) mount)
    {
        var line = groups.Split('\n').FirstOrDefault(text => text.StartsWith("0::/", StringComparison.Ordinal));
        var path = line?[3..];
        if (path is null || path.StartsWith("/..", StringComparison.Ordinal))
        {
            return null;
        }

        var root = mount.Root == "/" ? "" : mount.Root;
        return path.StartsWith(root, StringComparison.Ordinal) ? (mount.Path + path[root.Length..]).TrimEnd('/') : null;
    }

    internal static string[] Words(string path) =>
        (ProcFile.ReadText(path) ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static string EnableControllers(string place, string group)
    {
        var offered = Words(Path.Combine(place, "cgroup.controllers")).Intersect(Wanted).ToList();
        var problems = new List<string>();
        foreach (var controller in offered)
        {
            var error = Cgroup.TryWrite(Path.Combine(place, "cgroup.subtree_control"), "+" + controller);
            if (error == Errno.Busy && MoveDaemonToLeaf(place))
            {
                error = Cgroup.TryWrite(Path.Combine(place, "cgroup.subtree_control"), "+" + controller);
            }

            error = error != 0 ? error : Cgroup.TryWrite(Path.Combine(group, "cgroup.subtree_control"), "+" + controller);
            if (error != 0)
            {
                problems.Add(error == Errno.Busy
                    ? $"{controller}: `{place}` holds other processes beside the daemon"
                    : $"{controller}: {Errno.Text(error)}");
            }
        }

        if (Absent(place, offered) is { Length: > 0 } absent)
        {
            problems.Insert(0, absent);
        }

        return string.Join("; ", problems);
    }

    private static string Absent(string place, IEnumerable<string> offered)
    {
        var absent = Wanted.Take(3).Except(offered).ToList();
        return absent.Count > 0 ? $"{string.Join(", ", absent)}: not offered to `{place}` (mounted as version 1, or not delegated)" : "";
    }

    private static bool MoveDaemonToLeaf(string place)
    {
        var inside = Words(Path.Combine(place, "cgroup.procs"));
        if (inside.Any(pid => pid != Environment.ProcessId.ToString()))
        {
            return false;
        }

        var leaf = Path.Combine(place, DaemonLeaf);
        Directory.CreateDirectory(leaf);
        return Cgroup.TryWrite(Path.Combine(leaf, "cgroup.procs"), Environment.ProcessId.ToString()) == 0;
    }

    /// <summary>Blanks in a path are written <c>\040</c> in mountinfo.</summary>
    private static string Unescape(string path) => path.Replace(@"\040", " ").Replace(@"\134", @"\");
}

/// <summary>The group of an estate, which holds the groups of its services.</summary>
internal sealed class CgroupTree(string path)
{
    public string Path { get; } = path;

    /// <summary>The group of this name, made when it is not there.</summary>
    public Cgroup Create(string name)
    {
        var group = new Cgroup(System.IO.Path.Combine(Path, name));
        Directory.CreateDirectory(group.Path);
        return group;
    }

    /// <summary>The groups that are there, also of an earlier daemon.</summary>
    public IReadOnlyList<Cgroup> Groups() => [.. Files.ListDirectories(Path).Select(path => new Cgroup(path))];

    /// <summary>False when something still runs in it.</summary>
    public bool TryRemove() => new Cgroup(Path).TryRemove();
}
