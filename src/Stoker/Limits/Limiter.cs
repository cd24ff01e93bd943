using System.Runtime.InteropServices;

namespace Stoker.Limits;

/// <summary>
/// Admits requests within the limits of their key, of the key for the model, and of the model over all keys, and keeps each key's budget.
/// <code>
/// TryReserve ── refused: which limit, used, requested, when again
///     └ admitted: a <see cref="Lease"/> on one request, one place and the tokens it may take at most
///            ├ Settle: the tokens it took; the rest is given back, what was underestimated is added
///            └ Refund: nothing was done for it; the request counts for nothing
/// </code>
/// It promises, however many threads ask at once: what is admitted in any 60 seconds never exceeds a limit by one request or one
/// reserved token; never more requests under way than <c>concurrent</c>; a lease is settled once, and again is harmless. It refuses what could only be
/// admitted beyond a limit, and counts nothing for what it refuses. What it cannot know is how far an estimate is wrong: tokens beyond a
/// reservation are counted when settled, and refuse the next.
/// One lock for all, held for a fraction of a microsecond: to be exact, the three limits and the budget have to be looked at and charged together.
/// Nothing is allocated on the way but a new slot now and then.
/// </summary>
internal sealed class Limiter
{
    /// <summary>Tokens above this are counted as this many, so that sums cannot overflow.</summary>
    private const long MostTokens = 1L << 40;

    private readonly Lock _access = new();
    private readonly Dictionary<string, KeyAccount> _keys = [];
    private readonly Dictionary<string, Meter> _models = [];
    private readonly LeaseTable _leases = new();
    private IReadOnlyList<ModelLimit> _modelLimits = [];
    private long _now;

    /// <summary>What each model is limited to over all keys; the first whose pattern fits counts. At once for every request after it.</summary>
    public void SetModelLimits(IReadOnlyList<ModelLimit> limits)
    {
        lock (_access) _modelLimits = limits;
    }

    /// <summary>What keys have used of day, month and ever before this process began, as the ledger knows it. To be called before the first request.</summary>
    public void StartFrom(IEnumerable<BudgetUse> uses, long now)
    {
        lock (_access)
        {
            _now = Math.Max(_now, now);
            foreach (var use in uses) Account(use.Key).Budget.StartFrom(use, _now);
        }
    }

    /// <summary>Admits a request or says why not.</summary>
    /// <param name="now">Ticks of UTC, of one clock that never goes back; an earlier time than one seen counts as that.</param>
    /// <param name="lease">To be given to <see cref="Settle"/> or <see cref="Refund"/> at the request's end, whatever that is.</param>
    /// <param name="refusal">Of several limits in the way, the one that lasts longest.</param>
    public bool TryReserve(in LimitRequest request, long now, out Lease lease, out Refusal refusal)
    {
        var tokens = Bounded(request.PromptTokens) + Bounded(request.CompletionTokens);
        lease = default;
        lock (_access)
        {
            _now = Math.Max(_now, now);
            var account = Account(request.Key);
            var own = request.Limits.For(request.Model);
            var shared = SharedLimit(request.Model);
            var byModel = own.IsNone ? null : account.For(request.Model);
            var model = shared.IsNone ? null : Shared(request.Model);

            var answer = new Verdict();
            if (request.Limits.Budget is { } budget) answer.Consider(account.Budget.Check(budget, tokens, _now));
            account.Overall.Check(request.Limits.Overall, LimitScope.Key, tokens, _now, ref answer);
            byModel?.Check(own, LimitScope.KeyAndModel, tokens, _now, ref answer);
            model?.Check(shared, LimitScope.Model, tokens, _now, ref answer);
            if (answer.Refusal is { } refused)
            {
                refusal = refused;
                return false;
            }

            account.Budget.Reserve(tokens, _now);
            var second = account.Overall.Charge(tokens, _now);
            byModel?.Charge(tokens, _now);
            model?.Charge(tokens, _now);
            lease = _leases.Take(new LeaseSlot(account, byModel, model, tokens, second, account.Budget.Day, account.Budget.Month));
        }

        refusal = default;
        return true;
    }

    /// <summary>The request ended, and took so many tokens; only the first call for a lease does anything.</summary>
    /// <returns>False when the lease was settled or refunded before.</returns>
    public bool Settle(Lease lease, long promptTokens, long completionTokens, long now)
    {
        var actual = Bounded(promptTokens) + Bounded(completionTokens);
        lock (_access)
        {
            if (!_leases.Return(lease, out var slot)) return false;
            _now = Math.Max(_now, now);
            slot.Account.Budget.Settle(slot, actual, _now);
            slot.Account.Overall.Settle(slot, actual - slot.Tokens, requests: 0, _now);
            slot.KeyAndModel?.Settle(slot, actual - slot.Tokens, requests: 0, _now);
            slot.Model?.Settle(slot, actual - slot.Tokens, requests: 0, _now);
            return true;
        }
    }

    /// <summary>The request came to nothing without any fault or use of its sender: neither it nor its tokens count.</summary>
    /// <returns>False when the lease was settled or refunded before.</returns>
    public bool Refund(Lease lease, long now)
    {
        lock (_access)
        {
            if (!_leases.Return(lease, out var slot)) return false;
            _now = Math.Max(_now, now);
            slot.Account.Budget.Settle(slot, 0, _now);
            slot.Account.Overall.Settle(slot, -slot.Tokens, requests: -1, _now);
            slot.KeyAndModel?.Settle(slot, -slot.Tokens, requests: -1, _now);
            slot.Model?.Settle(slot, -slot.Tokens, requests: -1, _now);
            return true;
        }
    }

    /// <summary>How a key stands with a model: of its limits by minute the one with the least left, for the answer's headers. Changes nothing.</summary>
    public LimitView Look(string key, KeyLimits limits, string model, long now)
    {
        var view = new LimitView();
        lock (_access)
        {
            _now = Math.Max(_now, now);
            _keys.TryGetValue(key, out var account);
            view.Consider(limits.Overall, account?.Overall, _now);
            view.Consider(limits.For(model), account?.Known(model), _now);
            view.Consider(SharedLimit(model), _models.GetValueOrDefault(model), _now);
        }

        return view;
    }

    /// <summary>What a key has used of its budget's period, and what is reserved beside.</summary>
    public (long Used, long Reserved) BudgetOf(string key, BudgetPeriod period, long now)
    {
        lock (_access)
        {
            _now = Math.Max(_now, now);
            return _keys.TryGetValue(key, out var account) ? (account.Budget.UsedIn(period, _now), account.Budget.Reserved) : (0, 0);
        }
    }

    /// <summary>Forgets counts that are all zero; once a minute is enough. Budgets are kept.</summary>
    public void Prune(long now)
    {
        lock (_access)
        {
            _now = Math.Max(_now, now);
            foreach (var account in _keys.Values) account.Prune(_now);
            foreach (var (name, meter) in _models)
            {
                if (meter.IsIdle(_now)) _models.Remove(name);
            }
        }
    }

    private static long Bounded(long tokens) => Math.Clamp(tokens, 0, MostTokens);

    private KeyAccount Account(string key)
    {
        ref var account = ref CollectionsMarshal.GetValueRefOrAddDefault(_keys, key, out _);
        return account ??= new KeyAccount();
    }

    private Meter Shared(string model)
    {
        ref var meter = ref CollectionsMarshal.GetValueRefOrAddDefault(_models, model, out _);
        return meter ??= new Meter();
    }

    private LimitSpec SharedLimit(string model)
    {
        for (var i = 0; i < _modelLimits.Count; i++)
        {
            if (NamePattern.Fits(_modelLimits[i].Pattern, model)) return _modelLimits[i].Limit;
        }

        return LimitSpec.None;
    }
}

/// <summary>What a request asks for.</summary>
/// <param name="Key">The key's id; what is sent without one has an id too.</param>
/// <param name="Model">The name that the model is served under, not an alias.</param>
/// <param name="PromptTokens">Estimated; see <see cref="TokenEstimates"/>.</param>
/// <param name="CompletionTokens">At most: <c>max_tokens</c> times the number of choices, or an estimate.</param>
internal readonly record struct LimitRequest(string Key, KeyLimits Limits, string Model, long PromptTokens, long CompletionTokens);

/// <summary>What a key had used of its budgets already. UTC calendar.</summary>
internal sealed record BudgetUse(string Key, long Day, long Month, long Total);

/// <summary>The refusal that lasts longest of those considered.</summary>
internal struct Verdict
{
    public Refusal? Refusal { get; private set; }

    public void Consider(Refusal? other)
    {
        if (other is not { } found) return;
        if (Refusal is { } known && (known.RetryAfter is null || (found.RetryAfter is { } wait && wait <= known.RetryAfter))) return;
        Refusal = found;
    }
}
