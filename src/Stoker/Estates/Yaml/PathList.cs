using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>A path, or a list of paths, as <c>include</c>, <c>env_file</c> and <c>environments</c> take them.</summary>
internal static class PathList
{
    /// <summary>The paths made absolute, each with its place; what is no path is reported as <paramref name="code"/>.</summary>
    public static IReadOnlyList<(string Path, SourcePosition Asked)> Read(Node node, string what, string directory, DiagnosticCode code, DiagnosticBag bag)
    {
        var paths = new List<(string, SourcePosition)>();
        foreach (var item in KeyedLists.Items(node))
        {
            if (item is ScalarNode { Value: { Length: > 0 } path }) paths.Add((Absolute(path, directory), item.Where));
            else bag.Add(code, item.Where, $"{what} is {(item is ScalarNode { Value: "" } ? "empty" : NodeKind.Of(item))}, not a path");
        }

        return paths;
    }

    public static string Absolute(string path, string directory) => Path.GetFullPath(path, directory);
}
