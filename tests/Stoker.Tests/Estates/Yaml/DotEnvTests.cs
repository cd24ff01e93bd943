using Stoker.Diagnostics;
using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates.Yaml;

public sealed class DotEnvTests
{
    [Theory]
    [InlineData("FOO=bar", "bar")]
    [InlineData("FOO =bar", "bar")]
    [InlineData("  FOO= bar  ", "bar")]
    [InlineData("FOO: bar", "bar")]
    [InlineData("FOO=foobar=", "foobar=")]
    [InlineData("FOO=1:B", "1:B")]
    [InlineData("FOO=", "")]
    [InlineData("FOO=\nNEXT=1", "")]
    [InlineData("export FOO=2", "2")]
    [InlineData("\texport\tFOO = 2", "2")]
    [InlineData("FOO=bar # comment", "bar")]
    [InlineData("FOO=bar #comment", "bar")]
    [InlineData("FOO=123#no-comment", "123#no-comment")]
    [InlineData("# FOO=1\n\n \t# more\nFOO=2", "2")]
    [InlineData("FOO=\"bar#baz\" # comment", "bar#baz")]
    [InlineData("FOO='bar#baz'#", "bar#baz")]
    [InlineData("FOO=\"escaped\\\"bar\"", "escaped\"bar")]
    [InlineData("FOO='it\\'s'", "it's")]
    [InlineData("FOO=\"'d'\"", "'d'")]
    [InlineData("FOO='\\n $A ${A}'", "\\n $A ${A}")]
    [InlineData("FOO=a\\tb", "a\\tb")]
    [InlineData("FOO=\"a\\tb\\nc\"", "a\tb\nc")]
    [InlineData("FOO=\"Z\\aZ\\bZ\\fZ\\nZ\\rZ\\tZ\\vZ\\\\Z\\0123Z\"", "Z\aZ\bZ\fZ\nZ\rZ\tZ\vZ\\ZSZ")]
    [InlineData("FOO=\"bar\\\\r\\ b\\az\"", "bar\\r\\ b\az")]
    [InlineData("FOO=\"\\x07\\u12e4\"", "\\x07\\u12e4")]
    [InlineData("FOO=\"one\ntwo\n\nthree\"\nB=1", "one\ntwo\n\nthree")]
    [InlineData("FOO='one\r\ntwo'\r\nB=1\r\n", "one\ntwo")]
    [InlineData("A=1\nFOO=${A}2$A", "121")]
    [InlineData("A=1\nFOO=\"${NONE:-${A}}\"", "1")]
    [InlineData("FOO=\"\\$A $$A\"", "$A $A")]
    [InlineData("HOST_ONLY=file\nFOO=$HOST_ONLY", "host")]
    [InlineData("FOO=1\nFOO=2", "2")]
    public void A_line_gives_the_value_that_Compose_gives(string text, string expected)
    {
        var bag = new DiagnosticBag();
        var values = Parse(text, bag);
        Assert.Empty(bag.Sorted());
        Assert.Equal(expected, values["FOO"]);
    }

    [Fact]
    public void A_name_alone_is_taken_from_the_environment_or_left_out()
    {
        var values = Parse("HOST_ONLY\nexport NOBODY\nX=1\nHOST_ONLY", new DiagnosticBag());
        Assert.Equal(["HOST_ONLY=host", "X=1"], values.Select(p => $"{p.Key}={p.Value}"));
    }

    [Theory]
    [InlineData("A=1\nB C=2\nD=3", "x.env:2:1: error EST019: the name `B C` contains a space")]
    [InlineData("A=1\n  B*=2\nD=3", "x.env:2:4: error EST019: `*` cannot stand in a variable's name")]
    [InlineData("A=1\n=2\nD=3", "x.env:2:1: error EST019: a variable's name is missing")]
    [InlineData("A=1\nB=\"x\" y\nD=3", "x.env:2:6: error EST019: `y` follows the closing quote")]
    [InlineData("A=1\nB='x\nD=3", "x.env:2:3: error EST019: the quote `'` is not closed")]
    [InlineData("A=1\n1B=x\nD=3", "x.env:2:1: warning EST020: `1B` begins with a digit and is ignored")]
    [InlineData("A=1\nB=${x\nD=3", "x.env:2:3: error EST017: `${` is not closed")]
    [InlineData("A=1\nB=$NONE\nD=3", "x.env:2:3: warning EST016: variable `NONE` is not set and becomes empty")]
    [InlineData("A=1\nB=${NONE:?set it}\nD=3", "x.env:2:3: error EST018: required variable `NONE` is missing: set it")]
    public void A_bad_line_is_named_and_the_others_are_read(string text, string expected)
    {
        var bag = new DiagnosticBag();
        var values = Parse(text, bag);
        Assert.Equal([expected], bag.Sorted().Select(d => d.ToString()));
        Assert.Equal("1", values["A"]);
        Assert.Equal("3", values["D"]);
    }

    private static IReadOnlyDictionary<string, string> Parse(string text, DiagnosticBag bag) =>
        DotEnv.Parse(text, "x.env", name => name == "HOST_ONLY" ? "host" : null, bag);
}
