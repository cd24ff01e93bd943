using System.Text.Json;
using Stoker.Platform;

namespace Stoker.Hosts.Layers;

/// <summary>Makes what was planned, each change written into the journal before and after.</summary>
internal sealed class StepDo(LayerDoors doors, LayerJournal journal, string layer)
{
    public async Task MakeAsync(Planned planned)
    {
        switch (planned)
        {
            case Planned.File file:
                Make(file);
                break;
            case Planned.Packages packages:
                await MakeAsync(packages);
                break;
            case Planned.UserGroup group:
                await AccountAsync(group.Wish.Name, "group", null, ["groupadd", .. group.Wish.Gid is { } gid ? ["-g", $"{gid}"] : Array.Empty<string>(), group.Wish.Name]);
                break;
            case Planned.User user:
                await AccountAsync(user.Wish.Name, "user", user.Before, user.Before is null ? UserAdd(user.Wish) : UserChange(user.Wish));
                break;
            case Planned.Command command:
                await OnceAsync(command.Wish.Text, command.Wish.Undo, () => doors.RunAsync(command.Wish.Words, command.Wish.Limit));
                break;
            case Planned.Ansible ansible:
                await OnceAsync($"ansible {ansible.Wish.Run.Text}", ansible.Wish.Undo?.Words(doors.AnsibleDirectory, check: false), () => PlayAsync(ansible.Wish));
                break;
        }
    }

    /// <summary>What a user is now; null: there is none.</summary>
    public static AccountImage? Account(string name) => Users.Find(name) is { } user
        ? new AccountImage(user.UserId, Users.GroupNameOf(user.GroupId), [.. user.Groups.Where(g => g != Users.GroupNameOf(user.GroupId))], user.Home, user.Shell)
        : null;

    /// <summary>What a group is now; null: there is none.</summary>
    public static AccountImage? Group(string name) => Users.FindGroupEntry(name) is { } group ? new AccountImage(group.GroupId, null, [], null, null) : null;

    /// <summary>What differs between two lists of packages.</summary>
    public static IReadOnlyList<PackageChange> Differences(Dictionary<string, string> before, Dictionary<string, string> after) =>
    [
        .. before.Keys.Union(after.Keys).Order(StringComparer.Ordinal)
            .Select(name => new PackageChange(name, before.GetValueOrDefault(name), after.GetValueOrDefault(name)))
            .Where(p => p.Before != p.After),
    ];

    /// <summary>Writes down which packages are others now than before a change; none is no change.</summary>
    public async Task EndPackagesAsync(LayerChange change)
    {
        var before = JsonSerializer.Deserialize(journal.Kept(change.AllPackages!), LayerJson.Default.DictionaryStringString)!;
        var changed = Differences(before, await doors.PackagesNowAsync());
        if (changed.Count == 0) journal.Undone(change);
        else journal.Done(change with { Packages = changed });
    }

    /// <summary>A command that was run before, and not taken back, stands once in the journal: its undo is for all of them.</summary>
    private async Task OnceAsync(string subject, IReadOnlyList<string>? undo, Func<Task<string>> run)
    {
        var change = journal.Standing.LastOrDefault(c => c.Layer == layer && c.Kind == "command" && c.Subject == subject) ?? journal.Begin(Change("command", subject) with { Undo = undo });
        await run();
        journal.Done(change with { Undo = undo });
    }

    private async Task<string> PlayAsync(LayerStep.Ansible step)
    {
        var told = await doors.RunAsync(step.Run.Words(doors.AnsibleDirectory, check: false), step.Limit, $"ansible-playbook of {step.Run.Text}", AnsibleRun.Fatal);
        return AnsibleRun.Changed(told) is not null ? told : throw new LayerFailedException($"Ansible did not end well: {told.Trim().Split('\n')[^1]}");
    }

    private void Make(Planned.File file)
    {
        // By now the step that makes its owner has been done.
        var after = file.After;
        if (after is { IsAbsent: false, User: uint.MaxValue } or { IsAbsent: false, Group: uint.MaxValue })
            throw new LayerFailedException($"the owner of `{file.Path}` is not there: a step before it has to make the user and the group");
        if (file.Before.Kind == "file") journal.Keep(Files.ReadAllBytes(file.Path));
        if (file.Content is { } content) journal.Keep(content);
        var begun = journal.Begin(Change("file", file.Path) with { FileBefore = file.Before, FileAfter = after });
        after.Restore(file.Path, journal.Kept);
        journal.Done(begun);
    }

    private async Task MakeAsync(Planned.Packages packages)
    {
        var before = await doors.PackagesNowAsync();
        var list = journal.Keep(JsonSerializer.SerializeToUtf8Bytes(before, LayerJson.Default.DictionaryStringString));
        var begun = journal.Begin(Change("packages", string.Join(' ', packages.Install.Concat(packages.Remove.Select(p => p + "-")))) with { AllPackages = list });
        try
        {
            // A word with a dash behind it is removed in the same transaction.
            await doors.PackagesAsync(["install", "--no-install-recommends", "--", .. packages.Install, .. packages.Remove.Select(p => p + "-")]);
        }
        finally
        {
            // Also what came before it failed is to be taken back.
            await EndPackagesAsync(begun);
        }
    }

    private async Task AccountAsync(string name, string kind, AccountImage? before, IReadOnlyList<string> words)
    {
        var begun = journal.Begin(Change(kind, name) with { AccountBefore = before });
        await doors.AccountAsync(words);
        journal.Done(begun with { AccountAfter = kind == "user" ? Account(name) : Group(name) });
    }

    private static List<string> UserAdd(LayerStep.User wish) =>
    [
        "useradd", "-M", .. wish.IsSystem ? ["-r"] : Array.Empty<string>(), .. wish.Uid is { } uid ? ["-u", $"{uid}"] : Array.Empty<string>(),
        .. wish.OwnGroup is { } group ? ["-g", group] : (string[])["-U"], .. wish.Groups.Count > 0 ? ["-G", string.Join(',', wish.Groups)] : Array.Empty<string>(),
        .. wish.Home is { } home ? ["-d", home] : Array.Empty<string>(), .. wish.Shell is { } shell ? ["-s", shell] : Array.Empty<string>(), wish.Name,
    ];

    private static List<string> UserChange(LayerStep.User wish) =>
    [
        "usermod", .. wish.OwnGroup is { } group ? ["-g", group] : Array.Empty<string>(), .. wish.Groups.Count > 0 ? ["-a", "-G", string.Join(',', wish.Groups)] : Array.Empty<string>(),
        .. wish.Home is { } home ? ["-d", home] : Array.Empty<string>(), .. wish.Shell is { } shell ? ["-s", shell] : Array.Empty<string>(), wish.Name,
    ];

    private LayerChange Change(string kind, string subject) => new(0, layer, kind, subject, default);
}
