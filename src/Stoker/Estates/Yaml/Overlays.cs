using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary><c>environments: {production: [overlays/production.yaml]}</c>: which files <c>--env production</c> merges last.</summary>
internal static class Overlays
{
    public static IReadOnlyList<(string Path, SourcePosition? Asked)> Of(
        MappingNode root, string? environment, string mainFile, Func<string, string> directoryOf, DiagnosticBag bag)
    {
        var declared = root.Find("environments");
        if (declared is not (null or MappingNode or ScalarNode { Value: null }))
            bag.Add(YamlDiagnostics.BadEnvironments, declared.Where, $"`environments` is {NodeKind.Of(declared)}, not a mapping", "write `environments: {production: [overlays/production.yaml]}`");
        var entries = (declared as MappingNode)?.Entries ?? [];
        IReadOnlyList<(string, SourcePosition?)>? chosen = null;
        foreach (var (key, value) in entries)
        {
            // All are checked, so that a mistake in `production` shows before production needs it.
            if (value is ScalarNode { Value: null })
            {
                if (key.Value == environment) chosen = [];
                continue;
            }

            var paths = PathList.Read(value, $"environment `{key.Value}`", directoryOf(value.Where.File), YamlDiagnostics.BadEnvironments, bag);
            if (key.Value == environment) chosen = [.. paths.Select(p => (p.Path, (SourcePosition?)p.Asked))];
        }

        if (environment is not null && chosen is null) ReportUnknown(environment, declared, entries, mainFile, bag);
        return chosen ?? [];
    }

    private static void ReportUnknown(
        string environment, Node? declared, IReadOnlyList<KeyValuePair<ScalarNode, Node>> entries, string mainFile, DiagnosticBag bag)
    {
        var names = entries.Select(e => e.Key.Value!).ToList();
        var list = names.Count == 0 ? "none is declared" : $"declared are {string.Join(", ", names.Select(n => $"`{n}`"))}";
        var nearest = Suggestion.For(environment, names);
        bag.Add(YamlDiagnostics.UnknownEnvironment, declared?.Where ?? SourcePosition.Whole(mainFile), $"environment `{environment}` is not declared",
            nearest is null ? list : $"{nearest} {list}");
    }
}
