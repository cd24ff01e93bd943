using System.Text;
using Stoker.Probes;
using Xunit;

namespace Stoker.Tests.Probes;

public sealed class LogMatchTests
{
    [Fact]
    public void The_first_line_that_matches_answers_and_later_ones_do_not()
    {
        var match = Compile(@"listening on port \d+");
        Assert.False(match.Tell("starting"u8));
        Assert.True(match.Tell("server: listening on port 7300"u8));
        Assert.False(match.Tell("server: listening on port 7301"u8));
        Assert.Equal("server: listening on port 7300", match.Line);
    }

    [Fact]
    public void Lines_that_are_no_UTF8_or_have_no_end_are_read_as_far_as_it_goes()
    {
        var match = Compile("ready");
        Assert.False(match.Tell([0xff, 0xfe, 0x00]));
        Assert.False(match.Tell([.. new byte[100_000], .. "ready"u8]));
        Assert.True(match.Tell([0xff, .. "ready"u8]));
    }

    [Fact]
    public void A_pattern_that_explodes_cannot_stall_the_reader()
    {
        var bomb = Encoding.UTF8.GetBytes(new string('a', 5000) + "!");
        Assert.False(Compile("^(a+)+$").Tell(bomb));

        // A back-reference needs the engine that backtracks, and that has a limit.
        var match = Compile(@"^(a+)+\1$");
        Assert.False(match.Tell(bomb));
        Assert.Equal(1, match.GivenUp);
    }

    [Fact]
    public void A_wrong_pattern_is_a_problem_in_words()
    {
        Assert.False(LogMatch.TryCompile("(unclosed", out _, out var problem));
        Assert.Contains("Not enough )'s", problem, StringComparison.Ordinal);
    }

    private static LogMatch Compile(string pattern)
    {
        Assert.True(LogMatch.TryCompile(pattern, out var compiled, out var problem), problem);
        return new LogMatch(compiled);
    }
}
