using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates.Yaml;

public sealed class EstateLoaderTests
{
    [Fact]
    public void The_callers_environment_wins_over_the_env_file()
    {
        var files = new FakeEstateFiles().With(".env", "A=file\nB=file\n").With("stoker.yaml", "x: $A $B ${C:-none}\n").WithVariable("A", "caller");
        var estate = files.Accepted();
        Assert.Equal("caller file none", Value(estate, "x"));
        Assert.Equal("file", estate.Variables["B"]);
        Assert.Equal(["/e/.env", "/e/stoker.yaml"], estate.Files);
    }

    [Fact]
    public void An_included_project_has_its_own_env_file_under_the_outer_variables()
    {
        var files = new FakeEstateFiles()
            .With(".env", "A=outer\n")
            .With("stoker.yaml", "include: [sub/part.yaml, {path: sub/other.yaml, env_file: [one.env, two.env]}]\nz: $A ${B:-unset}\n")
            .With("sub/.env", "A=inner\nB=inner\n").With("sub/part.yaml", "x: $A $B\n")
            .With("one.env", "A=one\nC=one\nD=one\n").With("two.env", "D=two\n").With("sub/other.yaml", "y: $A $C $D\n");
        var estate = files.Accepted();
        Assert.Equal("outer inner", Value(estate, "x"));
        Assert.Equal("outer one two", Value(estate, "y"));
        Assert.Equal("outer unset", Value(estate, "z"));
    }

    [Fact]
    public void Relative_paths_start_where_Compose_starts_them()
    {
        var files = new FakeEstateFiles()
            .With("stoker.yaml", "include: [sub/part.yaml, {path: sub/deep/other.yaml, project_directory: sub}]\nservices: {web: {extends: {file: base/b.yaml, service: b}}}\n")
            .With("overlays/o.yaml", "services: {web: {image: x}}\n")
            .With("sub/part.yaml", "services: {p: {extends: {file: base.yaml, service: b}}}\n")
            .With("sub/deep/other.yaml", "services: {o: {image: x}}\n")
            .With("sub/base.yaml", "services: {b: {image: x}}\n")
            .With("base/b.yaml", "services: {b: {env_file: b.env}}\n");
        var estate = files.Accepted(null, "stoker.yaml", "overlays/o.yaml");
        var file = ((Explanation.Found)ConfigExplain.Find(estate.Root, "services.web.env_file")).Node.Where.File;
        Assert.Equal("/e/base", estate.DirectoryOf(file));
        Assert.Equal("/e", estate.DirectoryOf("overlays/o.yaml"));
        Assert.Equal("/e/sub", estate.DirectoryOf("sub/part.yaml"));
        Assert.Equal("/e/sub", estate.DirectoryOf("sub/deep/other.yaml"));
    }

    [Fact]
    public void Later_files_win_and_the_including_file_wins_over_what_it_includes()
    {
        var files = new FakeEstateFiles()
            .With("stoker.yaml", "include: [a.yaml, b.yaml]\nz: main\n").With("a.yaml", "x: a\ny: a\nz: a\n").With("b.yaml", "y: b\nz: b\n");
        var estate = files.Accepted();
        Assert.Equal(["a", "b", "main"], new[] { "x", "y", "z" }.Select(key => Value(estate, key)));
    }

    [Fact]
    public void Mistakes_of_all_files_come_in_one_run()
    {
        var messages = new FakeEstateFiles()
            .With("stoker.yaml", "include: [a.yaml, b.yaml]\nx: ${\n").With("a.yaml", "a: [\n").With("b.yaml", "b: ${}\nb: 1\n")
            .Messages("nowhere");
        Assert.Equal(["stoker.yaml:2:4", "a.yaml:2:1", "b.yaml:1:4", "b.yaml:2:1"], messages.Select(m => m.Split(": ")[0]));
    }

    [Fact]
    public void A_file_used_by_a_thousand_services_is_read_once()
    {
        var services = string.Concat(Enumerable.Range(0, 1000).Select(i => $"  s{i}: {{extends: {{file: base.yaml, service: b}}}}\n"));
        var files = new FakeEstateFiles().With("stoker.yaml", "services:\n" + services).With("base.yaml", "services: {b: {image: x}}\n");
        files.Accepted();
        Assert.Equal(2, files.Reads);
    }

    [Fact]
    public void Includes_that_multiply_are_stopped()
    {
        var files = new FakeEstateFiles().With("f30.yaml", "x: 1\n").With("stoker.yaml", "include: [f0.yaml]\n");
        for (var i = 0; i < 30; i++) files.With($"f{i}.yaml", $"include: [f{i + 1}.yaml, ./f{i + 1}.yaml]\n");
        Assert.Contains("EST024", Assert.Single(files.Messages()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_may_be_included_twice_by_different_ways()
    {
        var files = new FakeEstateFiles()
            .With("stoker.yaml", "include: [a.yaml, b.yaml]\n").With("a.yaml", "include: [c.yaml]\n").With("b.yaml", "include: [c.yaml]\n")
            .With("c.yaml", "services: {web: {ports: ['80:80']}}\n");
        Assert.Equal("services:\n  web:\n    ports:\n      - \"80:80\"\n", files.Print());
    }

    [Fact]
    public void An_overlay_may_extend_what_earlier_files_declare()
    {
        var files = new FakeEstateFiles()
            .With("stoker.yaml", "services: {web: {image: x, restart: always}}\n").With("over.yaml", "services: {second: {extends: web, image: y}}\n");
        Assert.Contains("second:\n    image: y\n    restart: always\n", files.Print(null, "stoker.yaml", "over.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_of_the_command_line_is_named()
    {
        Assert.Equal(["none.yaml: error EST001: cannot be read: no such file"], new FakeEstateFiles().Messages(null, "none.yaml"));
    }

    [Theory]
    [InlineData("compose.yaml docker-compose.yaml", "compose.yaml")]
    [InlineData("compose.yaml stoker.yml", "stoker.yml")]
    [InlineData("stoker.yaml stoker.override.yml compose.override.yaml", "stoker.yaml stoker.override.yml")]
    [InlineData("docker-compose.yml docker-compose.override.yaml", "docker-compose.yml docker-compose.override.yaml")]
    [InlineData("other.yaml", null)]
    public void The_estate_file_is_found_with_its_override_here_or_above(string there, string? found)
    {
        var files = new FakeEstateFiles();
        foreach (var name in there.Split(' ')) files.With(name, "");
        var expected = found?.Split(' ').Select(f => $"/e/{f}");
        Assert.Equal(expected, EstateLoader.Discover("/e", files));
        Assert.Equal(expected, EstateLoader.Discover("/e/sub/deeper", files));
    }

    [Fact]
    public void Codes_are_unique_and_in_their_range()
    {
        Assert.Equal(YamlDiagnostics.All.Count, YamlDiagnostics.All.Select(c => c.Id).Distinct().Count());
        Assert.All(YamlDiagnostics.All, code => Assert.InRange(int.Parse(code.Id[3..]), 1, 49));
        Assert.DoesNotContain("EST021", YamlDiagnostics.All.Select(c => c.Id));
    }

    private static string? Value(LoadedEstate estate, string key) => ((ScalarNode)estate.Root.Find(key)!).Value;
}
