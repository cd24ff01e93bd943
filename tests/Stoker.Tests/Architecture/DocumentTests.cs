using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Stoker.Tests.Architecture;

public sealed partial class DocumentTests
{
    private static readonly string[] Scripts = ["stoker", "test", ".ci/run"];

    [Fact]
    public void Every_link_between_pages_leads_somewhere() =>
        Findings.AreNone(Repository.Files("*.md").SelectMany(page => Link().Matches(Repository.ReadText(page))
            .Select(match => match.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#'))
            .Select(target => target.Split('#')[0])
            .Where(target => !Path.Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, target)))
            .Select(target => $"{page}: {target}")));

    [Fact]
    public void Every_page_is_reached_from_the_readme()
    {
        var index = Repository.ReadText("README.md") + Repository.ReadText("docs/README.md");
        Findings.AreNone(Repository.Files("*.md").Where(page => page.StartsWith("docs/", StringComparison.Ordinal) && page != "docs/README.md")
            .Where(page => !index.Contains($"({page["docs/".Length..]}", StringComparison.Ordinal) && !index.Contains($"({page}", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_shell_scripts_are_clean()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/shellcheck"), "shellcheck is not installed");
        using var check = Process.Start(new ProcessStartInfo("/usr/bin/shellcheck", Scripts)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("", check.StandardOutput.ReadToEnd());
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
