using Stoker.Estates;

namespace Stoker.Probes;

internal enum HealthVerdict
{
    /// <summary>Not healthy yet, and not yet given up.</summary>
    Starting,

    Healthy,

    Unhealthy,
}

/// <summary>What the answers so far say of one run of a replica.</summary>
/// <param name="Failures">Counted failures in a row.</param>
/// <param name="Reason">In words, why the verdict is what it is.</param>
internal sealed record HealthState(HealthVerdict Verdict, int Failures, bool EverHealthy, string Reason)
{
    /// <summary>Of a replica that has just been started.</summary>
    public static HealthState Fresh { get; } = new(HealthVerdict.Starting, 0, false, "not asked yet");

    /// <summary>When the last failure was counted, as time since the start.</summary>
    public TimeSpan? LastCounted { get; init; }
}

/// <summary>
/// Docker's rules for health, made safe for fast start-up probing. Pure.
/// <list type="bullet">
/// <item>One success makes healthy, at any time.</item>
/// <item><c>retries</c> counted failures in a row make unhealthy.</item>
/// <item>Before the first success, failures in the start period do not count.</item>
/// <item>A failure counts once per interval. Docker asks no faster than that; the extra questions of the start-up and those asked by hand
/// can bring good news early, but never bad news: a service without start period has <c>retries × interval</c> to become healthy.</item>
/// </list>
/// </summary>
internal static class HealthPolicy
{
    // Steady probes come up to 5 % early (ProbeSchedule), and timers are not exact.
    private const double Tolerance = 0.9;

    /// <param name="sinceStart">From the start of the process to the moment this question was asked.</param>
    public static HealthState Decide(HealthState before, HealthcheckSpec check, TimeSpan sinceStart, ProbeOutcome outcome)
    {
        if (outcome is ProbeOutcome.Healthy)
        {
            return new HealthState(HealthVerdict.Healthy, 0, EverHealthy: true, outcome.Detail);
        }

        if (!before.EverHealthy && sinceStart < check.StartPeriod)
        {
            return before with { Reason = $"{outcome.Detail} (failures count after the start period of {DurationWords.Of(check.StartPeriod)})" };
        }

        // Of a starting service the clock of the first interval runs from the start itself, as Docker's first question does.
        var sinceCounted = before.LastCounted is { } last ? sinceStart - last
            : before.EverHealthy ? TimeSpan.MaxValue
            : sinceStart;
        var counts = sinceCounted >= check.Interval * Tolerance;
        var failures = before.Failures + (counts ? 1 : 0);
        var retries = Math.Max(1, check.Retries);
        var lost = failures >= retries || before.Verdict == HealthVerdict.Unhealthy;
        return before with
        {
            Verdict = lost ? HealthVerdict.Unhealthy : before.Verdict,
            Failures = failures,
            LastCounted = counts ? sinceStart : before.LastCounted,
            Reason = lost
                ? $"{Times(failures)} in a row: {outcome.Detail}"
                : failures == 0 ? outcome.Detail
                : $"failure {failures} of {retries}: {outcome.Detail}",
        };
    }

    private static string Times(int failures) => failures == 1 ? "failed once" : $"failed {failures} times";
}
