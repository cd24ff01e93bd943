namespace Stoker.Gateway.Routing;

/// <summary>
/// What a fact makes of a replica's health. Pure.
/// <list type="bullet">
/// <item>Client errors and clients that leave never count against it, nor does what was begun before its ejection count after it.</item>
/// <item>429 and 503 are the engine's word that it is busy: less load until the time it says, no failure.</item>
/// <item>The last usable replica is never ejected: an attempt that may fail is better than none.</item>
/// <item>A probe's good answer shortens the ejection of what was unreachable. It is no proof that the model answers, so the one request comes next.</item>
/// </list>
/// </summary>
internal static class ReplicaHealthPolicy
{
    public static ReplicaHealth Decide(ReplicaHealth before, in HealthEvent happened, ReplicaHealthOptions options)
    {
        var health = Turn(before, happened.At, options);
        return happened.Fact switch
        {
            ReplicaFact.Answered => Answered(health, happened),
            ReplicaFact.ClientError => happened.IsTrial ? Recovered(health, happened.At) : health,
            ReplicaFact.ClientLeft or ReplicaFact.NotSent => health,
            ReplicaFact.Busy => Busy(health, happened, options),
            ReplicaFact.ProbeSucceeded => ProbeSucceeded(health, happened.At, options),
            ReplicaFact.ProbeFailed => ProbeFailed(health, happened, options),
            ReplicaFact.ConnectFailed or ReplicaFact.ResetBeforeFirstByte or ReplicaFact.ServerError or ReplicaFact.Truncated
                or ReplicaFact.TimedOutBeforeFirstByte or ReplicaFact.Stalled => Failed(health, happened, options),
        };
    }

    /// <summary>Counts of two windows, so that the share of failures is always of at least one whole one.</summary>
    private static ReplicaHealth Turn(ReplicaHealth health, long now, ReplicaHealthOptions options)
    {
        if (health.Ejections > 0 && !health.IsEjected && health.RecoveredAt != long.MinValue && now - health.RecoveredAt > options.ForgetAfter.Ticks)
            health = health with { Ejections = 0 };
        var passed = now - health.WindowBegan;
        if (passed < options.Window.Ticks) return health;
        var last = passed < 2 * options.Window.Ticks;
        return health with
        {
            WindowBegan = now, Good = 0, Bad = 0, GoodBefore = last ? health.Good : 0, BadBefore = last ? health.Bad : 0,
        };
    }

    private static ReplicaHealth Answered(ReplicaHealth health, in HealthEvent happened)
    {
        if (health.IsEjected) return happened.IsTrial ? Recovered(health, happened.At) : health;
        // A pause that the engine asked for goes on: this one may have been begun before. Failed probes are forgotten: who answers requests is there, whatever
        // its metrics do.
        return health with { Good = health.Good + 1, Failures = 0, ProbesFailed = 0 };
    }

    private static ReplicaHealth Recovered(ReplicaHealth health, long now) => health with
    {
        IsEjected = false, Failures = 0, RecoveredAt = now, BusyUntil = 0, ProbesFailed = 0, Good = 0, Bad = 0, GoodBefore = 0, BadBefore = 0, WindowBegan = now,
    };

    private static ReplicaHealth Busy(ReplicaHealth health, in HealthEvent happened, ReplicaHealthOptions options)
    {
        var pause = happened.RetryAfter is { } said && said > TimeSpan.Zero ? said : options.BusyFor;
        var until = happened.At + Math.Min(pause.Ticks, options.BusyAtMost.Ticks);
        var answers = happened.IsTrial && health.IsEjected ? Recovered(health, happened.At) : health;
        return answers with { BusyUntil = Math.Max(answers.BusyUntil, until) };
    }

    private static ReplicaHealth Failed(ReplicaHealth health, in HealthEvent happened, ReplicaHealthOptions options)
    {
        if (health.IsEjected) return happened.IsTrial ? Ejected(health, happened, options) : health;
        health = health with { Failures = health.Failures + 1, LastFailure = happened.At, Bad = health.Bad + 1 };
        if (!happened.OthersUsable) return health;
        var bad = health.Bad + health.BadBefore;
        var volume = bad + health.Good + health.GoodBefore;
        return health.Failures >= options.Failures || (volume >= options.Volume && bad >= options.FailureShare * volume)
            ? Ejected(health, happened, options)
            : health;
    }

    private static ReplicaHealth Ejected(ReplicaHealth health, in HealthEvent happened, ReplicaHealthOptions options)
    {
        var ejections = Math.Min(health.Ejections + 1, 30);
        var length = Math.Min(options.EjectFor.Ticks * Math.Pow(2, ejections - 1), options.EjectAtMost.Ticks);
        length *= 1 + options.Jitter * (2 * Mixing.Fraction(happened.Seed, ejections) - 1);
        return health with
        {
            IsEjected = true, Ejections = ejections, EjectedBy = happened.Fact, EjectedUntil = happened.At + (long)length, LastFailure = happened.At, ProbesSucceeded = 0,
        };
    }

    private static ReplicaHealth ProbeSucceeded(ReplicaHealth health, long now, ReplicaHealthOptions options)
    {
        health = health with { ProbesFailed = 0, ProbesSucceeded = Math.Min(health.ProbesSucceeded + 1, options.ProbeSuccesses) };
        return health.IsEjected && health.EjectedBy.IsUnreachable() && health.ProbesSucceeded >= options.ProbeSuccesses
            ? health with { EjectedUntil = Math.Min(health.EjectedUntil, now) }
            : health;
    }

    private static ReplicaHealth ProbeFailed(ReplicaHealth health, in HealthEvent happened, ReplicaHealthOptions options)
    {
        health = health with { ProbesSucceeded = 0, ProbesFailed = Math.Min(health.ProbesFailed + 1, options.ProbeFailures), LastFailure = happened.At };
        if (health.ProbesFailed < options.ProbeFailures || !happened.OthersUsable) return health;
        // On trial and still not there: no request needs to find that out.
        return !health.IsEjected || health.PhaseAt(happened.At) == HealthPhase.Trial ? Ejected(health, happened, options) : health;
    }
}
