using FsCheck;
using FsCheck.Fluent;
using Stoker.Cli;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class TableTests
{
    [Fact]
    public void No_line_is_ever_wider_than_the_terminal_whatever_the_texts()
    {
        var cells = Gen.Elements("", "a", "redis", "ein Wort mit ümläuten", "日本語のサービス", "😀😀😀", "e\u0301e\u0301", "\e[31mred\e[0m", "line\nbreak", new string('x', 300));
        var tables = from names in cells.ListOf() from reasons in cells.ListOf() from width in Gen.Choose(20, 250) select (names, reasons, width);
        Prop.ForAll(tables.ToArbitrary(), table =>
        {
            var services = table.names.Zip(table.reasons, (name, reason) => Sample.Service($"s{name}", ServiceState.Backoff, 10, null, 12345, 8080, 8081, 9000) with { Reason = reason });
            var lines = StatusTable.Lay(Sample.Estate([.. services]), FrozenClock.Noon, table.width, Style.None);
            return lines.All(line => TextWidth.Of(line) <= table.width && !line.Contains('\n') && !line.Contains('\e'));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Colour_adds_to_a_table_and_takes_nothing_away()
    {
        var plain = StatusTable.Lay(Sample.AiSystem, FrozenClock.Noon, 80, Style.None);
        var painted = StatusTable.Lay(Sample.AiSystem, FrozenClock.Noon, 80, new Style(true));

        Assert.NotEqual(plain, painted);
        Assert.Equal(plain, painted.Select(line => System.Text.RegularExpressions.Regex.Replace(line, "\e\\[[0-9;]*m", "")));
    }

    [Theory]
    [InlineData(true, false, "", "", true)]
    [InlineData(false, false, "", "", false)]
    [InlineData(true, true, "", "", false)]
    [InlineData(true, false, "1", "", false)]
    [InlineData(true, false, "", "dumb", false)]
    public void Colour_is_for_terminals_unless_somebody_says_no(bool terminal, bool option, string noColor, string term, bool colour) =>
        Assert.Equal(colour, Style.For(terminal, option, new Dictionary<string, string> { ["NO_COLOR"] = noColor, ["TERM"] = term }).Colour);

    [Theory]
    [InlineData("", new int[0])]
    [InlineData("7300", new[] { 7300 })]
    [InlineData("7300,7301", new[] { 7301, 7300 })]
    [InlineData("80,7300-7302", new[] { 7302, 7300, 7301, 80, 7300 })]
    public void Neighbouring_ports_are_a_range(string text, int[] ports) => Assert.Equal(text, StatusTable.Ports(ports));
}
