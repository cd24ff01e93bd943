using System.Globalization;
using Stoker.Platform;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>What the SSH server of this machine does now.</summary>
internal static class SshServer
{
    public const string Configuration = "/etc/ssh/sshd_config";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly string[] NoShells = ["/nologin", "/false", "/sync"];

    /// <summary>Lines of <c>sshd -T</c> that matter here: the output of a tool is kept to its end only.</summary>
    private const string Wanted = "^(port|authorizedkeysfile|passwordauthentication|kbdinteractiveauthentication|authenticationmethods|allowusers|denyusers|allowgroups|denygroups|strictmodes) ";

    /// <summary>The configuration in effect, by key; with a text before it, as it would be then. <c>sshd</c> refuses what is wrong in it.</summary>
    /// <exception cref="LayerFailedException">It is not installed, is not the caller's to ask, or its configuration is wrong.</exception>
    public static async Task<ILookup<string, string>> SettingsAsync(LayerDoors doors, string before = "")
    {
        if (doors.Machine.Find("sshd") is null) throw new LayerFailedException("`sshd` is not installed: a layer before this one may install `openssh-server`");
        if (!HostEnvironment.IsRoot) throw new LayerFailedException("only root can ask `sshd` for its configuration");
        const string script = """
            mkdir -p /run/sshd && place=$(mktemp -d) || exit 1
            trap 'rm -rf "$place"' EXIT
            { printf %s "$1"; cat /etc/ssh/sshd_config; } >"$place/config"
            "$0" -T -f "$place/config" >"$place/out" || exit 1
            grep -E "$2" "$place/out"
            """;
        var told = await doors.RunAsync(["sh", "-c", script, doors.Machine.Find("sshd")!, before, Wanted], Limit, "sshd -T");
        return told.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ', 2)).Where(w => w.Length == 2).ToLookup(w => w[0], w => w[1]);
    }

    /// <summary>Where it is reached: what its configuration says, what it listens on, and how the caller came in.</summary>
    public static async Task<IReadOnlyList<int>> PortsAsync(LayerDoors doors)
    {
        var ports = new SortedSet<int>();
        if (doors.Machine.Find("sshd") is not null)
        {
            foreach (var port in (await SettingsAsync(doors))["port"]) ports.Add(int.Parse(port, CultureInfo.InvariantCulture));
        }

        // Its configuration may have been changed since it was started.
        if (doors.Machine.Find("ss") is { } tool
            && await doors.Machine.Run("/bin/sh", ["-c", "\"$0\" -Hltnp | grep '\"sshd\"'", tool], Limit) is ShortCommandOutcome.Ended { Status.IsSuccess: true } listening)
        {
            ports.UnionWith(listening.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ListeningPort).OfType<int>());
        }

        // CLIENT CLIENT-PORT SERVER SERVER-PORT
        if (HostEnvironment.Variable("SSH_CONNECTION")?.Split(' ') is [_, _, _, var own] && int.TryParse(own, out var connected)) ports.Add(connected);
        return [.. ports];
    }

    /// <summary>Of a line of <c>ss -Hltnp</c>: <c>LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=1,fd=4))</c>. One of the loopback is a forwarding of somebody's session.</summary>
    internal static int? ListeningPort(string line)
    {
        var local = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(3) ?? "";
        if (local.StartsWith("127.", StringComparison.Ordinal) || local.StartsWith("[::1]", StringComparison.Ordinal)) return null;
        var colon = local.LastIndexOf(':');
        return colon >= 0 && int.TryParse(local[(colon + 1)..], out var port) ? port : null;
    }

    /// <summary>Why nobody of them would come in with a key; empty: somebody does.</summary>
    /// <param name="users">Empty: anybody with a shell will do. Else each has to.</param>
    public static async Task<IReadOnlyList<string>> LockedOutAsync(LayerDoors doors, ILookup<string, string> settings, IReadOnlyList<string> users)
    {
        var reasons = new List<string>();
        var names = users.Count > 0 ? users : WithShell(doors);
        foreach (var name in names)
        {
            var why = await WhyNoKeyAsync(doors, settings, name);
            if (why is null && users.Count == 0) return [];
            if (why is not null) reasons.Add($"`{name}` {why}");
        }

        return reasons.Count == 0 && users.Count == 0 ? ["no user has a shell"] : reasons;
    }

    private static List<string> WithShell(LayerDoors doors)
    {
        if (doors.Machine.Files.Read("/etc/passwd") is not TreeFile.Found found) return [];
        var entries = found.Text.Split('\n').Select(l => l.Split(':'));
        return [.. entries.Where(f => f.Length == 7 && !NoShells.Any(n => f[6].EndsWith(n, StringComparison.Ordinal))).Select(f => f[0])];
    }

    private static async Task<string?> WhyNoKeyAsync(LayerDoors doors, ILookup<string, string> settings, string name)
    {
        if (Users.Find(name) is not { } user) return "is no user of this machine";
        if (settings["allowusers"].Any() && !settings["allowusers"].SelectMany(l => l.Split(' ')).Contains(name)) return "is not in `AllowUsers`";
        if (settings["denyusers"].SelectMany(l => l.Split(' ')).Contains(name)) return "is in `DenyUsers`";
        if (settings["allowgroups"].Any() && !settings["allowgroups"].SelectMany(l => l.Split(' ')).Intersect(user.Groups).Any()) return "is in no group of `AllowGroups`";
        if (settings["denygroups"].SelectMany(l => l.Split(' ')).Intersect(user.Groups).Any()) return "is in a group of `DenyGroups`";
        var files = settings["authorizedkeysfile"].SelectMany(l => l.Split(' '))
            .Select(f => f.Replace("%h", user.Home, StringComparison.Ordinal).Replace("%u", name, StringComparison.Ordinal))
            .Select(f => f.StartsWith('/') ? f : $"{user.Home}/{f}").ToList();
        string? why = null;
        foreach (var file in files)
        {
            if (FileEntry.Look(file, follow: true, out _) is null) continue;
            if (settings["strictmodes"].FirstOrDefault() != "no" && Loose(file, user) is { } loose) why = $"has keys that `sshd` does not take, because `{loose}` is not the user's alone to write";
            else if (!await doors.SucceedsAsync(["ssh-keygen", "-l", "-f", file], Limit)) why = $"has no key in `{file}`";
            else return null;
        }

        return why ?? "has no authorized key";
    }

    /// <summary>The file, or a directory on the way from the home to it, that others may write.</summary>
    private static string? Loose(string file, UserEntry user)
    {
        for (var at = file; ; at = Path.GetDirectoryName(at)!)
        {
            if (FileEntry.Look(at, follow: true, out _) is not { } entry || (entry.User != 0 && entry.User != user.UserId) || (entry.Mode & 0x12) != 0) return at;
            if (at == user.Home || at is "/" or "" || Path.GetDirectoryName(at) is null) return null;
        }
    }
}
