using Stoker.Gateway.Answers;
using Stoker.Gateway.Routing;
using Stoker.Tests.Gateway.Forwarding;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Tests.Gateway;

/// <summary>When clients are told to come again, and whether by themselves: one rule, whoever says it.</summary>
public sealed class RetryAdviceTests
{
    [Theory]
    [InlineData(5, "true")]
    [InlineData(59, "true")]
    [InlineData(60, "false")]
    [InlineData(3600, "false")]
    public async Task A_time_that_clients_would_not_keep_to_is_told_and_they_are_kept_from_coming_by_themselves(int seconds, string retry)
    {
        await using var model = TrapTests.Serving(_ => Sse.Json("{\"error\":{\"message\":\"busy\"}}", 429, $"retry-after: {seconds}\r\n"));
        await using var bench = GatewayBench.Start(model.Address);
        using var answer = await bench.SendAsync(Sse.Path, Sse.Chat("x"));
        Assert.Equal(429, (int)answer.StatusCode);
        Assert.Equal([$"{seconds}"], answer.Headers.GetValues("retry-after"));
        Assert.Equal([$"{seconds}000"], answer.Headers.GetValues("retry-after-ms"));
        Assert.Equal([retry], answer.Headers.GetValues("x-should-retry"));
    }

    [Theory]
    [InlineData(90, 40, 50, true)]
    [InlineData(90, 10, 80, false)]
    [InlineData(90, 600, null, true)]
    [InlineData(null, 600, null, true)]
    public void Of_the_time_that_a_load_was_to_take_what_is_left_is_told(int? expected, int waited, int? told, bool retry)
    {
        var placement = new Placement(RouteOutcome.Waking, null!, default, default, expected is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        var error = QueueErrors.Of(new Admission(AdmissionOutcome.DeadlinePassed, default, null, TimeSpan.FromSeconds(waited).Ticks), "m", placement);
        Assert.Equal((told is { } left ? TimeSpan.FromSeconds(left) : (TimeSpan?)null, retry), (error.RetryAfter, error.ShouldRetry));
    }
}
