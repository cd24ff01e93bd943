using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>
/// One entry of <c>include:</c>: <c>path</c>, or <c>{path: [a, b], project_directory: d, env_file: [e]}</c>.
/// </summary>
/// <param name="Paths">Merged in order to one project; at least one.</param>
/// <param name="Directory">Where its relative paths start; default: the first file's directory.</param>
/// <param name="EnvFiles">Null: the project directory's <c>.env</c>, when there is one.</param>
internal sealed record IncludeEntry(
    IReadOnlyList<(string Path, SourcePosition Asked)> Paths,
    string Directory,
    IReadOnlyList<(string Path, SourcePosition Asked)>? EnvFiles)
{
    private static readonly string[] Keys = ["path", "project_directory", "env_file"];

    /// <summary>All entries of a file; what is no entry is reported.</summary>
    /// <param name="directoryOf">The project directory of the file that a node stands in.</param>
    public static IEnumerable<IncludeEntry> ReadAll(MappingNode root, Func<string, string> directoryOf, DiagnosticBag bag)
    {
        switch (root.Find("include"))
        {
            case null or ScalarNode { Value: null }:
                return [];
            case SequenceNode list:
                return list.Items.Select(item => Read(item, directoryOf(item.Where.File), bag)).OfType<IncludeEntry>();
            case { } other:
                bag.Add(YamlDiagnostics.BadInclude, other.Where, $"`include` is {NodeKind.Of(other)}, not a list", "write `include: [other.yaml]`");
                return [];
        }
    }

    private static IncludeEntry? Read(Node item, string directory, DiagnosticBag bag)
    {
        var mapping = item as MappingNode;
        if (item is SequenceNode)
        {
            bag.Add(YamlDiagnostics.BadInclude, item.Where, "this `include` is a list", "write `{path: [a.yaml, b.yaml]}` to merge files to one");
            return null;
        }

        foreach (var (key, _) in mapping?.Entries ?? [])
        {
            if (!Keys.Contains(key.Value) && !key.Value!.StartsWith("x-", StringComparison.Ordinal))
                bag.Add(YamlDiagnostics.BadInclude, key.Where, $"`include` has no key `{key.Value}`", Suggestion.For(key.Value, Keys) ?? "it has `path`, `project_directory` and `env_file`");
        }

        var written = mapping is null ? item : mapping.Find("path");
        if (written is null)
        {
            bag.Add(YamlDiagnostics.BadInclude, item.Where, "this `include` has no `path`");
            return null;
        }

        var paths = PathList.Read(written, "`include`", directory, YamlDiagnostics.BadInclude, bag);
        if (paths.Count == 0) return null;
        var project = mapping?.Find("project_directory") switch
        {
            null or ScalarNode { Value: null } => Path.GetDirectoryName(paths[0].Path)!,
            ScalarNode { Value: { Length: > 0 } own } => PathList.Absolute(own, directory),
            { } other => Refuse(other, paths[0].Path, bag),
        };
        var envFiles = mapping?.Find("env_file") is { } env and not ScalarNode { Value: null }
            ? PathList.Read(env, "`env_file`", directory, YamlDiagnostics.BadInclude, bag)
            : null;
        return new IncludeEntry(paths, project, envFiles);
    }

    private static string Refuse(Node projectDirectory, string firstPath, DiagnosticBag bag)
    {
        bag.Add(YamlDiagnostics.BadInclude, projectDirectory.Where, $"`project_directory` is {NodeKind.Of(projectDirectory)}, not a path");
        return Path.GetDirectoryName(firstPath)!;
    }
}
