namespace Stoker.Platform;

/// <summary>The group below which a daemon makes those of its estate, chosen before anything is made or changed.</summary>
/// <param name="IsKernelRoot">The root of the whole hierarchy, the only group that may hold processes and enable controllers at once.</param>
/// <param name="Obstacle">Why no controller may be enabled there, so that groups track and kill but do not limit; null: they may.</param>
/// <remarks>
/// A group that holds processes must not enable controllers for those below it. The kernel refuses some (memory: EBUSY) and takes
/// others (cpu, pids), after which no process can be moved into the groups below (EOPNOTSUPP). So the order is:
/// <list type="number">
/// <item>the own group, where systemd says that it has been delegated (<c>Delegate=yes</c>): its limits hold for the estate too</item>
/// <item>for root, the root of the hierarchy: the same whoever starts the daemon, from a login or by a unit, so that a next one finds it</item>
/// <item>the own group, if the daemon is alone in it</item>
/// <item>the first of these that may be written to at all, without controllers</item>
/// </list>
/// </remarks>
internal sealed record CgroupPlace(string Path, bool IsKernelRoot, string? Obstacle)
{
    public const string DaemonLeaf = "stoker-daemon";

    /// <summary>What systemd sets on a delegated group; the second since version 251, and readable by everyone.</summary>
    private static readonly string[] DelegationMarks = ["trusted.delegate", "user.delegate"];

    /// <param name="own">Directory of the daemon's own group.</param>
    /// <param name="root">Directory where the hierarchy is mounted.</param>
    /// <returns>Null where no place may be written to.</returns>
    public static CgroupPlace? Choose(string own, string root, bool isRootUser)
    {
        var home = System.IO.Path.GetFileName(own) == DaemonLeaf ? System.IO.Path.GetDirectoryName(own)! : own;
        List<CgroupPlace> places = [];
        if (IsDelegated(home)) places.Add(new CgroupPlace(home, IsRootOfAll(home), Obstacle: null));
        if (isRootUser) places.Add(Judge(root));
        places.Add(Judge(home));
        var writable = places.Where(p => MayWrite(p.Path)).ToList();
        return writable.Find(p => p.Obstacle is null) ?? writable.FirstOrDefault();
    }

    /// <summary>Moves everything in it to a leaf of its own, because controllers may be enabled for groups below an empty one only.</summary>
    public void Vacate()
    {
        if (IsKernelRoot) return;
        var leaf = System.IO.Path.Combine(Path, DaemonLeaf);
        Directory.CreateDirectory(leaf);
        // More than once: what is moved may be forking.
        for (var round = 0; round < 5 && Inside(Path) is { Length: > 0 } inside; round++)
        {
            foreach (var pid in inside) _ = Cgroup.TryWrite(System.IO.Path.Combine(leaf, "cgroup.procs"), pid);
        }
    }

    private static CgroupPlace Judge(string path)
    {
        var isRoot = IsRootOfAll(path);
        var others = isRoot ? [] : Inside(path).Where(pid => pid != Environment.ProcessId.ToString()).ToArray();
        return new CgroupPlace(path, isRoot, others.Length == 0 ? null : $"`{path}` holds other processes beside the daemon");
    }

    private static bool IsRootOfAll(string path) => !File.Exists(System.IO.Path.Combine(path, "cgroup.type"));

    private static string[] Inside(string path) => Cgroups.Words(System.IO.Path.Combine(path, "cgroup.procs"));

    private static bool MayWrite(string path) =>
        Libc.Access(path, Libc.MayWrite) == 0 && Libc.Access(System.IO.Path.Combine(path, "cgroup.procs"), Libc.MayWrite) == 0;

    private static unsafe bool IsDelegated(string path)
    {
        foreach (var mark in DelegationMarks)
        {
            byte value = 0;
            if (Libc.GetAttribute(path, mark, &value, 1) == 1 && value == (byte)'1') return true;
        }

        return false;
    }
}
