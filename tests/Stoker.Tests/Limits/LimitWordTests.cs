using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Limits;
using Xunit;

namespace Stoker.Tests.Limits;

public sealed class LimitWordTests
{
    [Theory]
    [InlineData(0, "0s")]
    [InlineData(1, "1ms")]
    [InlineData(999, "999ms")]
    [InlineData(1000, "1s")]
    [InlineData(1500, "1.5s")]
    [InlineData(41724, "41.724s")]
    [InlineData(60_000, "1m0s")]
    [InlineData(360_000, "6m0s")]
    [InlineData(3_600_050, "1h0m0.05s")]
    [InlineData(90_061_000, "25h1m1s")]
    [InlineData(-5, "0s")]
    public void A_duration_is_written_as_go_does(int milliseconds, string text) => Assert.Equal(text, GoDuration.Text(TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public void A_duration_is_rounded_up_so_that_nobody_comes_too_early() => Assert.Equal("1ms", GoDuration.Text(TimeSpan.FromTicks(1)));

    [Theory]
    [InlineData("1", 1L)]
    [InlineData("20k", 20_000L)]
    [InlineData("1.5M", 1_500_000L)]
    [InlineData("2G", 2_000_000_000L)]
    [InlineData("0", null)]
    [InlineData("-1", null)]
    [InlineData("1.5", null)]
    [InlineData("k", null)]
    [InlineData("", null)]
    [InlineData("5 M", null)]
    [InlineData("1e3", null)]
    [InlineData("99999999999G", null)]
    public void A_count_is_read_as_people_write_it(string text, long? count) => Assert.Equal(count, TokenCount.Parse(text));

    [Fact]
    public void A_count_that_is_written_is_read_back() =>
        Prop.ForAll(Gen.Choose(1, int.MaxValue).ToArbitrary(), count => Assert.Equal(count, TokenCount.Parse(TokenCount.Text(count)))).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("phi-*", "phi-3-mini", true)]
    [InlineData("*/phi-*-mini", "microsoft/phi-3-mini", true)]
    [InlineData("phi", "phi-3", false)]
    [InlineData("Phi*", "phi-3", false)]
    [InlineData("a*b*a", "abaaba", true)]
    [InlineData("a*b*a", "abaab", false)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    public void A_star_is_any_run_of_characters(string pattern, string name, bool fits) => Assert.Equal(fits, NamePattern.Fits(pattern, name));

    [Fact]
    public void Patterns_fit_what_the_regular_expression_fits() =>
        Prop.ForAll(
            (from pattern in Gen.Elements('a', 'b', '*').ArrayOf() from name in Gen.Elements('a', 'b').ArrayOf() select (new string(pattern), new string(name))).ToArbitrary(),
            input => Assert.Equal(System.Text.RegularExpressions.Regex.IsMatch(input.Item2, $"^{input.Item1.Replace("*", ".*")}$"), NamePattern.Fits(input.Item1, input.Item2)))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void A_refusal_is_worded_so_that_clients_find_when_to_try_again()
    {
        var refusal = new Refusal(LimitKind.Tokens, LimitScope.KeyAndModel, 10000, 9200, 1500, TimeSpan.FromMilliseconds(41724));
        Assert.Equal(("tokens", "rate_limit_exceeded"), (refusal.ErrorType, refusal.ErrorCode));
        Assert.Equal(
            "Rate limit reached for `phi` with key `ci` on tokens per min (TPM): Limit 10000, Used 9200, Requested 1500. Please try again in 41.724s.",
            refusal.Message("phi", "ci"));
        var spent = new Refusal(LimitKind.Budget, LimitScope.Key, 100, 100, 1, null);
        Assert.Equal("insufficient_quota", spent.ErrorType);
        Assert.Equal("You exceeded your current quota: the token budget for key `ci` is spent. Limit 100, Used 100, Requested 1.", spent.Message("phi", "ci"));
    }

    [Fact]
    public void Estimates_learn_from_what_was_used_and_stay_within_bounds()
    {
        var estimates = new TokenEstimates();
        Assert.Equal((100, 512, 64, 30), (estimates.Prompt("m", 400), estimates.Completion("m", null), estimates.Completion("m", 32, choices: 2), estimates.Completion("m", null, room: 30)));
        for (var i = 0; i < 500; i++) estimates.Learn("m", 300, 150, 100, wasOpenEnded: true);
        Assert.Equal((200, 100), (estimates.Prompt("m", 400), estimates.Completion("m", null)));
        for (var i = 0; i < 500; i++) estimates.Learn("m", 300, 150, 1, wasOpenEnded: true);
        Assert.Equal(TokenEstimates.LeastCompletion, estimates.Completion("m", null));
        for (var i = 0; i < 500; i++) estimates.Learn("m", 1_000_000, 1, 1_000_000, wasOpenEnded: true);
        // The mean comes as near to 16 bytes a token as one likes.
        Assert.Equal((26, TokenEstimates.MostCompletion), (estimates.Prompt("m", 401), estimates.Completion("m", null)));
        for (var i = 0; i < 500; i++) estimates.Learn("m", 300, 150, 5, wasOpenEnded: false);
        Assert.Equal(TokenEstimates.MostCompletion, estimates.Completion("m", null));
    }
}
