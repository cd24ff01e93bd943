namespace Stoker.Limits;

/// <summary>How much in a minute, and how much at once. Null: no such limit. The window is described at <see cref="SlidingWindow"/>.</summary>
/// <param name="RequestsPerMinute">Requests admitted in any 60 seconds; at least 1.</param>
/// <param name="TokensPerMinute">Tokens, prompt and completion, of the requests admitted in any 60 seconds; at least 1.</param>
/// <param name="Concurrent">Requests under way at once; at least 1.</param>
internal sealed record LimitSpec(long? RequestsPerMinute, long? TokensPerMinute, int? Concurrent)
{
    public static LimitSpec None { get; } = new(null, null, null);

    /// <summary>Events that a stream takes in any 60 seconds; at least 1.</summary>
    public long? EventsPerMinute { get; init; }

    public bool IsNone => this == None;
}

/// <summary>A limit that each model whose name fits has for itself.</summary>
/// <param name="Pattern">A model's name; <c>*</c> stands for any run of characters.</param>
internal sealed record ModelLimit(string Pattern, LimitSpec Limit);

internal enum BudgetPeriod
{
    Day,
    Month,
    Total,
}

/// <summary>Tokens, prompt and completion, in a calendar day or month (UTC), or for ever.</summary>
internal sealed record BudgetSpec(long Tokens, BudgetPeriod Period);

/// <summary>All that one key is limited to.</summary>
/// <param name="Models">Beside <paramref name="Overall"/>; the first whose pattern fits counts.</param>
internal sealed record KeyLimits(LimitSpec Overall, IReadOnlyList<ModelLimit> Models, BudgetSpec? Budget)
{
    public static KeyLimits None { get; } = new(LimitSpec.None, [], null);

    /// <summary>What this key may do with one model, beside what it may do at all. Allocates nothing.</summary>
    public LimitSpec For(string model)
    {
        // An index, because the enumerator of a list behind its interface is allocated.
        for (var i = 0; i < Models.Count; i++)
        {
            if (NamePattern.Fits(Models[i].Pattern, model)) return Models[i].Limit;
        }

        return LimitSpec.None;
    }
}
