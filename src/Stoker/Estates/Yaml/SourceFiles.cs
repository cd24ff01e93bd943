using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>The files of one run of the loader: each is read and parsed once, and named as the owner would type it.</summary>
internal sealed class SourceFiles(IEstateFiles door, string estateDirectory, DiagnosticBag bag)
{
    private readonly Dictionary<string, string?> _texts = [];
    private readonly Dictionary<string, ParsedFile?> _parsed = [];
    private readonly Dictionary<(string Path, VariableScope Scope), MappingNode> _interpolated = [];
    private readonly Dictionary<string, string> _directories = [];
    private readonly List<string> _read = [];

    /// <summary>Every file that was read, in order.</summary>
    public IReadOnlyList<string> Read => _read;

    /// <summary>Shown name → the directory from which its relative paths start.</summary>
    public IReadOnlyDictionary<string, string> Directories => _directories;

    /// <summary>Some file could not be read or parsed, so that what is missing from the result means nothing.</summary>
    public bool IsIncomplete { get; private set; }

    public bool Exists(string path) => door.Exists(path);

    /// <summary>Relative to the estate's directory, unless that leads far away from it.</summary>
    public string NameOf(string path)
    {
        var relative = Path.GetRelativePath(estateDirectory, path);
        return relative.StartsWith("../../../", StringComparison.Ordinal) ? path : relative;
    }

    /// <summary>
    /// The file's mapping with variables replaced, or null when a diagnostic says why not.
    /// </summary>
    /// <param name="directory">Where the file's relative paths start.</param>
    /// <param name="asked">Where the file is mentioned; null: on the command line.</param>
    public MappingNode? Load(string path, string directory, VariableScope scope, SourcePosition? asked)
    {
        if (Parse(path, asked) is not { } parsed) return null;
        var name = NameOf(path);
        if (!_directories.TryAdd(name, directory) && _directories[name] != directory)
        {
            bag.Add(YamlDiagnostics.TwoDirectories, asked ?? SourcePosition.Whole(name),
                $"`{name}` is read for the project directories `{NameOf(_directories[name])}` and `{NameOf(directory)}`", "relative paths in it would be ambiguous; make two files");
        }

        if (_interpolated.TryGetValue((path, scope), out var known)) return known;
        var root = Interpolation.Apply(parsed, scope, bag);
        _interpolated.Add((path, scope), root);
        return root;
    }

    /// <summary>The file as written, read once however often it is asked for.</summary>
    public ParsedFile? Parse(string path, SourcePosition? asked)
    {
        if (_parsed.TryGetValue(path, out var known)) return known;
        var text = ReadText(path, asked);
        var parsed = text is null ? null : NodeParser.Parse(text, NameOf(path), bag);
        IsIncomplete |= parsed is null;
        _parsed.Add(path, parsed);
        return parsed;
    }

    public string? ReadText(string path, SourcePosition? asked)
    {
        if (_texts.TryGetValue(path, out var known)) return known;
        var name = NameOf(path);
        string? text = null;
        if (door.Read(path, out var problem) is { } bytes)
        {
            _read.Add(path);
            text = Utf8Text.Decode(bytes, name, bag);
        }
        else
        {
            var place = asked ?? SourcePosition.Whole(name);
            bag.Add(YamlDiagnostics.Unreadable, place, asked is null ? $"cannot be read: {problem}" : $"`{name}` cannot be read: {problem}");
        }

        IsIncomplete |= text is null;
        _texts.Add(path, text);
        return text;
    }
}
