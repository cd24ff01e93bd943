using System.Text;
using Stoker.Limits;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Limits;

public sealed class LimiterTests
{
    private static readonly long Noon = new DateTime(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc).Ticks;

    private readonly Limiter _limiter = new();

    private static long After(double seconds) => Noon + (long)(seconds * TimeSpan.TicksPerSecond);

    private static KeyLimits Key(long? rpm = null, long? tpm = null, int? concurrent = null, BudgetSpec? budget = null, params ModelLimit[] models) =>
        new(new LimitSpec(rpm, tpm, concurrent), models, budget);

    private bool Ask(KeyLimits limits, long now, out Lease lease, out Refusal refusal, long prompt = 0, long completion = 0, string key = "k", string model = "phi") =>
        _limiter.TryReserve(new LimitRequest(key, limits, model, prompt, completion), now, out lease, out refusal);

    private Lease Admitted(KeyLimits limits, long now, long prompt = 0, long completion = 0, string key = "k", string model = "phi")
    {
        Assert.True(Ask(limits, now, out var lease, out _, prompt, completion, key, model));
        return lease;
    }

    private Refusal Refused(KeyLimits limits, long now, long prompt = 0, long completion = 0, string key = "k", string model = "phi")
    {
        Assert.False(Ask(limits, now, out var lease, out var refusal, prompt, completion, key, model));
        Assert.True(lease.IsNone);
        return refusal;
    }

    [Fact]
    public void A_request_too_many_is_told_when_to_come_again_and_is_admitted_then()
    {
        var limits = Key(rpm: 2);
        Admitted(limits, After(0.5));
        Admitted(limits, After(10));
        var refusal = Refused(limits, After(20));
        Assert.Equal(new Refusal(LimitKind.Requests, LimitScope.Key, 2, 2, 1, TimeSpan.FromSeconds(41)), refusal);
        Refused(limits, After(60.999));
        Admitted(limits, After(61));
        Assert.Equal(LimitKind.Requests, Refused(limits, After(61)).Kind);
    }

    [Fact]
    public void Tokens_are_reserved_at_their_most_and_what_was_not_used_is_given_back()
    {
        var limits = Key(tpm: 1000);
        var lease = Admitted(limits, After(0), 100, 800);
        Assert.Equal(new Refusal(LimitKind.Tokens, LimitScope.Key, 1000, 900, 200, TimeSpan.FromSeconds(60)), Refused(limits, After(1), 200));
        Assert.True(_limiter.Settle(lease, 90, 10, After(2)));
        Admitted(limits, After(3), 900);
        Refused(limits, After(3), 1);
    }

    [Fact]
    public void What_was_underestimated_counts_and_refuses_the_next()
    {
        var limits = Key(tpm: 1000);
        var lease = Admitted(limits, After(0), 10, 10);
        _limiter.Settle(lease, 700, 700, After(1));
        Assert.Equal(1400, Refused(limits, After(2), 1).Used);
        Admitted(limits, After(61), 1);
    }

    [Fact]
    public void A_lease_settled_twice_by_any_copy_counts_once()
    {
        var limits = Key(tpm: 1000, concurrent: 2);
        var lease = Admitted(limits, After(0), 500);
        var copy = lease;
        Assert.True(_limiter.Settle(lease, 100, 0, After(0)));
        Assert.False(_limiter.Settle(copy, 100, 0, After(0)));
        Assert.False(_limiter.Refund(copy, After(0)));
        Assert.False(_limiter.Settle(default, 5, 5, After(0)));
        // The place is used again, and the old lease does not fit it.
        Admitted(limits, After(0));
        Assert.False(_limiter.Settle(copy, 0, 0, After(0)));
        Admitted(limits, After(0));
        Assert.Equal(LimitKind.Concurrent, Refused(limits, After(0)).Kind);
        Assert.Equal((100L, 0L), _limiter.BudgetOf("k", BudgetPeriod.Total, After(0)));
    }

    [Fact]
    public void A_refund_leaves_nothing_behind()
    {
        var limits = Key(rpm: 1, tpm: 10, concurrent: 1, new BudgetSpec(10, BudgetPeriod.Total));
        _limiter.Refund(Admitted(limits, After(0), 5, 5), After(1));
        Assert.Equal((0L, 0L), _limiter.BudgetOf("k", BudgetPeriod.Total, After(1)));
        Admitted(limits, After(2), 5, 5);
    }

    [Fact]
    public void A_place_is_free_again_when_its_request_ends()
    {
        var limits = Key(concurrent: 1);
        var lease = Admitted(limits, After(0));
        Assert.Equal(new Refusal(LimitKind.Concurrent, LimitScope.Key, 1, 1, 1, TimeSpan.FromSeconds(1)), Refused(limits, After(100)));
        _limiter.Settle(lease, 0, 0, After(101));
        Admitted(limits, After(101));
    }

    [Fact]
    public void Each_model_that_fits_a_pattern_has_the_limit_for_itself_and_the_first_pattern_counts()
    {
        var limits = Key(rpm: 10, models: [new ModelLimit("phi-3", new LimitSpec(3, null, null)), new ModelLimit("phi-*", new LimitSpec(1, null, null))]);
        Admitted(limits, After(0), model: "phi-1");
        Admitted(limits, After(0), model: "phi-2");
        Assert.Equal(LimitScope.KeyAndModel, Refused(limits, After(0), model: "phi-2").Scope);
        for (var i = 0; i < 3; i++) Admitted(limits, After(0), model: "phi-3");
        Refused(limits, After(0), model: "phi-3");
        Admitted(limits, After(0), model: "qwen");
    }

    [Fact]
    public void A_limit_of_a_model_is_shared_by_all_keys()
    {
        _limiter.SetModelLimits([new ModelLimit("phi", new LimitSpec(2, null, null))]);
        Admitted(KeyLimits.None, After(0), key: "a");
        Admitted(KeyLimits.None, After(0), key: "b");
        Assert.Equal(LimitScope.Model, Refused(KeyLimits.None, After(0), key: "c").Scope);
        Admitted(KeyLimits.None, After(0), key: "c", model: "qwen");
    }

    [Fact]
    public void Of_several_limits_in_the_way_the_one_that_lasts_longest_is_told()
    {
        var limits = Key(rpm: 1, concurrent: 1, budget: new BudgetSpec(50, BudgetPeriod.Day));
        var lease = Admitted(limits, After(0), 50);
        Assert.Equal(LimitKind.Requests, Refused(limits, After(1)).Kind);
        _limiter.Settle(lease, 50, 0, After(1));
        var refusal = Refused(limits, After(1), 1);
        Assert.Equal((LimitKind.Budget, TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1)), (refusal.Kind, refusal.RetryAfter));
    }

    [Fact]
    public void What_can_never_be_admitted_is_told_so()
    {
        Assert.Null(Refused(Key(tpm: 100), After(0), 50, 51).RetryAfter);
        Assert.Null(Refused(Key(budget: new BudgetSpec(100, BudgetPeriod.Month)), After(0), 50, 51).RetryAfter);
        var limits = Key(budget: new BudgetSpec(100, BudgetPeriod.Total));
        _limiter.Settle(Admitted(limits, After(0), 100), 100, 0, After(0));
        Assert.Null(Refused(limits, After(0), 1).RetryAfter);
    }

    [Fact]
    public void What_is_refused_counts_for_nothing()
    {
        var limits = Key(rpm: 5, tpm: 100, models: [new ModelLimit("*", new LimitSpec(null, null, 1))]);
        var lease = Admitted(limits, After(0), 10);
        for (var i = 0; i < 50; i++) Refused(limits, After(0), 10);
        _limiter.Settle(lease, 10, 0, After(0));
        for (var i = 0; i < 4; i++) _limiter.Settle(Admitted(limits, After(0), 10), 10, 0, After(0));
    }

    [Fact]
    public void A_budget_begins_where_the_ledger_ended_and_anew_with_its_period()
    {
        _limiter.StartFrom([new BudgetUse("k", 10, 60, 1000)], After(0));
        Assert.Equal(60, Refused(Key(budget: new BudgetSpec(100, BudgetPeriod.Month)), After(0), 41).Used);
        var open = Admitted(Key(budget: new BudgetSpec(100, BudgetPeriod.Month)), After(0), 40);
        var december = new DateTime(2026, 12, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;
        Assert.Equal(TimeSpan.FromTicks(december - Noon), Refused(Key(budget: new BudgetSpec(90, BudgetPeriod.Month)), After(0), 31).RetryAfter);
        Assert.Equal((0L, 40L), _limiter.BudgetOf("k", BudgetPeriod.Month, december));
        // It was admitted in November, where it belongs.
        _limiter.Settle(open, 40, 0, december);
        Assert.Equal((0L, 0L), _limiter.BudgetOf("k", BudgetPeriod.Month, december));
        Assert.Equal((1040L, 0L), _limiter.BudgetOf("k", BudgetPeriod.Total, december));
    }

    [Fact]
    public void Headers_show_the_limit_with_the_least_left()
    {
        var limits = Key(rpm: 10, tpm: 1000, models: [new ModelLimit("phi", new LimitSpec(3, null, null))]);
        Admitted(limits, After(0), 300);
        Admitted(limits, After(30.25), 100);
        Span<byte> text = stackalloc byte[LimitHeaders.Longest];
        var view = _limiter.Look("k", limits, "phi", After(30.25));
        Assert.Equal(
            "x-ratelimit-limit-requests: 3\r\nx-ratelimit-remaining-requests: 1\r\nx-ratelimit-reset-requests: 1m0.75s\r\n"
            + "x-ratelimit-limit-tokens: 1000\r\nx-ratelimit-remaining-tokens: 600\r\nx-ratelimit-reset-tokens: 1m0.75s\r\n",
            Encoding.ASCII.GetString(text[..LimitHeaders.Write(view, text)]));
        Assert.True(_limiter.Look("unseen", KeyLimits.None, "phi", After(31)).IsEmpty);
        Assert.Equal(10, _limiter.Look("unseen", Key(rpm: 10), "phi", After(31)).Requests!.Value.Remaining);
    }

    [Fact]
    public void Idle_counts_are_forgotten_and_budgets_are_not()
    {
        var limits = Key(models: [new ModelLimit("*", new LimitSpec(100, null, null))]);
        _limiter.Settle(Admitted(limits, After(0), 7), 7, 0, After(0));
        var open = Admitted(limits, After(0), model: "slow");
        _limiter.Prune(After(100));
        _limiter.Settle(open, 1, 1, After(101));
        Assert.Equal((9L, 0L), _limiter.BudgetOf("k", BudgetPeriod.Day, After(101)));
    }

    [Fact]
    public void Nothing_is_allocated_for_a_request()
    {
        var limits = Key(1_000_000, 1_000_000_000, 100, new BudgetSpec(1L << 50, BudgetPeriod.Month), new ModelLimit("q*", LimitSpec.None), new ModelLimit("p*", new LimitSpec(1_000_000, null, 50)));
        var asked = 0;
        Assert.Equal(0, Allocations.Least(Once));
        Assert.True(asked > 0);

        void Once()
        {
            Span<byte> text = stackalloc byte[LimitHeaders.Longest];
            var now = After(asked++ / 1000.0);
            if (!Ask(limits, now, out var lease, out _, 10, 10)) return;
            _ = LimitHeaders.Write(_limiter.Look("k", limits, "phi", now), text);
            _limiter.Settle(lease, 5, 5, now);
        }
    }
}
