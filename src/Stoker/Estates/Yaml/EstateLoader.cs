using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>
/// Estate files to one positioned, merged, interpolated tree. Nothing here knows what a key means, except those that load more:
/// <code>
/// files ─ parse ─ interpolate ─ include ─ extends ─ merge ─┐
///   .env ────┘                 environments: overlay files ┴─ LoadedEstate
/// </code>
/// Promises: every mistake of every file in one run, each at its place; input that is too large, too deep or endless is refused,
/// never followed. Refuses: guessing; a file that cannot be read makes the whole result null.
/// </summary>
internal static class EstateLoader
{
    private static readonly string[] Names =
        ["stoker.yaml", "stoker.yml", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

    /// <summary>The tree, also when it has mistakes; null when a file could not be read or is not YAML.</summary>
    public static LoadedEstate? Load(LoadRequest request, IEstateFiles door, DiagnosticBag bag)
    {
        var directory = request.ProjectDirectory ?? Path.GetDirectoryName(request.Files[0])!;
        var files = new SourceFiles(door, directory, bag);
        var envFiles = new EnvFiles(files, bag);
        var scope = envFiles.WithDefault(new VariableScope(request.Variables), directory);
        scope = WithProjectName(scope, request.Files, directory, files, bag);

        var assembly = new EstateAssembly(files, envFiles, bag);
        var root = assembly.Assemble(request.Files.Select(f => (f, (SourcePosition?)null)), directory, scope, [], null);
        if (root is null) return null;

        // With a file missing, an environment that seems undeclared may be declared in it.
        if (!files.IsIncomplete)
        {
            var overlays = Overlays.Of(root, request.EnvironmentName, files.NameOf(request.Files[0]), file => files.Directories[file], bag);
            root = assembly.Assemble(overlays, directory, scope, [], root)!;
        }

        if (files.IsIncomplete) return null;
        return new LoadedEstate(root, directory, files.Read, scope.Values) { Directories = files.Directories };
    }

    /// <summary>
    /// The estate file of a directory or of the nearest one above, with its <c>.override</c> file where there is one; null when there
    /// is none up to the root. The order of names: <c>stoker.yaml</c>, <c>compose.yaml</c>, <c>docker-compose.yaml</c>, each also as <c>.yml</c>.
    /// </summary>
    public static IReadOnlyList<string>? Discover(string directory, IEstateFiles door)
    {
        for (var at = directory; at is not null; at = Path.GetDirectoryName(at))
        {
            var found = Names.Select(name => Path.Combine(at, name)).FirstOrDefault(door.Exists);
            if (found is null) continue;
            var stem = found[..found.LastIndexOf('.')];
            var above = new[] { $"{stem}.override.yaml", $"{stem}.override.yml" }.FirstOrDefault(door.Exists);
            return above is null ? [found] : [found, above];
        }

        return null;
    }

    // Compose lets files use the project's name, which one of them may set.
    private static VariableScope WithProjectName(VariableScope scope, IReadOnlyList<string> paths, string directory, SourceFiles files, DiagnosticBag bag)
    {
        const string Variable = "COMPOSE_PROJECT_NAME";
        var name = paths.Select(path => files.Parse(path, null)?.Root.Find("name")).OfType<ScalarNode>().LastOrDefault();
        var value = name is null ? Path.GetFileName(directory) : Interpolation.Apply(name, scope, bag).Value;
        return scope.Over(new Dictionary<string, string> { [Variable] = value ?? "" });
    }
}
