using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Supervision;

internal abstract record RestartVerdict
{
    internal sealed record Again(TimeSpan Delay) : RestartVerdict;

    /// <summary>Ended with success, and success ends it.</summary>
    internal sealed record Complete : RestartVerdict;

    internal sealed record GiveUp(string Why) : RestartVerdict;
}

/// <summary>Whether and when an ended replica is started again. Pure: the jitter is a function of the replica and the attempt.</summary>
internal static class RestartPolicy
{
    private const double JitterShare = 0.1;

    /// <param name="attempt">Restarts in a row before this one.</param>
    /// <param name="seed">Anything that differs between replicas, so that they do not restart in step.</param>
    public static RestartVerdict Decide(RestartSpec spec, ExitStatus status, int attempt, int seed)
    {
        switch (spec.Mode)
        {
            case RestartMode.No:
                return status.IsSuccess ? new RestartVerdict.Complete() : new RestartVerdict.GiveUp("its restart policy is `no`");
            case RestartMode.OnFailure when status.IsSuccess:
                return new RestartVerdict.Complete();
        }

        if (spec.MaxAttempts is { } limit && attempt >= limit)
            return new RestartVerdict.GiveUp($"{limit} restart{(limit == 1 ? "" : "s")} in a row did not help");
        return new RestartVerdict.Again(Delay(spec, attempt, seed));
    }

    /// <summary>Nothing before the first restart of a row, then <see cref="RestartSpec.Delay"/> growing by the factor up to the maximum, ±10 %.</summary>
    public static TimeSpan Delay(RestartSpec spec, int attempt, int seed)
    {
        if (attempt == 0 || spec.Delay == TimeSpan.Zero) return TimeSpan.Zero;
        var grown = spec.Delay.TotalMilliseconds * Math.Pow(spec.Factor, Math.Min(attempt - 1, 64));
        var capped = Math.Min(grown, spec.MaxDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(capped * (1 + JitterShare * Spread(seed, attempt)));
    }

    /// <summary>A number in [-1, 1] that looks random but is the same for the same replica and attempt (a multiplicative hash).</summary>
    private static double Spread(int seed, int attempt)
    {
        var mixed = unchecked(((uint)seed * 2654435761u) ^ ((uint)attempt * 2246822519u));
        mixed = unchecked((mixed ^ (mixed >> 15)) * 2654435761u);
        return (mixed >> 8) / (double)(1 << 23) - 1;
    }
}
