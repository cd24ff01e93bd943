using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Cli.HostVerbs;

/// <summary>Which declared host this machine is.</summary>
internal static class ThisHost
{
    /// <summary><c>--host</c>, else the only one, else by name or address; null when none or several would fit.</summary>
    public static HostSpec? Of(Invocation run, EstateSpec estate)
    {
        if (run.Host is { } asked) return estate.Hosts.GetValueOrDefault(new HostName(asked));
        if (estate.Hosts.Count == 1) return estate.Hosts.Values.First();
        var doors = run.World.Facts();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var address in doors.Addresses()) names.Add(address.Address);
        if (doors.Files.Read("/proc/sys/kernel/hostname") is TreeFile.Found name) names.Add(name.Text.Trim());
        names.RemoveWhere(n => n is "127.0.0.1" or "::1" or "");
        var mine = estate.Hosts.Values.Where(h => names.Contains(h.Name.Value) || (h.Address is { } address && names.Contains(address))).ToList();
        return mine is [var one] ? one : null;
    }
}
