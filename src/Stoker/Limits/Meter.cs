namespace Stoker.Limits;

/// <summary>What one key, key and model, or model has been admitted lately. Everything is counted, so that a limit declared later knows the last minute.</summary>
internal sealed class Meter
{
    private static readonly TimeSpan WhenSomebodyLeaves = TimeSpan.FromSeconds(1);

    private int _concurrent;

    public SlidingWindow Requests { get; } = new();

    public SlidingWindow Tokens { get; } = new();

    public bool IsIdle(long now)
    {
        Requests.Advance(now);
        Tokens.Advance(now);
        return _concurrent == 0 && Requests.Used == 0 && Tokens.Used == 0;
    }

    public void Check(LimitSpec limit, LimitScope scope, long tokens, long now, ref Verdict answer)
    {
        if (limit.RequestsPerMinute is { } requests) answer.Consider(Check(Requests, requests, 1, LimitKind.Requests, scope, now));
        if (limit.TokensPerMinute is { } most) answer.Consider(Check(Tokens, most, tokens, LimitKind.Tokens, scope, now));
        if (limit.Concurrent is { } places && _concurrent >= places)
            answer.Consider(new Refusal(LimitKind.Concurrent, scope, places, _concurrent, 1, WhenSomebodyLeaves));
    }

    /// <returns>The second that it counts for.</returns>
    public long Charge(long tokens, long now)
    {
        _concurrent++;
        Requests.Add(now, 1);
        return Tokens.Add(now, tokens);
    }

    public void Settle(in LeaseSlot slot, long tokens, int requests, long now)
    {
        _concurrent--;
        if (tokens != 0) Tokens.Correct(now, slot.Second, tokens);
        if (requests != 0) Requests.Correct(now, slot.Second, requests);
    }

    private static Refusal? Check(SlidingWindow window, long limit, long requested, LimitKind kind, LimitScope scope, long now)
    {
        window.Advance(now);
        if (window.Used + requested <= limit) return null;
        TimeSpan? wait = requested > limit ? null : window.UntilAtMost(now, limit - requested);
        return new Refusal(kind, scope, limit, window.Used, requested, wait);
    }
}

/// <summary>All that is counted for one key.</summary>
internal sealed class KeyAccount
{
    private readonly Dictionary<string, Meter> _models = [];

    public Meter Overall { get; } = new();

    public BudgetMeter Budget { get; } = new();

    public Meter? Known(string model) => _models.GetValueOrDefault(model);

    public Meter For(string model)
    {
        if (_models.TryGetValue(model, out var meter)) return meter;
        return _models[model] = new Meter();
    }

    public void Prune(long now)
    {
        foreach (var (name, meter) in _models)
        {
            if (meter.IsIdle(now)) _models.Remove(name);
        }
    }
}
