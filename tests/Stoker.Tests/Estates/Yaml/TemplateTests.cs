using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates.Yaml;

public sealed class TemplateTests
{
    private static readonly Dictionary<string, string> Variables = new() { ["FOO"] = "first", ["BAR"] = "", ["JSON"] = """{"json":2}""" };

    [Theory]
    [InlineData("foo", "foo")]
    [InlineData("This $FOO var", "This first var")]
    [InlineData("This ${FOO} var", "This first var")]
    [InlineData("This ${BAR} var", "This  var")]
    [InlineData("$FOO-bar", "first-bar")]
    [InlineData("$FOO$FOO", "firstfirst")]
    [InlineData("${JSON}", """{"json":2}""")]
    [InlineData("ok ${NONE:-def}", "ok def")]
    [InlineData("ok ${NONE-def}", "ok def")]
    [InlineData("ok ${BAR:-def}", "ok def")]
    [InlineData("ok ${BAR-def}", "ok ")]
    [InlineData("ok ${NONE:-}", "ok ")]
    [InlineData("ok ${NONE:-/non:-alphanumeric}", "ok /non:-alphanumeric")]
    [InlineData("ok ${NONE:-?err}", "ok ?err")]
    [InlineData("""${NONE:-{"a":{"b":1}}}""", """{"a":{"b":1}}""")]
    [InlineData("${FOO:+alt} ${BAR:+alt} ${NONE:+alt}", "alt  ")]
    [InlineData("${FOO+alt} ${BAR+alt} ${NONE+alt}", "alt alt ")]
    [InlineData("${FOO:?e} ${BAR?e}", "first ")]
    [InlineData("${NONE:-${FOO}}", "first")]
    [InlineData("${NONE:-${NONE2:-x${FOO}y}}z", "xfirstyz")]
    [InlineData("${FOO:+${NONE:-nested}}-${BAR:-${JSON}}", """nested-{"json":2}""")]
    [InlineData("${FOO:-${NONE:?never asked}}", "first")]
    [InlineData("$$FOO $${FOO} $$$FOO $$", "$FOO ${FOO} $first $")]
    [InlineData("${NONE:-$$FOO}", "$FOO")]
    [InlineData("^regex$", "^regex$")]
    [InlineData("a $ b $5 $-", "a $ b $5 $-")]
    [InlineData("$}", "$}")]
    [InlineData("--port $(PORT)", "--port $(PORT)")]
    [InlineData("$(A)$FOO$(B_${FOO})", "$(A)first$(B_first)")]
    [InlineData("$$(A) $$$(A)", "$(A) $$(A)")]
    public void An_interpolation_gives_what_Compose_gives(string text, string expected)
    {
        var (result, faults) = Substitute(text);
        Assert.Equal(expected, result);
        Assert.Empty(faults);
    }

    [Theory]
    [InlineData("a ${", "`${` is not closed", 2)]
    [InlineData("${FOO", "`${` is not closed", 0)]
    [InlineData("${}", "`${}` names no variable", 0)]
    [InlineData("${ FOO}", "` ` cannot begin a variable's name", 0)]
    [InlineData("${FOO }", "` ` cannot follow the name `FOO`", 0)]
    [InlineData("${FOO!}", "`!` cannot follow the name `FOO`", 0)]
    [InlineData("${FOO/a/b}", "`/a/b` cannot follow the name `FOO`", 0)]
    [InlineData("${FOO:}", "`:` cannot follow the name `FOO`", 0)]
    [InlineData("x${1A}", "`1` cannot begin a variable's name", 1)]
    public void A_malformed_interpolation_is_left_as_written_and_named(string text, string problem, int offset)
    {
        var (result, faults) = Substitute(text);
        Assert.Equal(text, result);
        Assert.Equal([new TemplateFault.Malformed(problem, offset)], faults);
    }

    [Fact]
    public void An_unset_variable_is_empty_and_named_once_for_each_place()
    {
        var (result, faults) = Substitute("a${NONE}b$NONE");
        Assert.Equal("ab", result);
        Assert.Equal([new TemplateFault.Unset("NONE", 1), new TemplateFault.Unset("NONE", 9)], faults);
    }

    [Fact]
    public void A_missing_required_variable_gives_its_own_words()
    {
        Assert.Equal([new TemplateFault.Required("NONE", "say first", 0)], Substitute("${NONE:?say $FOO}").Faults);
        Assert.Equal([new TemplateFault.Required("BAR", "", 0)], Substitute("${BAR:?}").Faults);
        Assert.Empty(Substitute("${BAR?set but empty}").Faults);
    }

    [Fact]
    public void Interpolations_nested_too_deeply_are_refused()
    {
        var text = string.Concat(Enumerable.Repeat("${A:-", 20_000)) + new string('}', 20_000);
        Assert.Equal(["interpolations are nested deeper than 50 levels"], Substitute(text).Faults.Cast<TemplateFault.Malformed>().Select(f => f.Problem));
    }

    private static (string Result, List<TemplateFault> Faults) Substitute(string text)
    {
        var faults = new List<TemplateFault>();
        return (Template.Substitute(text, name => Variables.GetValueOrDefault(name), faults), faults);
    }
}
