using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Stoker.Tests.Architecture;

public sealed partial class DependencyTests
{
    [Fact]
    public void Every_package_has_a_row_with_its_version_and_a_reason()
    {
        var rows = Row().Matches(Repository.ReadText("docs/dependencies.md"))
            .Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value}");
        var packages = XDocument.Load(Repository.PathOf("Directory.Packages.props")).Descendants("PackageVersion")
            .Select(package => $"{package.Attribute("Include")!.Value} {package.Attribute("Version")!.Value}");
        Assert.Equal(packages.Order(), rows.Order());
    }

    [GeneratedRegex(@"^\| `([^`]+)` \| ([0-9][^ ]*) \| \w+ \| [^|]{10,} \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
