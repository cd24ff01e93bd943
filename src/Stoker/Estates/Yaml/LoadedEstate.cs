namespace Stoker.Estates.Yaml;

/// <summary>The estate as one tree: included, merged, interpolated and extended, every value still knowing its place.</summary>
/// <param name="Directory">The project directory, absolute.</param>
/// <param name="Files">Absolute paths of every file that was read, for watching; <c>.env</c> files are among them.</param>
/// <param name="Variables">The caller's environment over <c>.env</c>, as interpolation saw it.</param>
internal sealed record LoadedEstate(
    MappingNode Root,
    string Directory,
    IReadOnlyList<string> Files,
    IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>By the file name of a <see cref="Diagnostics.SourcePosition"/>: where that file's relative paths start.</summary>
    public IReadOnlyDictionary<string, string> Directories { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// The directory from which a relative path written in <paramref name="file"/> is resolved: the project directory for the
    /// estate's own files and overlays, the including project's for included ones, its own for a file that was extended from.
    /// </summary>
    public string DirectoryOf(string file) => Directories.TryGetValue(file, out var directory) ? directory : Directory;
}
