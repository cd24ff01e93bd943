using System.Collections;

namespace Stoker.Diagnostics;

/// <summary>Collects every mistake of a run, so that all are reported at once. Order of report is by file and place.</summary>
internal sealed class DiagnosticBag : IEnumerable<Diagnostic>
{
    private readonly List<Diagnostic> _items = [];

    public bool HasErrors => _items.Exists(d => d.Severity == Severity.Error);

    public int Count => _items.Count;

    public void Add(Diagnostic diagnostic) => _items.Add(diagnostic);

    public void Add(DiagnosticCode code, SourcePosition where, string message, string? hint = null) =>
        _items.Add(new Diagnostic(code, where, message, hint));

    public void AddRange(IEnumerable<Diagnostic> diagnostics) => _items.AddRange(diagnostics);

    /// <summary>In reading order: by file in order of first mention, then line and column, the same message only once.</summary>
    public IReadOnlyList<Diagnostic> Sorted()
    {
        var files = _items.Select(d => d.Where.File).Distinct().Select((file, index) => (file, index)).ToDictionary(p => p.file, p => p.index);
        return [.. _items.Distinct().OrderBy(d => files[d.Where.File]).ThenBy(d => d.Where.Line).ThenBy(d => d.Where.Column)];
    }

    public IEnumerator<Diagnostic> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
