using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>What keeping a card at work came to, over all rounds. A long run keeps it in its file.</summary>
/// <param name="Rounds">In which every kind was kept up to its end.</param>
/// <param name="Seconds">At work, by the card's own clock.</param>
internal sealed record LoadTotals(int Rounds, double Seconds, IReadOnlyList<KindTotals> Kinds, LoadSight Sight)
{
    public static LoadTotals None { get; } = new(0, 0, [], LoadSight.None);

    public KindTotals? Of(ArithmeticKind kind) => Kinds.FirstOrDefault(k => k.Kind == kind);

    public LoadTotals With(ArithmeticKind kind, ArithmeticOutcome outcome)
    {
        var before = Of(kind) ?? new KindTotals(kind, 0, 0, double.MaxValue, 0);
        var seconds = outcome.Took.TotalSeconds;
        var after = new KindTotals(kind, before.Teraflop + (outcome.Teraflops * seconds), before.Seconds + seconds, Math.Min(before.Slowest, outcome.Slowest), before.Wrong + outcome.Wrong);
        return this with { Seconds = Seconds + seconds, Kinds = [.. Kinds.Where(k => k.Kind != kind), after] };
    }
}

/// <param name="Teraflop">Done in all, in units of 10^12 operations.</param>
/// <param name="Slowest">TFLOPS of the slowest part.</param>
/// <param name="Wrong">Results that were not what they must be, bit by bit.</param>
internal sealed record KindTotals(ArithmeticKind Kind, double Teraflop, double Seconds, double Slowest, long Wrong);

/// <summary>How the card was meanwhile, as its driver told. Sums beside how many looks told it; null is what no look told.</summary>
internal sealed record LoadSight(
    int Looks, double Watts, int WattLooks, double? Limit, double Clocks, int ClockLooks, int? LeastClock, int? MostClock, int? Celsius,
    int? MemoryCelsius, int ThrottleLooks, IReadOnlyDictionary<string, int> Throttled)
{
    public static LoadSight None { get; } = new(0, 0, 0, null, 0, 0, null, null, null, null, 0, new Dictionary<string, int>());

    public LoadSight With(GpuReading now)
    {
        var throttled = new Dictionary<string, int>(Throttled);
        foreach (var reason in ThrottleReasons.Of(now.Throttle)) throttled[reason] = throttled.GetValueOrDefault(reason) + 1;
        return new LoadSight(
            Looks + 1,
            Watts + (now.Watts ?? 0), WattLooks + (now.Watts is null ? 0 : 1), now.PowerLimit ?? Limit,
            Clocks + (now.SmClock ?? 0), ClockLooks + (now.SmClock is null ? 0 : 1), Least(LeastClock, now.SmClock), Most(MostClock, now.SmClock),
            Most(Celsius, now.Celsius), Most(MemoryCelsius, now.MemoryCelsius),
            ThrottleLooks + (now.Throttle is null ? 0 : 1), throttled);
    }

    private static int? Most(int? one, int? other) => one is { } known && other is { } told ? Math.Max(known, told) : one ?? other;

    private static int? Least(int? one, int? other) => one is { } known && other is { } told ? Math.Min(known, told) : one ?? other;
}
