using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>Variables and labels: from files first, then from the keys, which override them.</summary>
internal static class EnvironmentReader
{
    public static IReadOnlyDictionary<string, Positioned<string?>> ReadEnvironment(ServiceSource source)
    {
        var environment = new Dictionary<string, Positioned<string?>>();
        foreach (var file in EnvironmentFiles(source.Map.Find("env_file")))
        {
            foreach (var (name, value) in ReadFile(source, file)) environment[name] = value;
        }

        foreach (var (name, value) in Pairs(source, source.Map, "environment")) environment[name] = value;
        return environment;
    }

    public static IReadOnlyDictionary<string, string> ReadLabels(ServiceSource source)
    {
        var labels = new Dictionary<string, string>();
        foreach (var path in source.Map.Strings("label_file"))
        {
            foreach (var (name, value) in ReadFile(source, new VariableFile("label_file", path, Required: true, Raw: false)))
                labels[name] = value.Value ?? "";
        }

        foreach (var (name, value) in Pairs(source, source.Map, "labels")) labels[name] = value.Value ?? "";
        return labels;
    }

    /// <summary>The entries whose names can be names; the others are reported.</summary>
    public static IEnumerable<KeyValuePair<string, Positioned<string?>>> Pairs(ServiceSource source, MappingNode map, string key)
    {
        foreach (var pair in map.Pairs(key))
        {
            var name = pair.Key;
            if (name.Length > 0 && !name.Contains('=') && !name.Any(char.IsWhiteSpace))
            {
                yield return pair;
                continue;
            }

            var entry = name.Length == 0 ? "an entry without a name" : $"`{name}`";
            source.Report(EstateDiagnostics.InvalidPair, pair.Value.Where, $"has {entry} in `{key}`, which is not `KEY=VALUE`",
                name.Any(char.IsWhiteSpace) ? "no spaces around `=`" : null);
        }
    }

    private sealed record VariableFile(string Key, Positioned<string> Path, bool Required, bool Raw);

    private static IEnumerable<VariableFile> EnvironmentFiles(Node? node)
    {
        if (node is ScalarNode) return node.Strings().Select(File);
        return ((node as SequenceNode)?.Items ?? []).SelectMany<Node, VariableFile>(item => item is MappingNode map
            ? map.PositionedText("path") is { } path ? [new VariableFile("env_file", path, map.Flag("required") ?? true, map.Text("format") == "raw")] : []
            : item.Strings().Select(File));

        static VariableFile File(Positioned<string> path) => new("env_file", path, Required: true, Raw: false);
    }

    private static IReadOnlyList<KeyValuePair<string, Positioned<string?>>> ReadFile(ServiceSource source, VariableFile file)
    {
        var path = source.Context.PathAt(file.Path.Value, file.Path.Where);
        switch (source.Context.VariableFiles.Read(path, file.Path.Value, file.Raw, source.Bag))
        {
            case VariableFileOutcome.Found found:
                return found.Variables;
            case VariableFileOutcome.Missing when !file.Required:
                return [];
            case VariableFileOutcome.Missing:
                Report("does not exist", file.Key == "env_file" ? "if it may be missing: `env_file: [{path: …, required: false}]`" : null);
                return [];
            case VariableFileOutcome.Unreadable unreadable:
                Report($"cannot be read: {unreadable.Problem}", null);
                return [];
            default:
                return [];
        }

        void Report(string problem, string? hint) =>
            source.Report(EstateDiagnostics.MissingFile, file.Path.Where, $"has `{file.Key}` `{file.Path.Value}`, which {problem}", hint);
    }
}
