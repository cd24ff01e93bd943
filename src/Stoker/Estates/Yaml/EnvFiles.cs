using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>Adds <c>.env</c> files to a scope; what the scope already sets wins.</summary>
internal sealed class EnvFiles(SourceFiles files, DiagnosticBag bag)
{
    private readonly Dictionary<(string Path, VariableScope Scope), VariableScope> _read = [];

    /// <summary>The directory's <c>.env</c>, when there is one.</summary>
    public VariableScope WithDefault(VariableScope scope, string directory)
    {
        var path = Path.Combine(directory, ".env");
        return files.Exists(path) ? With(scope, path, null) : scope;
    }

    /// <summary>Named files, later ones over earlier ones.</summary>
    public VariableScope With(VariableScope scope, IEnumerable<(string Path, SourcePosition Asked)> paths)
    {
        // The scope wins over every file, so the last file goes in first.
        return paths.Reverse().Aggregate(scope, (current, file) => file.Path == "/dev/null" ? current : With(current, file.Path, file.Asked));
    }

    private VariableScope With(VariableScope scope, string path, SourcePosition? asked)
    {
        // One scope for one file and one caller: files interpolated with it are then known to be the same.
        if (_read.TryGetValue((path, scope), out var known)) return known;
        var text = files.ReadText(path, asked);
        var result = text is null ? scope : scope.Over(DotEnv.Parse(text, files.NameOf(path), scope.Find, bag));
        _read.Add((path, scope), result);
        return result;
    }
}
