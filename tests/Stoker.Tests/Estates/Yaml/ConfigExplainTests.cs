using Stoker.Estates;
using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates.Yaml;

public sealed class ConfigExplainTests
{
    private readonly FakeEstateFiles _files = new FakeEstateFiles()
        .With("stoker.yaml", "include: [part.yaml]\nenvironments: {production: [prod.yaml]}\nservices:\n  vision:\n    environment: {LOG_LEVEL: info}\n    command: [a, b]\n  my.service: {image: x}\n")
        .With("part.yaml", "services:\n  vision:\n    environment: [LOG_LEVEL=trace, REGION=eu]\n")
        .With("prod.yaml", "services:\n  vision:\n    environment:\n      LOG_LEVEL: warning\n");

    [Fact]
    public void A_value_knows_who_set_it_and_what_it_overrode()
    {
        var found = Find("services.vision.environment.LOG_LEVEL");
        Assert.Equal("warning prod.yaml:4:18", Shown(found.Node));
        Assert.Equal(["info stoker.yaml:5:30", "trace part.yaml:3:19"], found.Overrode.Select(Shown));
    }

    [Theory]
    [InlineData("services.vision.command[1]", "b")]
    [InlineData("services.\"my.service\".image", "x")]
    [InlineData("services.'my.service'.image", "x")]
    [InlineData("environments.production[0]", "prod.yaml")]
    public void A_path_has_keys_indices_and_quotes(string path, string value) => Assert.Equal(value, ((ScalarNode)Find(path).Node).Value);

    [Fact]
    public void A_variable_in_a_list_is_found_by_its_name()
    {
        var root = FakeEstateFiles.Parse("environment: [A=1, B, A=2]\n");
        Assert.Equal("2", Assert.IsType<ScalarNode>(Assert.IsType<Explanation.Found>(ConfigExplain.Find(root, "environment.A")).Node).Value);
        Assert.Null(Assert.IsType<ScalarNode>(Assert.IsType<Explanation.Found>(ConfigExplain.Find(root, "environment.B")).Node).Value);
    }

    [Theory]
    [InlineData("services.visoin.command", "services", "visoin", "did you mean `vision`?")]
    [InlineData("services.vision.command[2]", "services.vision.command", "[2]", "the list has 2 items, counted from 0")]
    [InlineData("services.\"my.service\".image.tag", "services.\"my.service\".image", "tag", "the path ends before this: it is a single value")]
    public void A_path_to_nothing_says_how_far_it_leads(string path, string parent, string segment, string hint) =>
        Assert.Equal(new Explanation.Missing(parent, segment, hint), ConfigExplain.Find(_files.Accepted("production").Root, path));

    [Theory]
    [InlineData("", "the path is empty")]
    [InlineData("a..b", "a key is missing between two dots")]
    [InlineData("a.", "the path ends with a dot")]
    [InlineData("a[x]", "`[x]` is no index")]
    [InlineData("a[1", "`[` is not closed")]
    [InlineData("\"a", "a quote is not closed")]
    [InlineData("\"a\"b", "a dot is missing after the closing quote")]
    public void What_is_no_path_is_said(string path, string problem) =>
        Assert.Equal(new Explanation.Malformed(problem), ConfigExplain.Find(_files.Accepted().Root, path));

    private Explanation.Found Find(string path) => Assert.IsType<Explanation.Found>(ConfigExplain.Find(_files.Accepted("production").Root, path));

    private static string Shown(Node node) => $"{((ScalarNode)node).Value} {node.Where}";
}
