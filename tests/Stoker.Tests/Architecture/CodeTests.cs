using System.Reflection;
using System.Text;
using Stoker.Diagnostics;
using Xunit;

namespace Stoker.Tests.Architecture;

public sealed class CodeTests
{
    private static readonly IReadOnlyList<(FieldInfo Field, DiagnosticCode Code)> Codes =
    [
        .. References.Program.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => field.FieldType == typeof(DiagnosticCode))
            .Select(field => (field, (DiagnosticCode)field.GetValue(null)!))
            .OrderBy(found => found.Item2.Id, StringComparer.Ordinal),
    ];

    [Fact]
    public void Every_code_is_declared_once() =>
        Findings.AreNone(Codes.GroupBy(found => found.Code.Id).Where(same => same.Count() > 1)
            .Select(same => $"{same.Key}: {string.Join(", ", same.Select(found => found.Field.DeclaringType!.Name + "." + found.Field.Name))}"));

    [Fact]
    public void Every_code_is_three_letters_and_three_digits() =>
        Assert.All(Codes, found => Assert.Matches("^[A-Z]{3}[0-9]{3}$", found.Code.Id));

    [Fact]
    public void Every_title_reads_on_from_the_word_when() =>
        Findings.AreNone(Codes.Where(found => found.Code.Title is not { Length: > 5 } title || char.IsUpper(title[0]) && char.IsLower(title[1]) || title.EndsWith('.'))
            .Select(found => $"{found.Code.Id}: {found.Code.Title}"));

    [Fact]
    public void Every_code_has_a_case_that_shows_it()
    {
        var evidence = Repository.Tests.Where(file => !file.Path.Contains("/Architecture/", StringComparison.Ordinal)).SelectMany(file => file.Lines)
            .Concat(Repository.Files("*.diagnostics").Concat(Repository.Files("*.txt")).SelectMany(file => File.ReadLines(Repository.PathOf(file))));
        var text = string.Join('\n', evidence);
        Findings.AreNone(Codes
            .Where(found => !text.Contains(found.Code.Id, StringComparison.Ordinal)
                && !text.Contains($"{found.Field.DeclaringType!.Name}.{found.Field.Name}", StringComparison.Ordinal))
            .Select(found => $"{found.Code.Id} {found.Field.DeclaringType!.Name}.{found.Field.Name}: {found.Code.Title}"));
    }

    [Fact]
    public void The_page_of_codes_has_a_row_for_each()
    {
        var page = new StringBuilder("# Diagnostic codes\n\nWhat `stoker check`, `plan` and `up` may say about an estate file. An id keeps its meaning for ever; the message of a case names\nthe place, the words of the file and, below it, a way out. This page is generated from the program.\n\n| code | severity | when |\n|---|---|---|\n");
        foreach (var (_, code) in Codes)
            page.Append($"| {code.Id} | {code.Severity.ToString().ToLowerInvariant()} | {code.Title.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        Repository.HoldPage("docs/codes.md", page.ToString());
    }
}
