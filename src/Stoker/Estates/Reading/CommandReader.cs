using System.Text.RegularExpressions;
using Stoker.Platform;

namespace Stoker.Estates.Reading;

/// <summary>What is run, as whom, where, and how it is told to stop, to reload, and what runs around it.</summary>
internal static partial class CommandReader
{
    public static ServiceSpec Read(ServiceSpec spec, ServiceSource source)
    {
        var map = source.Map;
        var command = source.Words(map.Find("command"), "a `command`");
        var entrypoint = source.Words(map.Find("entrypoint"), "an `entrypoint`");
        if (!source.IsContainer) RequireCommand(source, command, entrypoint);
        return spec with
        {
            Command = command,
            CommandWhere = (map.Find("command") ?? map.Find("entrypoint"))?.Where,
            Entrypoint = entrypoint,
            User = ReadUser(source, map, ""),
            WorkingDirectory = ReadDirectory(source, map) ?? (source.IsContainer ? null : source.Context.DirectoryOf(map.Where.File)),
            StopSignal = ReadSignal(source, "stop_signal") ?? spec.StopSignal,
            StopGracePeriod = map.Duration("stop_grace_period") ?? spec.StopGracePeriod,
            Reload = ReadReload(source),
            PostStart = ReadHooks(source, "post_start"),
            PreStop = ReadHooks(source, "pre_stop"),
        };
    }

    private static void RequireCommand(ServiceSource source, IReadOnlyList<string>? command, IReadOnlyList<string>? entrypoint)
    {
        if (source.Map.Find("provider") is not null || source.Map.Find("tunnel") is not null) return; // refused already, or made of it
        var written = source.Map.Find("entrypoint") ?? source.Map.Find("command");
        if (written is null or ScalarNode { Value: null })
        {
            source.Report(EstateDiagnostics.NothingToRun, source.Where, "has nothing to run: neither `command` nor `image`",
                "give it a `command` for a plain process, or an `image` for a container");
            return;
        }

        // A null here is a command that could not be split, which was reported.
        if ((written == source.Map.Find("entrypoint") ? entrypoint : command) is not { } first) return;
        if (first.Count == 0 || first[0].Length == 0)
            source.Report(EstateDiagnostics.EmptyCommand, written.Where, "has a command without a word");
    }

    private static string? ReadDirectory(ServiceSource source, MappingNode map) =>
        map.PositionedText("working_dir") is { } directory
            ? source.IsContainer ? directory.Value : source.Context.PathAt(directory.Value, directory.Where)
            : null;

    private static Positioned<string>? ReadUser(ServiceSource source, MappingNode map, string of)
    {
        if (map.PositionedText("user") is not { Value.Length: > 0 } user) return null;
        if (UserPattern().IsMatch(user.Value)) return user;
        source.Report(EstateDiagnostics.InvalidUser, user.Where, $"has {of}user `{user.Value}`, which is not `name|uid[:group|gid]`");
        return null;
    }

    private static int? ReadSignal(ServiceSource source, string key)
    {
        if (source.Map.Scalar(key) is not { Value: { Length: > 0 } name } scalar) return null;
        if (Signals.TryParse(name, out var signal)) return signal;
        source.Report(EstateDiagnostics.InvalidSignal, scalar.Where, $"has `{key}` `{name}`, which is no signal", SignalHint(name));
        return null;
    }

    private static string? SignalHint(string name) =>
        Diagnostics.Suggestion.For(name, Enumerable.Range(1, 31).Select(Signals.Name)) ?? "a name such as `SIGTERM`, or a number";

    private static ReloadSpec? ReadReload(ServiceSource source)
    {
        switch (source.Map.Find("reload"))
        {
            case ScalarNode { Value: { Length: > 0 } name } scalar:
                if (Signals.TryParse(name, out var signal)) return new ReloadSpec(signal, null, scalar.Where);
                source.Report(EstateDiagnostics.InvalidReload, scalar.Where, $"has `reload` `{name}`, which is no signal",
                    "a command is written as a list, as in `[nginx, -s, reload]`");
                return null;
            case SequenceNode list:
                var words = source.Words(list, "a `reload`");
                if (words is { Count: > 0 } && words[0].Length > 0) return new ReloadSpec(null, words, list.Where);
                source.Report(EstateDiagnostics.EmptyCommand, list.Where, "has a `reload` without a word");
                return null;
            default:
                return null;
        }
    }

    private static List<HookSpec> ReadHooks(ServiceSource source, string key)
    {
        var hooks = new List<HookSpec>();
        foreach (var map in source.Map.Items(key).OfType<MappingNode>())
        {
            if (source.Words(map.Find("command"), $"a `{key}` command") is not { } command) continue;
            if (command.Count == 0 || command[0].Length == 0)
            {
                source.Report(EstateDiagnostics.EmptyCommand, map.Where, $"has a `{key}` command without a word");
                continue;
            }

            var environment = new Dictionary<string, string>();
            foreach (var (name, value) in EnvironmentReader.Pairs(source, map, "environment"))
            {
                if ((value.Value ?? source.Context.Variables.GetValueOrDefault(name)) is { } known) environment[name] = known;
            }

            hooks.Add(new HookSpec(command, ReadUser(source, map, $"`{key}` ")?.Value, ReadDirectory(source, map), environment, map.Where));
        }

        return hooks;
    }

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$")]
    private static partial Regex UserPattern();
}
