using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Routing;
using Xunit;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

public sealed class RetryTests
{
    // Trap 5.
    [Fact]
    public void Nothing_is_repeated_after_the_first_byte() =>
        Assert.All(Enum.GetValues<AttemptEnd>(), end => Assert.Equal(RetryVerdict.Stop, Decide(end, sent: true)));

    // Trap 6.
    [Theory]
    [InlineData(AttemptEnd.ClientError)]
    [InlineData(AttemptEnd.ClientLeft)]
    internal void What_is_wrong_with_the_request_stays_wrong(AttemptEnd end)
    {
        Assert.Equal(RetryVerdict.Stop, Decide(end));
        Assert.Equal(FallbackWhen.None, RetryPolicy.FallbackFor(end));
    }

    [Fact]
    public void A_request_whose_own_time_is_over_goes_nowhere_else()
    {
        Assert.Equal(RetryVerdict.Stop, Decide(AttemptEnd.OutOfTime));
        Assert.Equal(FallbackWhen.None, RetryPolicy.FallbackFor(AttemptEnd.OutOfTime));
    }

    [Theory]
    [InlineData(AttemptEnd.ConnectFailed)]
    [InlineData(AttemptEnd.ResetBeforeFirstByte)]
    [InlineData(AttemptEnd.ServerError)]
    [InlineData(AttemptEnd.Truncated)]
    internal void A_failure_is_repeated_within_attempts_and_budget_and_then_falls_back(AttemptEnd end)
    {
        Assert.Equal(RetryVerdict.Again, Decide(end));
        Assert.Equal(RetryVerdict.Again, Decide(end, untried: 0));
        Assert.Equal(RetryVerdict.FallBack, Decide(end, attempts: 3));
        Assert.Equal(RetryVerdict.FallBack, Decide(end, budget: false));
        Assert.Equal(RetryVerdict.Stop, Decide(end, timeIsUp: true));
        Assert.Equal(FallbackWhen.Unavailable, RetryPolicy.FallbackFor(end));
    }

    [Theory]
    [InlineData(AttemptEnd.Busy, FallbackWhen.Overloaded)]
    [InlineData(AttemptEnd.TimedOutBeforeFirstByte, FallbackWhen.Unavailable)]
    [InlineData(AttemptEnd.Stalled, FallbackWhen.Unavailable)]
    internal void A_replica_that_is_busy_or_slow_is_not_asked_twice(AttemptEnd end, FallbackWhen why)
    {
        Assert.Equal((RetryVerdict.Again, RetryVerdict.FallBack), (Decide(end), Decide(end, untried: 0)));
        Assert.Equal(why, RetryPolicy.FallbackFor(end));
    }

    [Fact]
    public void A_prompt_that_is_too_long_goes_to_a_model_with_more_context()
    {
        Assert.Equal(RetryVerdict.FallBack, Decide(AttemptEnd.ContextTooLong));
        Assert.Equal(FallbackWhen.ContextLength, RetryPolicy.FallbackFor(AttemptEnd.ContextTooLong));
    }

    [Fact]
    public void A_fleet_that_is_down_gets_a_fifth_more_requests_and_not_three_times_as_many()
    {
        var budget = new RetryBudget(RetryOptions.Default);
        var retries = 0;
        for (var i = 0; i < 1000; i++)
        {
            budget.CountRequest(At(i * 0.005));
            while (budget.TryTake(At(i * 0.005)) && retries < 100_000) retries++;
        }

        Assert.Equal(232, retries);
        Assert.False(budget.HasRoom(At(5)));
        Assert.True(budget.HasRoom(At(20)));
    }

    [Fact]
    public void Whenever_they_come_retries_stay_within_the_share_of_the_last_window()
    {
        var steps = Gen.ListOf(from ms in Gen.Choose(0, 1500) from isRetry in Gen.Elements(true, true, false) select (ms, isRetry), 200);
        Prop.ForAll(steps.ToArbitrary(), happened =>
        {
            var budget = new RetryBudget(RetryOptions.Default);
            var (now, requests, retries) = (0L, new List<long>(), new List<long>());
            foreach (var (ms, isRetry) in happened)
            {
                now += ms * TimeSpan.TicksPerMillisecond;
                if (!isRetry)
                {
                    budget.CountRequest(now);
                    requests.Add(now);
                }
                else if (budget.TryTake(now))
                {
                    retries.Add(now);
                    // The ten buckets that end with this second.
                    var since = (now / Second - 9) * Second;
                    Assert.True(retries.Count(t => t >= since) <= 32 + 0.2 * requests.Count(t => t >= since));
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    private static RetryVerdict Decide(AttemptEnd end, bool sent = false, int attempts = 1, int untried = 1, bool timeIsUp = false, bool budget = true) =>
        RetryPolicy.Decide(new AttemptFacts(end, sent, attempts, untried, timeIsUp, budget), RetryOptions.Default);
}
