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
/// &lt;place&gt;                     the root of the hierarchy, or the daemon's own group: see <see cref="CgroupPlace"/>
/// ├─ stoker-daemon            the daemon, moved here out of its own group where that is the place
/// └─ stoker.ESTATE            one per estate
///    └─ SERVICE.REPLICA       one per replica
/// </code>
/// Machines that mount version 1 beside it (at /sys/fs/cgroup/unified) have no controllers here, and tracking only.
/// </remarks>
internal static class Cgroups
{
    private static readonly string[] Wanted = ["cpu", "memory", "pids"];

    /// <summary>Finds the place, makes the estate's group and enables what controllers it may.</summary>
    public static CgroupSupport Open(string estate)
    {
        if (FindPlace(out var place) is { } unavailable)
        {
            return unavailable;
        }

        try
        {
            var tree = new CgroupTree(Path.Combine(place.Path, "stoker." + estate));
            Directory.CreateDirectory(tree.Path);
            var missing = place.Obstacle ?? EnableControllers(place, tree.Path);
            return new CgroupSupport.Available(tree, Words(Path.Combine(tree.Path, "cgroup.subtree_control")).ToHashSet(), missing);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new CgroupSupport.Unavailable($"no control group can be made in `{place.Path}`: {refused.Message}");
        }
    }

    /// <summary>The same, judged without making or changing anything: for a plan before there is a daemon.</summary>
    public static CgroupSupport Look()
    {
        if (FindPlace(out var place) is { } unavailable)
        {
            return unavailable;
        }

        var offered = place.Obstacle is null ? Offered(place.Path).ToHashSet() : [];
        return new CgroupSupport.Available(new CgroupTree(place.Path), offered, place.Obstacle ?? Absent(place.Path, offered));
    }

    private static CgroupSupport.Unavailable? FindPlace(out CgroupPlace place)
    {
        place = new CgroupPlace("", IsKernelRoot: false, Obstacle: null);
        if (FindMount(ProcFile.ReadText("/proc/self/mountinfo") ?? "") is not { } mount)
        {
            return new CgroupSupport.Unavailable("cgroup version 2 is not mounted on this host");
        }

        if (OwnGroup(ProcFile.ReadText("/proc/self/cgroup") ?? "", mount) is not { } own)
        {
            return new CgroupSupport.Unavailable("the daemon's own control group is outside of what is mounted here");
        }

        if (CgroupPlace.Choose(own, mount.Path, HostEnvironment.IsRoot) is not { } chosen)
        {
            return new CgroupSupport.Unavailable(
                $"the daemon may not write to its control group `{own}` (systemd: Delegate=yes; without root: loginctl enable-linger and a user unit)");
        }

        place = chosen;
        return null;
    }

    /// <summary>The directory of the group that a process is in; null where it is gone or not below what is mounted here.</summary>
    internal static string? GroupOf(int pid) =>
        FindMount(ProcFile.ReadText("/proc/self/mountinfo") ?? "") is { } mount ? OwnGroup(ProcFile.ReadText($"/proc/{pid}/cgroup") ?? "", mount) : null;

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

    private static string EnableControllers(CgroupPlace place, string group)
    {
        place.Vacate();
        var offered = Offered(place.Path);
        var problems = new List<string>();
        foreach (var controller in offered)
        {
            var error = Cgroup.TryWrite(Path.Combine(place.Path, "cgroup.subtree_control"), "+" + controller);
            error = error != 0 ? error : Cgroup.TryWrite(Path.Combine(group, "cgroup.subtree_control"), "+" + controller);
            if (error != 0)
            {
                problems.Add(error == Errno.Busy
                    ? $"{controller}: `{place.Path}` holds other processes beside the daemon"
                    : $"{controller}: {Errno.Text(error)}");
            }
        }

        if (Absent(place.Path, offered) is { Length: > 0 } absent)
        {
            problems.Insert(0, absent);
        }

        return string.Join("; ", problems);
    }

    private static IReadOnlyList<string> Offered(string place) => [.. Words(Path.Combine(place, "cgroup.controllers")).Intersect(Wanted)];

    private static string Absent(string place, IEnumerable<string> offered)
    {
        var absent = Wanted.Except(offered).ToList();
        return absent.Count > 0 ? $"{string.Join(", ", absent)}: not offered to `{place}` (mounted as version 1, or not delegated)" : "";
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

    /// <summary>
    /// The group of this name that a process of an earlier daemon is in, which may be at another place than this daemon would
    /// make it; null when it is in none.
    /// </summary>
    public Cgroup? Find(string name, int pid)
    {
        var estate = System.IO.Path.GetFileName(Path);
        for (var at = Cgroups.GroupOf(pid); at is { Length: > 1 }; at = System.IO.Path.GetDirectoryName(at))
        {
            if (System.IO.Path.GetFileName(at) == name && System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(at)) == estate) return new Cgroup(at);
        }

        return null;
    }

    /// <summary>The groups that are there, also of an earlier daemon.</summary>
    public IReadOnlyList<Cgroup> Groups() => [.. Files.ListDirectories(Path).Select(path => new Cgroup(path))];

    /// <summary>False when something still runs in it.</summary>
    public bool TryRemove() => new Cgroup(Path).TryRemove();
}
