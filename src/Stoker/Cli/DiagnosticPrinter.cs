using System.Text;
using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;
using Stoker.Estates.Yaml;

namespace Stoker.Cli;

/// <summary>
/// Diagnostics for people. On a terminal the line that is meant is shown, with a caret below the place:
/// <code>
/// stoker.yaml:14:18: error EST021: service `vision` depends on unknown service `rediss`
///   14 |     depends_on: [rediss]
///      |                  ^
///   hint: did you mean `redis`?
/// </code>
/// </summary>
/// <param name="files">Where excerpts come from; null: none are shown.</param>
/// <param name="directory">Which the files of diagnostics are relative to.</param>
internal sealed class DiagnosticPrinter(Report report, IEstateFiles? files, string directory, int width)
{
    private readonly Dictionary<string, string[]> _lines = [];

    public static DiagnosticPrinter For(Invocation run, string directory) => new(
        run.Report,
        run.World.Terminal.ErrorIsTerminal ? run.World.Files : null,
        directory,
        run.World.Terminal.ErrorIsTerminal ? run.World.Terminal.Size.Columns : int.MaxValue);

    public void Print(DiagnosticBag bag) => Print(bag.Sorted().Select(DiagnosticDocument.From));

    public void Print(IEnumerable<DiagnosticDocument> diagnostics)
    {
        foreach (var diagnostic in diagnostics) Print(diagnostic);
    }

    private void Print(DiagnosticDocument diagnostic)
    {
        var style = report.Style;
        var place = new SourcePosition(diagnostic.File, diagnostic.Line, diagnostic.Column);
        var kind = style.Paint(diagnostic.Severity, diagnostic.Severity == "error" ? Tone.Bad : Tone.Busy);
        report.Say($"{style.Paint($"{place}:", Tone.Strong)} {kind} {diagnostic.Code}: {diagnostic.Message}");
        if (diagnostic.Line > 0 && Line(diagnostic) is { } line) Excerpt(line, diagnostic);
        report.Hint(diagnostic.Hint);
    }

    private void Excerpt(string line, DiagnosticDocument diagnostic)
    {
        var number = $"{diagnostic.Line,4} | ";
        var room = Math.Max(20, width - number.Length);
        var column = Math.Clamp(diagnostic.Column - 1, 0, line.Length);
        // A place far to the right of a long line is brought into view.
        var skip = column < room - 8 ? 0 : Math.Min(column - (room / 2), line.Length);
        var shown = TextWidth.Cut(TextWidth.OneLine(line[skip..]), room);
        report.Say(report.Style.Paint(number, Tone.Dim) + shown);
        report.Say(report.Style.Paint("     | ", Tone.Dim) + new string(' ', TextWidth.Of(TextWidth.OneLine(line[skip..column]))) + report.Style.Paint("^", Tone.Bad));
    }

    private string? Line(DiagnosticDocument diagnostic)
    {
        if (files is null) return null;
        if (!_lines.TryGetValue(diagnostic.File, out var lines))
        {
            var content = files.Read(Path.GetFullPath(diagnostic.File, directory), out _);
            lines = content is null ? [] : Encoding.UTF8.GetString(content).TrimStart('\uFEFF').Split('\n');
            _lines[diagnostic.File] = lines;
        }

        return diagnostic.Line <= lines.Length ? lines[diagnostic.Line - 1].TrimEnd('\r') : null;
    }
}
