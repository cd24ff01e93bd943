namespace Stoker.Gateway.Routing;

/// <summary>What one request tells about how much its replica can take.</summary>
/// <param name="FirstByte">How long the first byte took, in ticks; negative when the replica said that it was busy or ran out of time.</param>
/// <param name="PromptTokens">Estimated; long prompts take longer without any queue.</param>
/// <param name="InFlight">Requests in flight at the replica, this one included.</param>
/// <param name="EngineWaiting">What the engine says to have waiting; negative when it says nothing fresh.</param>
internal readonly record struct ConcurrencySample(long At, long FirstByte, int PromptTokens, int InFlight, int EngineWaiting);

/// <summary>How many requests in flight a replica takes, as learned so far.</summary>
internal readonly record struct LearnedLimit
{
    public static LearnedLimit Fresh { get; } = new() { Limit = ConcurrencyPolicy.First, IsDoubling = true };

    public double Limit { get; init; }

    /// <summary>Growing with every answer, until the first sign of congestion.</summary>
    public bool IsDoubling { get; init; }

    /// <summary>The time to the first byte without a queue, per unit of prompt, in ticks; 0 before the first sample.</summary>
    public double Baseline { get; init; }

    /// <summary>The same as it is now, smoothed.</summary>
    public double Smoothed { get; init; }

    /// <summary>When the limit was last cut.</summary>
    public long CutAt { get; init; }

    public int Whole => Math.Max(1, (int)Limit);
}

/// <summary>
/// Learns how many requests a replica takes where nobody has said: additive increase, multiplicative decrease. Congestion is what the engine says
/// (429, 503, requests waiting in it), and where it says nothing, a first byte that takes more than three times what it takes without a queue.
/// The limit only grows while it is what holds requests back, and is cut at most once in the time of one answer. Pure.
/// </summary>
internal static class ConcurrencyPolicy
{
    public const double First = 8, Least = 1, Most = 1024;

    private const double Cut = 0.8, CutForBusy = 0.7, Slack = 3;

    /// <summary>Prompts of so many tokens take twice as long as very short ones; a rough guess, only to compare like with like.</summary>
    private const double PromptUnit = 2048;

    /// <summary>Differences below this are the machine's noise.</summary>
    private static readonly double Noise = TimeSpan.FromMilliseconds(50).Ticks;

    public static LearnedLimit Decide(LearnedLimit before, in ConcurrencySample sample, RoutingOptions options)
    {
        if (sample.FirstByte < 0)
        {
            // It has just said that this one was too many.
            var reduced = Reduce(before, sample.At, CutForBusy);
            return reduced with { Limit = Math.Max(Least, Math.Min(reduced.Limit, sample.InFlight - 1)) };
        }

        var scaled = sample.FirstByte / (1 + sample.PromptTokens / PromptUnit);
        var learned = before with
        {
            Smoothed = before.Smoothed == 0 ? scaled : before.Smoothed + 0.2 * (scaled - before.Smoothed),
            Baseline = Baseline(before, scaled, sample.InFlight),
        };
        var congested = sample.EngineWaiting >= 0
            ? sample.EngineWaiting >= options.EngineWaiting
            : learned.Smoothed > Slack * learned.Baseline && learned.Smoothed - learned.Baseline > Noise;
        if (congested) return Reduce(learned, sample.At, Cut);
        // The whole number, which is what holds back: 2.9 lets 2 in.
        if (sample.InFlight < 0.8 * learned.Whole) return learned;
        // An engine that says itself that nothing waits is believed: what was cut for a moment's noise is soon back.
        return learned with { Limit = Math.Min(Most, learned.Limit + (learned.IsDoubling || sample.EngineWaiting == 0 ? 1 : 1 / learned.Limit)) };
    }

    /// <summary>
    /// Falls at once. It rises only by samples of a replica that has little to do, so that a model that became slower for good is believed in time, but a
    /// queue is never taken for the model's own pace: the limit settles below four times what runs without one, and a quarter of it has none.
    /// </summary>
    private static double Baseline(LearnedLimit before, double scaled, int inFlight) =>
        before.Baseline == 0 || scaled < before.Baseline ? scaled
        : inFlight <= Math.Max(1, before.Limit / 4) ? before.Baseline + 0.05 * (scaled - before.Baseline)
        : before.Baseline;

    private static LearnedLimit Reduce(LearnedLimit learned, long now, double by)
    {
        var round = Math.Max(learned.Smoothed, TimeSpan.TicksPerSecond / 10.0);
        if (learned.CutAt != 0 && now - learned.CutAt < round) return learned with { IsDoubling = false };
        return learned with { Limit = Math.Max(Least, learned.Limit * by), IsDoubling = false, CutAt = now };
    }
}
