using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>What the readers need to know beside the file itself.</summary>
/// <param name="DefaultName">Name of the estate where the file gives none: that of its directory.</param>
/// <param name="File">The main file, as the owner would type it.</param>
/// <param name="Directory">Absolute directory of the estate.</param>
/// <param name="DirectoryOf">Absolute directory that relative paths written in a file start from.</param>
/// <param name="Variables">Environment and <c>.env</c>, for <c>~</c> and for hooks' variables without a value.</param>
/// <param name="VariableFiles">The door to <c>env_file</c> and <c>label_file</c>.</param>
/// <param name="Sections">The sections that other capabilities read.</param>
internal sealed record ReadContext(
    string DefaultName,
    string File,
    string Directory,
    Func<string, string> DirectoryOf,
    IReadOnlyDictionary<string, string> Variables,
    IVariableFiles VariableFiles,
    IReadOnlyList<SectionSpec> Sections)
{
    /// <summary>The overlay chosen by <c>--env</c>, or null.</summary>
    public string? Environment { get; init; }

    /// <summary>Absolute path of one written at a place; <c>~</c> is the home directory.</summary>
    public string PathAt(string path, SourcePosition where)
    {
        if ((path == "~" || path.StartsWith("~/", StringComparison.Ordinal)) && Variables.TryGetValue("HOME", out var home))
            return Path.GetFullPath(home + path[1..], Directory);
        return Path.GetFullPath(path, DirectoryOf(where.File));
    }
}

/// <summary>Reads files of variables, as <c>env_file</c> and <c>label_file</c> name them.</summary>
internal interface IVariableFiles
{
    /// <param name="shown">The path as the owner wrote it, for places in messages.</param>
    /// <param name="raw">Values are taken as they stand: no quotes, no variables.</param>
    /// <param name="bag">Gets mistakes inside the file, with their place.</param>
    VariableFileOutcome Read(string path, string shown, bool raw, DiagnosticBag bag);
}

internal abstract record VariableFileOutcome
{
    /// <summary>In the order of the file; null is a variable without a value.</summary>
    internal sealed record Found(IReadOnlyList<KeyValuePair<string, Positioned<string?>>> Variables) : VariableFileOutcome;

    internal sealed record Missing : VariableFileOutcome;

    /// <param name="Problem">In words, for the end of a sentence.</param>
    internal sealed record Unreadable(string Problem) : VariableFileOutcome;
}
