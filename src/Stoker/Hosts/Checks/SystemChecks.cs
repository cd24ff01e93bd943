using System.Text;
using System.Text.RegularExpressions;
using Stoker.Hosts.Facts;
using Stoker.Platform;

namespace Stoker.Hosts.Checks;

internal static class PackageCheck
{
    public static async Task MakeAsync(CheckSubject.Package package, CheckDoors doors, Findings findings)
    {
        var wanted = package.Installed ? "installed" : "not installed";
        var answer = await doors.Packages.AllAsync();
        if (answer is PackageAnswer.Unknown unknown)
        {
            findings.Unknown("installed", wanted, unknown.Why);
            return;
        }

        var evidence = answer is PackageAnswer.Read ? "dpkg's database" : $"rpm -q {package.Name}";
        var install = doors.Machine.Find("apt-get") is not null ? "apt-get install" : doors.Machine.Find("dnf") is not null ? "dnf install" : "install";
        var found = await answer.FindAsync(package.Name);
        if (!findings.Add("installed", wanted, found is null ? "not installed" : $"installed, {found.Version}", (found is not null) == package.Installed, evidence,
            package.Installed ? $"{install} {package.Name}" : $"{install.Replace("install", "remove", StringComparison.Ordinal)} {package.Name}") || found is null) return;
        if (package.Version is { } version) findings.Add("version", version, found.Version, evidence, $"{install} {package.Name}, from a source that has {version}");
    }
}

internal static class ServiceCheck
{
    public static async Task MakeAsync(CheckSubject.Service service, CheckDoors doors, TimeSpan limit, Findings findings)
    {
        var wanted = service.Running ? "running" : "not running";
        if (doors.Machine.Find("systemctl") is not { } tool)
        {
            findings.Unknown("running", wanted, "there is no `systemctl` to ask: this machine has no systemd");
            return;
        }

        var command = $"systemctl show {service.Name}";
        var outcome = await doors.Machine.Run(tool, ["show", "--property=LoadState,ActiveState,SubState,UnitFileState", "--", service.Name], limit);
        if (outcome is not ShortCommandOutcome.Ended { Status.IsSuccess: true } ended)
        {
            findings.Unknown("running", wanted, $"`{command}` {outcome.Words}");
            return;
        }

        var state = TextFields.Assignments(ended.Output);
        if (state.GetValueOrDefault("LoadState") is not { Length: > 0 } load || !state.TryGetValue("ActiveState", out var active))
        {
            findings.Unknown("running", wanted, $"`{command}` tells no state");
            return;
        }

        var isThere = load != "not-found";
        var shown = isThere ? $"{active} ({state.GetValueOrDefault("SubState")})" : "no such unit";
        findings.Add("running", wanted, shown, (active == "active") == service.Running, command,
            !isThere ? $"install what has `{service.Name}`" : service.Running ? $"systemctl start {service.Name}; `journalctl -u {service.Name}` says why it ended" : $"systemctl stop {service.Name}");
        if (service.Enabled is not { } enabled) return;
        var file = state.GetValueOrDefault("UnitFileState") is { Length: > 0 } known ? known : "no unit file";
        var isEnabled = file is "enabled" or "enabled-runtime" or "static" or "alias";
        var mend = $"systemctl {(enabled ? "enable" : "disable")} {service.Name}";
        findings.Add("enabled", enabled ? "enabled" : "not enabled", file, isEnabled == enabled, command, mend);
    }
}

internal static class UserCheck
{
    private const string Evidence = "the name service (getpwnam, getgrnam)";

    public static void Make(CheckSubject.User user, Findings findings)
    {
        var entry = Users.Find(user.Name);
        var isSo = findings.Exists(user.Exists, entry is not null, Evidence, $"useradd {user.Name}", $"userdel {user.Name}");
        if (!isSo || entry is null) return;
        var group = Users.GroupNameOf(entry.GroupId);
        if (user.Uid is { } uid) findings.Add("uid", $"{uid}", $"{entry.UserId}", uid == entry.UserId, Evidence);
        if (user.Group is { } own) findings.Add("group", own, group, own == group || own == $"{entry.GroupId}", Evidence, $"usermod -g {own} {user.Name}");
        foreach (var member in user.Groups) findings.Add("groups", member, string.Join(',', entry.Groups), entry.Groups.Contains(member), Evidence, $"usermod -aG {member} {user.Name}");
        if (user.Home is { } home) findings.Add("home", home, entry.Home ?? "", entry.Home == home, Evidence, $"usermod -d {home} {user.Name}");
        if (user.Shell is { } shell) findings.Add("shell", shell, entry.Shell ?? "", entry.Shell == shell, Evidence, $"usermod -s {shell} {user.Name}");
    }

    public static void Make(CheckSubject.GroupOfUsers group, Findings findings)
    {
        var entry = Users.FindGroupEntry(group.Name);
        var isSo = findings.Exists(group.Exists, entry is not null, Evidence, $"groupadd {group.Name}", $"groupdel {group.Name}");
        if (!isSo || entry is null) return;
        if (group.Gid is { } gid) findings.Add("gid", $"{gid}", $"{entry.GroupId}", gid == entry.GroupId, Evidence);
        foreach (var member in group.Members)
        {
            var isIn = entry.Members.Contains(member) || Users.Find(member)?.GroupId == entry.GroupId;
            findings.Add("members", member, string.Join(',', entry.Members), isIn, Evidence, $"usermod -aG {group.Name} {member}");
        }
    }
}

internal static class KernelParameterCheck
{
    public static void Make(CheckSubject.KernelParameter parameter, CheckDoors doors, Findings findings)
    {
        // As sysctl has it: dots part, and a slash within a name (of a link: eth0.100) is a dot.
        var path = "/proc/sys/" + (parameter.Name.Contains('/') ? parameter.Name : parameter.Name.Replace('.', '/'));
        switch (doors.Machine.Files.Read(path))
        {
            case TreeFile.Found found:
                var value = string.Join(' ', found.Text.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries));
                findings.Add(parameter.Name, parameter.Is, value, path, $"sysctl -w {parameter.Name}={parameter.Is.Text.TrimStart('<', '>', '=')}, and a file in /etc/sysctl.d for the next boot");
                break;
            case TreeFile.Refused refused:
                findings.Unknown(parameter.Name, parameter.Is.Text, $"`{path}` {refused.Why}");
                break;
            default:
                findings.Unknown(parameter.Name, parameter.Is.Text, $"this kernel has no `{path}`", "a module that has it may not be loaded");
                break;
        }
    }
}

internal static partial class CommandCheck
{
    /// <summary>What <see cref="ShortCommand"/> keeps of an output.</summary>
    private const int Kept = 4096;

    public static async Task MakeAsync(CheckSubject.Command command, CheckDoors doors, TimeSpan limit, Findings findings)
    {
        var shown = string.Join(' ', command.Words);
        if (doors.Machine.Find(command.Words[0]) is not { } tool)
        {
            // That a program is missing is known, and is why the command cannot succeed.
            findings.Add("exit", $"{command.Exit}", "not installed", false, $"no `{command.Words[0]}` on PATH", $"install `{command.Words[0]}`");
            return;
        }

        var outcome = await doors.Machine.Run(tool, [.. command.Words.Skip(1)], limit);
        if (outcome is not ShortCommandOutcome.Ended ended)
        {
            findings.Unknown("exit", $"{command.Exit}", $"`{shown}` {outcome.Words}");
            return;
        }

        var isSo = ended.Status.Code == command.Exit;
        findings.Add("exit", $"{command.Exit}", ended.Status.ToString(), isSo, $"`{shown}`{(!isSo && ended.LastError is { } line ? $": {line}" : "")}");
        foreach (var expected in command.Output) Search(expected, ended.Output, shown, findings);

        if (command.Version is not { } version) return;
        var text = ended.Output.Length > 0 ? ended.Output : ended.LastError ?? "";
        if (Number().Match(text) is { Success: true } match) findings.Add("version", version, match.Value, $"`{shown}`");
        else findings.Unknown("version", version.Text, $"`{shown}` tells no number: {Brief(text)}");
    }

    /// <summary>Of a long output only the end is kept: what is not in it may have been before.</summary>
    private static void Search(Expectation expected, string output, string shown, Findings findings)
    {
        var isSo = expected.IsIn(output);
        var unwanted = expected.Text.StartsWith('!');
        if (Encoding.UTF8.GetByteCount(output) >= Kept && isSo == unwanted)
            findings.Unknown("output", expected.Text, $"`{shown}` wrote more than {Kept} bytes, and only its end was searched", "have it write less: `sh -c '… | grep …'`");
        else
            findings.Add("output", expected.Text, isSo == unwanted ? $"not in it: {Brief(output)}" : "in it", isSo, $"`{shown}`");
    }

    private static string Brief(string output)
    {
        var line = output.Trim().Split('\n')[0];
        return line.Length > 80 ? line[..80] + "…" : line.Length == 0 ? "nothing" : line;
    }

    [GeneratedRegex(@"\d+(\.\d+)+[-+~.\w]*|\d+")]
    private static partial Regex Number();
}
