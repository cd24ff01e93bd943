using System.Text;
using Stoker.Hosts.Facts;
using Stoker.Platform;

namespace Stoker.Hosts.Layers;

/// <summary>What a step would change now.</summary>
/// <param name="Words">For people: <c>file /etc/motd: absent → file 0644 root:root</c>.</param>
/// <param name="Detail">The difference of a text, line by line, with <c>-</c> and <c>+</c>.</param>
internal abstract record Planned(string Words, IReadOnlyList<string> Detail)
{
    /// <summary>Why it could not be taken back; null: it can.</summary>
    public virtual string? CannotBeUndone => null;

    internal sealed record File(string Path, FileImage Before, FileImage After, byte[]? Content, string Words, IReadOnlyList<string> Detail) : Planned(Words, Detail)
    {
        /// <summary>A directory above what the step is about.</summary>
        public bool IsOnTheWay { get; init; }
    }

    internal sealed record Packages(IReadOnlyList<string> Install, IReadOnlyList<string> Remove, string Words) : Planned(Words, []);

    internal sealed record UserGroup(LayerStep.UserGroup Wish, string Words) : Planned(Words, []);

    internal sealed record User(LayerStep.User Wish, AccountImage? Before, string Words) : Planned(Words, []);

    internal sealed record Ansible(LayerStep.Ansible Wish, string Words, IReadOnlyList<string> Detail) : Planned(Words, Detail)
    {
        public override string? CannotBeUndone => Wish.Undo is null ? "it has no `undo`" : null;
    }

    internal sealed record Command(LayerStep.Command Wish, string Words) : Planned(Words, [])
    {
        public override string? CannotBeUndone => Wish.Undo is null ? "it has no `undo`" : null;
    }
}

/// <summary>Looks at what a step is about, and says what differs; changes nothing.</summary>
internal static class StepLook
{
    private static readonly TimeSpan GuardLimit = TimeSpan.FromMinutes(1);

    /// <param name="changedBefore">A step before it in the layer changed something, or would.</param>
    public static async Task<IReadOnlyList<Planned>> LookAsync(LayerStep step, LayerDoors doors, bool changedBefore) => step switch
    {
        LayerStep.Packages packages => Packages(packages, await doors.PackagesNowAsync()),
        LayerStep.UserGroup group => Group(group),
        LayerStep.User user => User(user),
        LayerStep.Directory directory => [.. Parents(directory.Path), .. One(directory.Path, "directory", directory.Mode, directory.Owner, directory.Group, null, isSecret: false)],
        LayerStep.File file => [.. Parents(file.Path), .. One(file.Path, "file", file.Mode, file.Owner, file.Group, ContentOf(file), file.IsSecret)],
        LayerStep.NoFile absent => Absent(absent.Path),
        LayerStep.Command command => await CommandAsync(command, doors, changedBefore),
        LayerStep.Ansible ansible => await AnsibleAsync(ansible, doors),
        _ => throw new InvalidOperationException($"no such step: {step}"),
    };

    private static IReadOnlyList<Planned> Packages(LayerStep.Packages wish, Dictionary<string, string> now)
    {
        var install = wish.Present.Where(p => !now.ContainsKey(p)).ToList();
        var remove = wish.Absent.Where(now.ContainsKey).ToList();
        if (install.Count + remove.Count == 0) return [];
        var words = new List<string>();
        if (install.Count > 0) words.Add($"install {string.Join(' ', install)}");
        if (remove.Count > 0) words.Add($"remove {string.Join(' ', remove)}");
        return [new Planned.Packages(install, remove, $"packages: {string.Join(", ", words)}")];
    }

    private static IReadOnlyList<Planned> Group(LayerStep.UserGroup wish)
    {
        if (Users.FindGroupEntry(wish.Name) is not { } now) return [new Planned.UserGroup(wish, $"group {wish.Name}: make it{(wish.Gid is { } gid ? $" with gid {gid}" : "")}")];
        // Files that belong to it would belong to nobody.
        if (wish.Gid is { } wanted && wanted != now.GroupId)
        {
            throw new LayerFailedException(
                $"group `{wish.Name}` has gid {now.GroupId} and should have {wanted}: its files would have to be given over, which is not done here");
        }

        return [];
    }

    private static IReadOnlyList<Planned> User(LayerStep.User wish)
    {
        var now = StepDo.Account(wish.Name);
        if (now is null) return [new Planned.User(wish, null, $"user {wish.Name}: make it{(wish.Groups.Count > 0 ? $", in {string.Join(", ", wish.Groups)}" : "")}")];
        if (wish.Uid is { } uid && uid != now.Id)
        {
            throw new LayerFailedException(
                $"user `{wish.Name}` has uid {now.Id} and should have {uid}: its files would have to be given over, which is not done here");
        }

        var differences = new List<string>();
        if (wish.OwnGroup is { } group && group != now.Group) differences.Add($"group {now.Group} → {group}");
        if (wish.Groups.Except(now.Groups).ToList() is { Count: > 0 } missing) differences.Add($"into {string.Join(", ", missing)}");
        if (wish.Home is { } home && home != now.Home) differences.Add($"home {now.Home} → {home}");
        if (wish.Shell is { } shell && shell != now.Shell) differences.Add($"shell {now.Shell} → {shell}");
        return differences.Count == 0 ? [] : [new Planned.User(wish, now, $"user {wish.Name}: {string.Join(", ", differences)}")];
    }

    /// <summary>Directories above that are not there, from the top.</summary>
    private static List<Planned> Parents(string path)
    {
        var missing = new List<Planned>();
        for (var at = Path.GetDirectoryName(path); at is not null && FileImage.Look(at).IsAbsent; at = Path.GetDirectoryName(at))
        {
            var after = new FileImage("directory", null, 0x1ED, 0, 0);
            missing.Insert(0, new Planned.File(at, FileImage.Absent, after, null, $"directory {at}: make it", []) { IsOnTheWay = true });
        }

        return missing;
    }

    private static IReadOnlyList<Planned> One(string path, string kind, int mode, string owner, string group, byte[]? content, bool isSecret)
    {
        var now = FileImage.Look(path);
        // A user or group that a step before makes is not there yet.
        var (uid, gid) = (IdOf(owner, user: true), IdOf(group, user: false));
        var after = new FileImage(kind, content is null ? null : FileImage.Hash(content), mode, uid ?? uint.MaxValue, gid ?? uint.MaxValue);
        if (now == after) return [];
        if (now.Kind == "other") throw new LayerFailedException($"`{path}` is neither file, directory nor link, and is not replaced");
        if (now.Kind == "directory" && kind == "file") throw new LayerFailedException($"`{path}` is a directory, and is not replaced by a file");
        var wanted = $"{kind} 0{Convert.ToString(mode, 8).PadLeft(3, '0')} {owner}:{group}";
        var words = $"{kind} {path}: {(now.IsAbsent ? "make it, " : now.ToString() == wanted ? "" : $"{now} → ")}{(now.ToString() == wanted ? "its content" : wanted)}";
        var isText = content is not null && now.Kind is "file" or "absent";
        var detail = !isText || content is null ? []
            : isSecret ? ["(its content is not shown)"]
            : Difference(now.IsAbsent ? "" : Text(path), Encoding.UTF8.GetString(content));
        return [new Planned.File(path, now, after, content, words, detail)];
    }

    private static IReadOnlyList<Planned> Absent(string path)
    {
        var now = FileImage.Look(path);
        if (now.IsAbsent) return [];
        if (now.Kind == "other" || (now.Kind == "directory" && Files.Names(path).Count > 0))
        {
            var what = now.Kind == "other" ? "no file" : "a directory with something in it";
            throw new LayerFailedException($"`{path}` is {what}, and is not removed");
        }

        return [new Planned.File(path, now, FileImage.Absent, null, $"{now.Kind} {path}: remove it", [])];
    }

    private static async Task<IReadOnlyList<Planned>> CommandAsync(LayerStep.Command command, LayerDoors doors, bool changedBefore)
    {
        if (command.Unless is { } guard ? await doors.SucceedsAsync(guard, GuardLimit) : !changedBefore) return [];
        return [new Planned.Command(command, $"command: {command.Text}")];
    }

    private static async Task<IReadOnlyList<Planned>> AnsibleAsync(LayerStep.Ansible step, LayerDoors doors)
    {
        if (doors.Machine.Find("ansible-playbook") is null) throw new LayerFailedException("Ansible is not installed: a step before this one may install `ansible-core`");
        var output = await doors.RunAsync(step.Run.Words(doors.AnsibleDirectory, check: true), step.Limit, $"ansible-playbook --check of {step.Run.Text}", AnsibleRun.Fatal);
        var changed = AnsibleRun.Changed(output) ?? throw new LayerFailedException($"Ansible does not say what it would change: {output.Trim().Split('\n')[^1]}");
        return changed == 0 ? [] : [new Planned.Ansible(step, $"ansible: {step.Run.Text}, {(changed == 1 ? "1 task" : $"{changed} tasks")}", [.. AnsibleRun.Tasks(output)])];
    }

    private static byte[] ContentOf(LayerStep.File file)
    {
        if (file.Content is { } content) return Encoding.UTF8.GetBytes(content);
        try
        {
            return Files.ReadAllBytes(file.Source!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LayerFailedException(e.Message);
        }
    }

    private static uint? IdOf(string name, bool user)
    {
        if (uint.TryParse(name, out var id)) return id;
        return user ? Users.Find(name)?.UserId : Users.FindGroupEntry(name)?.GroupId;
    }

    private static string Text(string path) => Encoding.UTF8.GetString(Files.ReadAllBytes(path));

    /// <summary>What is between the lines that both begin with and those that both end with.</summary>
    internal static IReadOnlyList<string> Difference(string before, string after)
    {
        var (old, young) = (Lines(before), Lines(after));
        if (old.Concat(young).Any(l => l.Contains('\0') || l.Contains('\uFFFD'))) return ["(no text)"];
        var first = 0;
        while (first < old.Length && first < young.Length && old[first] == young[first]) first++;
        var last = 0;
        while (last < old.Length - first && last < young.Length - first && old[^(last + 1)] == young[^(last + 1)]) last++;
        return [.. old[first..^last].Select(l => $"- {l}"), .. young[first..^last].Select(l => $"+ {l}")];
    }

    private static string[] Lines(string text) => text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');
}
