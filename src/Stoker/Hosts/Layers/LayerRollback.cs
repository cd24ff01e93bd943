using Stoker.Platform;

namespace Stoker.Hosts.Layers;

/// <summary>What became of a rollback.</summary>
internal abstract record RollbackOutcome
{
    private RollbackOutcome()
    {
    }

    /// <summary>Nothing of the layers stands.</summary>
    internal sealed record Nothing : RollbackOutcome;

    /// <summary>Nothing was changed.</summary>
    /// <param name="Reasons">Each with the difference that stands in the way.</param>
    internal sealed record Refused(IReadOnlyList<string> Reasons) : RollbackOutcome;

    internal sealed record RolledBack(IReadOnlyList<string> Undone) : RollbackOutcome;

    /// <summary>Some of it was undone; to do it again goes on.</summary>
    internal sealed record Stopped(IReadOnlyList<string> Undone, string Why) : RollbackOutcome;
}

/// <summary>
/// Takes back what a layer changed, the last change first, and only where everything is still as the layer left it: otherwise somebody's work would be lost, and
/// nothing is touched.
/// </summary>
internal sealed class LayerRollback(LayerDoors doors, LayerJournal journal)
{
    private static readonly TimeSpan UndoLimit = TimeSpan.FromMinutes(30);

    /// <param name="names">The layers, those that need others first.</param>
    /// <param name="declared">As they are declared now; one that is not any more can be rolled back all the same.</param>
    public async Task<RollbackOutcome> MakeAsync(IReadOnlyList<string> names, IReadOnlyList<LayerSpec> declared, Action<string, string> report)
    {
        var standing = journal.Standing.Where(c => names.Contains(c.Layer)).Reverse().ToList();
        if (standing.Count == 0) return new RollbackOutcome.Nothing();
        var layers = names.Select(n => declared.FirstOrDefault(l => l.Name == n)).OfType<LayerSpec>().ToList();
        try
        {
            var reasons = await ReasonsAsync(standing, layers);
            if (reasons.Count > 0) return new RollbackOutcome.Refused(reasons);
        }
        catch (Exception e) when (LayerRun.IsOfTheMachine(e))
        {
            return new RollbackOutcome.Refused([e.Message]);
        }

        var undone = new List<string>();
        try
        {
            foreach (var change in standing)
            {
                var words = Words(change);
                report(change.Layer, words);
                await UndoAsync(change);
                journal.Undone(change);
                undone.Add(words);
            }

            foreach (var (layer, command) in layers.SelectMany(l => l.Rollback.Select(c => (l, c))))
            {
                report(layer.Name, $"command: {command.Text}");
                await doors.RunAsync(command.Words, command.Limit);
                undone.Add($"command: {command.Text}");
            }

            foreach (var name in names) journal.Say(name, "rolled_back");
            return new RollbackOutcome.RolledBack(undone);
        }
        catch (Exception e) when (LayerRun.IsOfTheMachine(e))
        {
            return new RollbackOutcome.Stopped(undone, e.Message);
        }
    }

    /// <summary>What stands in the way, all of it.</summary>
    private async Task<List<string>> ReasonsAsync(List<LayerChange> standing, IReadOnlyList<LayerSpec> layers)
    {
        var reasons = new List<string>();
        var packages = standing.Exists(c => c.Kind == "packages") ? await doors.PackagesNowAsync() : [];
        var paths = standing.Where(c => c.Kind == "file").Select(c => c.Subject).ToHashSet();
        // Only the last change of a subject says how it should be now; what was before is how the one before left it.
        var seen = new HashSet<(string, string)>();
        foreach (var change in standing)
        {
            if (change.Kind != "command" && journal.UnderWay.Contains(change))
            {
                reasons.Add($"{change.Kind} {change.Subject}: a run was killed while it was changed; `stoker host layers apply` first");
                continue;
            }

            switch (change.Kind)
            {
                case "file":
                    if (seen.Add((change.Kind, change.Subject))) FileReasons(change, reasons);
                    StrangersIn(change, paths, reasons);
                    break;
                case "packages":
                    foreach (var package in change.Packages ?? [])
                    {
                        if (seen.Add(("package", package.Name)) && packages.GetValueOrDefault(package.Name) is var now && now != package.After)
                            reasons.Add($"package {package.Name}: the layer left {package.After ?? "it removed"}, now {(now is null ? "it is not installed" : $"it is {now}")}");
                    }

                    break;
                case "user" or "group" when seen.Add((change.Kind, change.Subject)):
                    var account = change.Kind == "user" ? StepDo.Account(change.Subject) : StepDo.Group(change.Subject);
                    if (Equals(account, change.AccountAfter)) break;
                    reasons.Add($"{change.Kind} {change.Subject}: the layer left {change.AccountAfter}, now {(account is null ? "it is gone" : $"{account}")}");
                    break;
                case "command" when change.Undo is null && layers.FirstOrDefault(l => l.Name == change.Layer) is not { Rollback.Count: > 0 }:
                    reasons.Add($"command {change.Subject}: it has no `undo`, and its layer no `rollback`");
                    break;
            }
        }

        return reasons;
    }

    private void FileReasons(LayerChange change, List<string> reasons)
    {
        var now = FileImage.Look(change.Subject);
        var (before, after) = (change.FileBefore!, change.FileAfter!);
        if (now == after) return;
        var content = now.Kind == after.Kind && now.Content != after.Content ? " with another content" : "";
        reasons.Add($"{(after.IsAbsent ? before.Kind : after.Kind)} {change.Subject}: the layer left {after}, now {now}{content}");
        if (now.Kind == "file" && after.Kind == "file" && now.Content != after.Content)
            reasons.AddRange(StepLook.Difference(Text(journal.Kept(after.Content!)), Text(Files.ReadAllBytes(change.Subject))).Select(l => $"  {l}"));
    }

    /// <summary>A directory that a layer made goes with a rollback, and what others put into it would go as well.</summary>
    private static void StrangersIn(LayerChange change, HashSet<string> paths, List<string> reasons)
    {
        if (change is not { FileBefore.IsAbsent: true, FileAfter.Kind: "directory" } || FileImage.Look(change.Subject).Kind != "directory") return;
        var others = Files.Names(change.Subject).Where(n => !paths.Contains(Path.Combine(change.Subject, n))).ToList();
        if (others.Count > 0) reasons.Add($"directory {change.Subject}: {others.Count} in it that no layer made, {others[0]} for one");
    }

    private async Task UndoAsync(LayerChange change)
    {
        switch (change.Kind)
        {
            case "file":
                change.FileBefore!.Restore(change.Subject, journal.Kept);
                break;
            case "packages":
                await UndoAsync(change.Packages ?? []);
                break;
            case "user":
                await doors.AccountAsync(change.AccountBefore is not { } user
                    ? ["userdel", change.Subject]
                    :
                    [
                        "usermod", "-g", user.Group!, "-G", string.Join(',', user.Groups),
                        .. user.Home is { } home ? ["-d", home] : Array.Empty<string>(),
                        .. user.Shell is { } shell ? ["-s", shell] : Array.Empty<string>(),
                        change.Subject,
                    ]);
                break;
            case "group":
                if (StepDo.Group(change.Subject) is not null) await doors.AccountAsync("groupdel", change.Subject);
                break;
            case "command" when change.Undo is { } undo:
                await UndoAsync(undo, isUnderWay: journal.UnderWay.Contains(change));
                break;
        }
    }

    private async Task UndoAsync(IReadOnlyList<string> undo, bool isUnderWay)
    {
        try
        {
            await doors.RunAsync(undo, UndoLimit);
        }
        catch (LayerFailedException) when (isUnderWay)
        {
            // What was broken off may not have done what is to be taken back.
        }
    }

    private async Task UndoAsync(IReadOnlyList<PackageChange> packages)
    {
        var purge = packages.Where(p => p.Before is null).Select(p => p.Name).ToList();
        var restore = packages.Where(p => p.Before is not null).Select(p => $"{p.Name}={p.Before}").ToList();
        if (purge.Count > 0)
        {
            // Others that were installed since and need these would go with them.
            var would = (await doors.PackagesAsync(["-s", "purge", "--", .. purge])).Split('\n').Select(l => l.Split(' ')).Where(w => w is ["Purg" or "Remv", ..]).Select(w => w[1]).ToList();
            if (would.Except(purge).ToList() is { Count: > 0 } others) throw new LayerFailedException($"packages that no layer installed need what would be removed: {string.Join(' ', others)}");
            await StopUnitsAsync(purge);
            await doors.PackagesAsync(["purge", "--", .. purge]);
        }

        if (restore.Count > 0) await doors.PackagesAsync(["install", "--allow-downgrades", "--no-install-recommends", "--", .. restore]);
    }

    /// <summary>Not each package ends what it started when it is removed: Debian's unattended-upgrades goes on running without its files.</summary>
    private async Task StopUnitsAsync(IReadOnlyList<string> packages)
    {
        if (!await doors.SucceedsAsync(["systemctl", "show", "--property=Version"], UndoLimit)) return;
        var installed = await doors.PackagesNowAsync();
        if (packages.Where(installed.ContainsKey).ToList() is not { Count: > 0 } there) return;
        var files = (await doors.RunAsync(["dpkg-query", "-L", .. there], UndoLimit)).Split('\n');
        // A template is no unit.
        var units = files
            .Where(f => Path.GetDirectoryName(f)?.EndsWith("/lib/systemd/system", StringComparison.Ordinal) == true)
            .Where(f => Path.GetExtension(f) is ".service" or ".timer" or ".socket" or ".path")
            .Select(f => Path.GetFileName(f)).Where(u => !u.Contains('@', StringComparison.Ordinal)).Distinct().ToList();
        if (units.Count > 0) await doors.RunAsync(["systemctl", "stop", "--", .. units], UndoLimit);
    }

    private static string Words(LayerChange change) => change.Kind switch
    {
        "file" => $"{(change.FileAfter!.IsAbsent ? change.FileBefore! : change.FileAfter).Kind} {change.Subject}: back to {change.FileBefore}",
        "packages" => $"packages: {string.Join(", ", (change.Packages ?? []).Select(p => p.Before is null ? $"remove {p.Name}" : $"{p.Name} {p.Before}"))}",
        "user" or "group" => change.AccountBefore is null ? $"{change.Kind} {change.Subject}: remove it" : $"{change.Kind} {change.Subject}: back to {change.AccountBefore}",
        _ => change.Undo is { } undo ? $"command: {string.Join(' ', undo)}" : $"command: {change.Subject} is left to `rollback`",
    };

    private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);
}
