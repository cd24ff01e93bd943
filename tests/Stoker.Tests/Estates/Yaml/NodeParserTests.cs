using System.Text;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates.Yaml;

public sealed class NodeParserTests
{
    [Fact]
    public void Every_value_and_key_knows_its_place()
    {
        var root = FakeEstateFiles.Parse("services:\n  web:\n    command: [server, \"--port\"]\n    labels: {a: b}\n");
        var services = (MappingNode)root.Find("services")!;
        var web = (MappingNode)services.Find("web")!;
        Assert.Equal(new SourcePosition("stoker.yaml", 2, 3), services.Entries[0].Key.Where);
        Assert.Equal(new SourcePosition("stoker.yaml", 3, 5), web.Where);
        Assert.Equal(new SourcePosition("stoker.yaml", 3, 23), ((SequenceNode)web.Find("command")!).Items[1].Where);
        Assert.Equal(new SourcePosition("stoker.yaml", 4, 13), web.Find("labels")!.Where);
    }

    [Theory]
    [InlineData("80", "80", true)]
    [InlineData("'80'", "80", false)]
    [InlineData("!!str 80", "80", false)]
    [InlineData("! 80", "80", false)]
    [InlineData("!!int '80'", "80", true)]
    [InlineData("", null, true)]
    [InlineData("~", null, true)]
    [InlineData("NULL", null, true)]
    [InlineData("!!null ''", null, true)]
    [InlineData("'null'", "null", false)]
    [InlineData("nUll", "nUll", true)]
    [InlineData("on", "on", true)]
    [InlineData("|\n  a\n", "a\n", false)]
    public void A_scalar_stays_text_and_only_null_is_decided(string text, string? value, bool plain)
    {
        var scalar = (ScalarNode)FakeEstateFiles.Parse($"k: {text}\n").Find("k")!;
        Assert.Equal((value, plain), (scalar.Value, scalar.Plain));
    }

    [Fact]
    public void An_explicit_key_wins_over_a_merge_key_and_remembers_it()
    {
        var root = FakeEstateFiles.Parse("a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  x: 3\n  <<: [*a, *b]\n");
        var c = (MappingNode)root.Find("c")!;
        Assert.Equal(["x", "y", "z"], c.Entries.Select(e => e.Key.Value));
        var x = (ScalarNode)c.Find("x")!;
        Assert.Equal(["3", "1", "2"], Chain(x));
        Assert.Equal(1, x.Overrode!.Where.Line);
    }

    [Fact]
    public void An_anchor_may_be_set_again()
    {
        var root = FakeEstateFiles.Parse("a: &x 1\nb: *x\nc: &x 2\nd: *x\n");
        Assert.Equal(["1", "1", "2", "2"], root.Entries.Select(e => ((ScalarNode)e.Value).Value));
    }

    [Fact]
    public void A_quoted_merge_sign_is_an_ordinary_key()
    {
        var root = FakeEstateFiles.Parse("a: {\"<<\": x}\n");
        Assert.Equal("<<", ((MappingNode)root.Find("a")!).Entries.Single().Key.Value);
    }

    [Fact]
    public void A_duplicate_is_found_among_many_keys()
    {
        var text = string.Concat(Enumerable.Range(0, 500).Select(i => $"k{i}: 1\n")) + "k7: 2\n";
        var messages = new FakeEstateFiles().With("stoker.yaml", text).Messages();
        Assert.Equal(["stoker.yaml:501:1: error EST011: key `k7` is written twice, first at stoker.yaml:8:1"], messages);
    }

    [Fact]
    public void An_honest_file_of_ten_megabytes_is_read_and_one_above_sixteen_is_refused()
    {
        var line = $"  k: {new string('x', 90)}\n";
        var text = new StringBuilder();
        for (var i = 0; text.Length < 10_000_000; i++) text.Append('s').Append(i).Append(":\n").Append(line);
        Assert.NotNull(new FakeEstateFiles().With("stoker.yaml", text.ToString()).Accepted());

        var files = new FakeEstateFiles().With("stoker.yaml", "# " + new string('x', 16 << 20));
        Assert.Equal(["stoker.yaml: error EST002: the file is larger than 16 MiB"], files.Messages());
    }

    [Fact]
    public void A_chain_of_aliases_cannot_outgrow_the_depth_that_is_allowed()
    {
        var text = new StringBuilder("a0: &a0 [x]\n");
        for (var i = 1; i < 1000; i++) text.Append($"a{i}: &a{i} [*a{i - 1}]\n");
        var message = Assert.Single(new FakeEstateFiles().With("stoker.yaml", text.ToString()).Messages());
        Assert.Contains("EST006: with `*a97`, YAML is nested deeper than 100 levels here", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: {\n")]
    [InlineData("\"")]
    [InlineData("%YAML 9.9\n---\na: b\n")]
    [InlineData("- - - a\n - b")]
    [InlineData("a: !<\n")]
    [InlineData("a: \"\\q\"")]
    [InlineData("? a\n: - b\n c")]
    [InlineData("&a")]
    [InlineData("*a")]
    [InlineData("---\n...\n---\n")]
    public void Whatever_is_no_YAML_gives_diagnostics_and_no_exception(string text)
    {
        var bag = new DiagnosticBag();
        new FakeEstateFiles().With("stoker.yaml", text).Load(bag, null);
        Assert.NotEmpty(bag);
    }

    [Fact]
    public void Random_damage_to_a_real_file_never_throws()
    {
        const string Whole = "x-a: &a {b: [1, \"two\", 'three']}\nservices:\n  web: # c\n    <<: *a\n    command: |\n      run ${A:-$B} $$\n    ports:\n      - \"80:80\"\n";
        const string Signs = "{}[]:,&*!|>'\"%@`#-?\t\n \\$~";
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var text = new StringBuilder(Whole);
            for (var edits = random.Next(1, 5); edits > 0; edits--)
            {
                var at = random.Next(text.Length);
                if (random.Next(2) == 0) text.Remove(at, Math.Min(random.Next(1, 4), text.Length - at));
                else text.Insert(at, Signs[random.Next(Signs.Length)]);
            }

            new FakeEstateFiles().With("stoker.yaml", text.ToString()).Load(new DiagnosticBag(), null);
        }
    }

    private static List<string?> Chain(Node node)
    {
        var values = new List<string?>();
        for (Node? at = node; at is not null; at = at.Overrode) values.Add(((ScalarNode)at).Value);
        return values;
    }
}
