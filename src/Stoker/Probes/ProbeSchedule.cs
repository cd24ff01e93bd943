using Stoker.Estates;

namespace Stoker.Probes;

/// <summary>When the next question is asked. Pure.</summary>
internal static class ProbeSchedule
{
    private const double Spread = 0.05;

    /// <summary>
    /// The delay before the next probe. Until the first success: 1, 2, 4, 8 … ms, at most the start interval (default: the
    /// interval, at most 1 s), so that a fast service is found healthy at once and a slow one is not asked in vain. Then the
    /// declared interval. Delays of the steady pace differ by up to 5 % from service to service, always the same for the same one,
    /// so that a thousand services that started together are not asked together for ever.
    /// </summary>
    /// <param name="asked">Probes asked since this start of the service.</param>
    /// <param name="spreadBy">What tells services apart: <c>vision.1</c>.</param>
    public static TimeSpan Next(HealthcheckSpec check, bool everHealthy, int asked, string spreadBy)
    {
        if (everHealthy) return check.Interval * Factor(spreadBy);

        var slowest = SlowestStart(check);
        // 2^20 ms is above any start interval that makes sense; the shift must not overflow after days of failing.
        var quick = TimeSpan.FromMilliseconds(1L << Math.Min(asked, 20));
        return quick < slowest ? quick : slowest * Factor(spreadBy);
    }

    /// <summary>
    /// Moves a delay to the end of the quarter second in which it would end, so that the questions of a thousand services wake the
    /// machine four times a second and not a hundred times; waking is most of what a probe costs. Delays under two seconds stay
    /// exact: those are of a service that starts, and somebody waits for it.
    /// </summary>
    /// <param name="now">Any steady clock, the same for all services.</param>
    public static TimeSpan Gather(TimeSpan now, TimeSpan delay)
    {
        if (delay < TimeSpan.FromSeconds(2)) return delay;
        var due = (now + delay).Ticks;
        var step = TimeSpan.FromMilliseconds(250).Ticks;
        return TimeSpan.FromTicks(((due + step - 1) / step * step) - now.Ticks);
    }

    /// <summary>The slowest pace before the first success.</summary>
    public static TimeSpan SlowestStart(HealthcheckSpec check)
    {
        var second = TimeSpan.FromSeconds(1);
        return check.StartInterval ?? (check.Interval < second ? check.Interval : second);
    }

    private static double Factor(string spreadBy)
    {
        // FNV-1a: string.GetHashCode differs from run to run, and a pace that changes with each daemon cannot be explained.
        var hash = 2166136261u;
        foreach (var c in spreadBy)
        {
            hash = (hash ^ c) * 16777619u;
        }

        // The last characters reach the high bits only through a final mix; names often differ in nothing else.
        hash ^= hash >> 15;
        hash *= 2246822519u;
        hash ^= hash >> 13;
        return 1 - Spread + (2 * Spread * hash / uint.MaxValue);
    }
}
