namespace Stoker.Gateway.Routing;

/// <summary>Why an attempt did not serve the request.</summary>
internal enum AttemptEnd
{
    ConnectFailed,
    ResetBeforeFirstByte,
    ServerError,
    Truncated,
    TimedOutBeforeFirstByte,
    Stalled,
    Busy,

    /// <summary>400 whose code is <c>context_length_exceeded</c>, in whatever words the engine has for it.</summary>
    ContextTooLong,

    /// <summary>Every other 4xx.</summary>
    ClientError,

    ClientLeft,

    /// <summary>The request's time in total, with its tries elsewhere, was over while the replica still had time for itself.</summary>
    OutOfTime,

    /// <summary>No replica serves.</summary>
    NoReplica,

    /// <summary>Every replica is at its capacity and the request did not or could not wait.</summary>
    NoCapacity,
}

/// <param name="FirstByteSent">The client has had a byte of the answer; a status held back does not count.</param>
/// <param name="Attempts">At this model, the failed one included.</param>
/// <param name="UntriedLeft">Replicas that serve and have not been tried.</param>
/// <param name="TimeIsUp">The request's total time is over.</param>
/// <param name="BudgetLeft">The model's <see cref="RetryBudget"/> has room.</param>
internal readonly record struct AttemptFacts(AttemptEnd End, bool FirstByteSent, int Attempts, int UntriedLeft, bool TimeIsUp, bool BudgetLeft);

/// <summary>What comes after a failed attempt.</summary>
internal enum RetryVerdict
{
    /// <summary>The answer, or the error, stands as it is.</summary>
    Stop,

    /// <summary>Another replica of the model, or the same one where there is no other; takes from the budget.</summary>
    Again,

    /// <summary>The next model of the list for the reason in <see cref="RetryPolicy.FallbackFor"/>; the error stands when there is none.</summary>
    FallBack,
}

/// <summary>
/// When a failed attempt is repeated. Pure. Never after the first byte: the client would get text twice and run tools twice (litellm#32835). Never for
/// what is wrong with the request. Within a budget, because retries at a fleet that is down are what keeps it down.
/// </summary>
internal static class RetryPolicy
{
    public static RetryVerdict Decide(in AttemptFacts facts, RetryOptions options)
    {
        if (facts.FirstByteSent || facts.TimeIsUp) return RetryVerdict.Stop;
        return facts.End switch
        {
            AttemptEnd.ClientLeft or AttemptEnd.ClientError or AttemptEnd.OutOfTime => RetryVerdict.Stop,
            AttemptEnd.ContextTooLong or AttemptEnd.NoReplica or AttemptEnd.NoCapacity => RetryVerdict.FallBack,
            // A busy replica has asked for a pause, so the same one again would be rude and useless.
            AttemptEnd.Busy => facts.UntriedLeft > 0 && MayRepeat(facts, options) ? RetryVerdict.Again : RetryVerdict.FallBack,
            // The engine may have worked on it for minutes: only where another one has not been tried.
            AttemptEnd.TimedOutBeforeFirstByte or AttemptEnd.Stalled =>
                facts.UntriedLeft > 0 && MayRepeat(facts, options) ? RetryVerdict.Again : RetryVerdict.FallBack,
            AttemptEnd.ConnectFailed or AttemptEnd.ResetBeforeFirstByte or AttemptEnd.ServerError or AttemptEnd.Truncated =>
                MayRepeat(facts, options) ? RetryVerdict.Again : RetryVerdict.FallBack,
        };
    }

    /// <summary>Which of a route's fallbacks are meant.</summary>
    public static FallbackWhen FallbackFor(AttemptEnd end) => end switch
    {
        AttemptEnd.Busy or AttemptEnd.NoCapacity => FallbackWhen.Overloaded,
        AttemptEnd.ContextTooLong => FallbackWhen.ContextLength,
        AttemptEnd.ClientError or AttemptEnd.ClientLeft or AttemptEnd.OutOfTime => FallbackWhen.None,
        AttemptEnd.ConnectFailed or AttemptEnd.ResetBeforeFirstByte or AttemptEnd.ServerError or AttemptEnd.Truncated
            or AttemptEnd.TimedOutBeforeFirstByte or AttemptEnd.Stalled or AttemptEnd.NoReplica => FallbackWhen.Unavailable,
    };

    private static bool MayRepeat(in AttemptFacts facts, RetryOptions options) => facts.Attempts < options.MaxAttempts && facts.BudgetLeft;
}
