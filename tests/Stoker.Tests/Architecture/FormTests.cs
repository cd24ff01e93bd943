using System.Text.RegularExpressions;
using Xunit;

namespace Stoker.Tests.Architecture;

public sealed partial class FormTests
{
    private const int LongestFile = 400, LongestMethod = 60, LongestLine = 200;

    private static readonly string[] ForbiddenEndings = ["Manager", "Helper", "Helpers", "Utils", "Utilities", "Processor", "Base", "Impl", "Common", "Info"];

    [Fact]
    public void No_file_is_longer_than_one_can_hold_in_mind() =>
        Findings.AreNone(Repository.Sources.Where(file => file.Lines.Length > LongestFile).Select(file => $"{file.Path}: {file.Lines.Length} lines"));

    [Fact]
    public void No_line_is_longer_than_a_screen_is_wide() =>
        Findings.AreNone(Repository.Sources.SelectMany(file => file.Lines.Select((line, index) => (file.Path, Number: index + 1, line.Length)))
            .Where(line => line.Length > LongestLine)
            .Select(line => $"{line.Path}:{line.Number}: {line.Length} characters"));

    // Constructors (.ctor, .cctor) span the field initializers, which may stand far apart.
    [Fact]
    public void No_method_is_longer_than_a_screen() =>
        Findings.AreNone(MethodLengths.Read()
            .Where(method => method.Lines > LongestMethod && !method.Method.Contains(".ctor", StringComparison.Ordinal) && !method.Method.Contains(".cctor", StringComparison.Ordinal))
            .Select(method => $"{method.File}: {method.Method}: {method.Lines} lines"));

    [Fact]
    public void No_type_has_a_name_that_says_nothing() =>
        Findings.AreNone(References.Program.GetTypes()
            .Where(type => References.PartOf(type) is not null && !type.Name.StartsWith('<'))
            .Select(type => type.Name.Split('`')[0])
            .Where(name => ForbiddenEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))));

    // The web framework's generator makes the entry point public.
    [Fact]
    public void Nothing_is_public() =>
        Findings.AreNone(References.Program.GetExportedTypes().Where(type => type != References.Program.EntryPoint?.DeclaringType).Select(type => type.FullName));

    [Fact]
    public void No_region_no_forgotten_task_no_silenced_warning() =>
        Findings.AreNone(Repository.Sources.SelectMany(file => file.Lines.Select((line, index) => (file.Path, Number: index + 1, Text: line)))
            .Where(line => Forbidden().IsMatch(line.Text))
            .Select(line => $"{line.Path}:{line.Number}: {line.Text.Trim()}"));

    [Fact]
    public void A_file_is_named_after_a_type_in_it() =>
        Findings.AreNone(Repository.Sources.Where(file => file.Folder.Length > 0)
            .Where(file => !file.Lines.Any(line => Regex.IsMatch(line, $@"\b(class|record|struct|interface|enum)\s+{Regex.Escape(file.Name)}\b"))
                && !DeclaresSeveral(file))
            .Select(file => file.Path));

    [Fact]
    public void Every_test_is_named_by_a_sentence() =>
        Findings.AreNone(Repository.Tests.SelectMany(file => TestNames(file).Where(name => !name.Contains('_')).Select(name => $"{file.Path}: {name}")));

    // A file of small records that belong together is named by their plural: Queries.cs, ServiceDocuments.cs.
    private static bool DeclaresSeveral(SourceFile file) => file.Name.EndsWith('s') && file.Lines.Count(line => Declaration().IsMatch(line)) > 1;

    private static IEnumerable<string> TestNames(SourceFile file) =>
        file.Lines.Zip(file.Lines.Skip(1)).Where(pair => pair.First.Trim() is "[Fact]" or "[Theory]")
            .Select(pair => MethodName().Match(pair.Second)).Where(match => match.Success).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"^\s*#region|\bTODO\b|\bFIXME\b|\bHACK\b|\bXXX\b|#pragma warning disable|NotImplementedException")]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"^internal .*\b(class|record|struct|interface|enum) ")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"public (?:async )?[\w<>]+ (\w+)\(")]
    private static partial Regex MethodName();
}
