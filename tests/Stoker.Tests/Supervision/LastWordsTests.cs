using System.Text;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class LastWordsTests
{
    private const string Began = "2026-11-21T06:28:01.0000000";

    [Theory]
    [InlineData("O one|E two", "two")]
    [InlineData("E two|O three", "two")]
    [InlineData("O one|O two", "two")]
    [InlineData("E bad|E |O  ", "bad")]
    [InlineData("E it is broken|E   hint: mend it", "it is broken")]
    [InlineData("O begun|E hint: mend it", "hint: mend it")]
    [InlineData("", null)]
    public void What_a_run_said_last_is_what_was_wrong_rather_than_a_hint_or_its_output(string lines, string? expected) =>
        Assert.Equal(expected, LastWords.Of(Log(lines), Began));

    [Fact]
    public void What_an_earlier_run_said_is_not_this_one_s()
    {
        var earlier = Encoding.UTF8.GetBytes("2026-11-21T06:28:00.999999999Z stderr F of another run\n");
        Assert.Null(LastWords.Of(earlier, Began));
        Assert.Equal("mine", LastWords.Of([.. earlier, .. Log("O mine")], Began));
    }

    private static byte[] Log(string lines) => Encoding.UTF8.GetBytes(string.Concat(
        lines.Split('|', StringSplitOptions.RemoveEmptyEntries).Select((line, index) => $"2026-11-21T06:28:01.{index + 1:000000000}Z {(line[0] == 'E' ? "stderr" : "stdout")} F {line[2..]}\n")));
}
