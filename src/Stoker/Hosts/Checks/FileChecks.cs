using System.Security.Cryptography;
using System.Text;
using Stoker.Estates;
using Stoker.Hosts.Facts;
using Stoker.Platform;

namespace Stoker.Hosts.Checks;

internal static class FileCheck
{
    /// <summary>More than this is no text that a check is about.</summary>
    private const long LongestText = 16 << 20;

    public static void Make(CheckSubject.File file, Findings findings)
    {
        var evidence = $"stat {file.Path}";
        var entry = FileEntry.Look(file.Path, follow: file.Type != "link" && file.LinkTo is null, out var why);
        if (entry is null && why is not null)
        {
            findings.Unknown("exists", file.Exists ? "there" : "absent", $"{evidence}: {why}", HostEnvironment.IsRoot ? null : "try as root");
            return;
        }

        var isSo = findings.Exists(file.Exists, entry is not null, evidence, $"create `{file.Path}`", $"remove `{file.Path}`");
        if (!isSo || entry is null) return;
        if (file.Type is { } type) findings.Add("type", type, Word(entry.Kind), Word(entry.Kind) == type, evidence);
        if (file.Mode is { } mode) findings.Add("mode", Octal(mode), Octal(entry.Mode), entry.Mode == mode, evidence, $"chmod {Octal(mode)} {file.Path}");
        if (file.Owner is { } owner)
        {
            var name = Users.NameOf(entry.User);
            findings.Add("owner", owner, name, owner == name || owner == $"{entry.User}", evidence, $"chown {owner} {file.Path}");
        }

        if (file.Group is { } group)
        {
            var name = Users.GroupNameOf(entry.Group);
            findings.Add("group", group, name, group == name || group == $"{entry.Group}", evidence, $"chgrp {group} {file.Path}");
        }

        if (file.Size is { } size) findings.Add("size", size.Text, new ByteSize(entry.Size).ToString(), size.IsMetBy($"{entry.Size}"), evidence);
        if (file.LinkTo is { } target)
        {
            var leads = Files.LinkTarget(file.Path);
            findings.Add("link_to", target, leads ?? "no link", leads == target, $"readlink {file.Path}", $"ln -sfn {target} {file.Path}");
        }

        if (file.Contains.Count > 0) Contains(file, entry, findings);
        if (file.Sha256 is { } hash) Hash(file, entry, hash, findings);
    }

    private static void Contains(CheckSubject.File file, FileEntry entry, Findings findings)
    {
        if (Why(entry, LongestText) is { } why)
        {
            findings.Unknown("contains", string.Join(", ", file.Contains), why);
            return;
        }

        var text = Encoding.UTF8.GetString(Files.ReadAllBytes(file.Path));
        foreach (var expected in file.Contains)
        {
            var isIn = expected.IsIn(text);
            // What is expected to be absent is found when it is there, and the other way round.
            findings.Add("contains", expected.Text, isIn != expected.Text.StartsWith('!') ? "in the text" : "not in the text", isIn, $"content of {file.Path}");
        }
    }

    private static void Hash(CheckSubject.File file, FileEntry entry, string hash, Findings findings)
    {
        if (Why(entry, long.MaxValue) is { } why)
        {
            findings.Unknown("sha256", hash, why);
            return;
        }

        using var content = Files.OpenRead(file.Path);
        var found = Convert.ToHexStringLower(SHA256.HashData(content));
        findings.Add("sha256", hash, found, found == hash, $"content of {file.Path}");
    }

    /// <summary>Reading a pipe or a device would wait, or never end.</summary>
    private static string? Why(FileEntry entry, long most) =>
        entry.Kind != FileKind.File ? $"it is a {Word(entry.Kind)}, which has no content to read" : entry.Size > most ? $"it is larger than {new ByteSize(most)}" : null;

    private static string Word(FileKind kind) => kind.ToString().ToLowerInvariant();

    private static string Octal(int mode) => "0" + Convert.ToString(mode, 8).PadLeft(3, '0');
}

internal static class MountCheck
{
    public static void Make(CheckSubject.Mount mount, CheckDoors doors, Findings findings)
    {
        const string evidence = "/proc/self/mountinfo";
        if (doors.Machine.Files.Read(evidence) is not TreeFile.Found)
        {
            findings.Unknown("mounted", mount.Mounted ? "mounted" : "not mounted", $"`{evidence}` cannot be read");
            return;
        }

        var found = doors.Mounts.LastOrDefault(m => m.Path == mount.Path);
        var (expected, now) = (mount.Mounted ? "mounted" : "not mounted", found is null ? "not mounted" : "mounted");
        var mend = mount.Mounted ? $"mount {mount.Path}, and add it to /etc/fstab" : $"umount {mount.Path}";
        if (!findings.Add("mounted", expected, now, now == expected, evidence, mend) || found is null) return;
        if (mount.Source is { } source) findings.Add("source", source, found.Source, evidence);
        if (mount.Type is { } type) findings.Add("type", type, found.Type, evidence);
        foreach (var option in mount.Options)
        {
            var has = found.Options.Contains(option.Text.TrimStart('!'), StringComparer.Ordinal);
            findings.Add("option", option.Text, string.Join(',', found.Options), has != option.Text.StartsWith('!'), evidence, $"mount -o remount,{option.Text} {mount.Path}, and change /etc/fstab");
        }

        if (mount.Size is null && mount.Free is null) return;
        if (doors.Machine.Space(mount.Path) is not { } space)
        {
            findings.Unknown("size", (mount.Size ?? mount.Free)!.Text, $"statvfs {mount.Path} does not tell");
            return;
        }

        if (mount.Size is { } size) findings.Add("size", size.Text, new ByteSize(space.Total).ToString(), size.IsMetBy($"{space.Total}"), $"statvfs {mount.Path}");
        if (mount.Free is { } free) findings.Add("free", free.Text, new ByteSize(space.Free).ToString(), free.IsMetBy($"{space.Free}"), $"statvfs {mount.Path}", $"make room on `{mount.Path}`");
    }
}
