namespace Stoker.Gateway.Ledger;

/// <summary>How a request ended.</summary>
internal enum RequestOutcome : byte
{
    /// <summary>The client has the whole answer.</summary>
    Good,

    /// <summary>The engine ended its answer too early, and the client was told.</summary>
    Truncated,

    /// <summary>The client left before the end.</summary>
    Abandoned,

    /// <summary>No answer, or an error instead of one.</summary>
    Failed,

    /// <summary>Not admitted: key, limit, budget, a full queue, or a request that is wrong.</summary>
    Refused,
}

/// <summary>
/// One request as the ledger keeps it. Exactly one for each that had a key or needed none, whatever became of it. The tokens are those that the
/// limiter's lease is settled with, so that budgets and ledger never differ.
/// </summary>
internal readonly record struct LedgerRow
{
    /// <summary>When it was admitted or refused, ticks of UTC. It belongs to this day, also when it ends on the next.</summary>
    public required long At { get; init; }

    /// <summary>The gateway's own id of the request, as in <c>x-request-id</c>.</summary>
    public required RequestId Request { get; init; }

    /// <summary>The key's id.</summary>
    public required string Key { get; init; }

    /// <summary>As the client named it; an alias perhaps.</summary>
    public required string ModelAsked { get; init; }

    /// <summary>The model that answered; empty when none was chosen.</summary>
    public required string Model { get; init; }

    /// <summary>As in <c>phi-3-mini.1</c>; empty when none was chosen.</summary>
    public required string Replica { get; init; }

    public required RequestOutcome Outcome { get; init; }

    /// <summary>Tokens of the prompt, cached ones included.</summary>
    public int Prompt { get; init; }

    /// <summary>Of them, found in the engine's cache.</summary>
    public int Cached { get; init; }

    /// <summary>Tokens that the engine generated, reasoning and undelivered ones included.</summary>
    public int Completion { get; init; }

    /// <summary>Of them, for reasoning.</summary>
    public int Reasoning { get; init; }

    /// <summary>Of them, generated and not delivered.</summary>
    public int Wasted { get; init; }

    /// <summary>The engine did not say how many tokens; they are counted or estimated.</summary>
    public bool IsEstimated { get; init; }

    /// <summary>Milliseconds to the answer's first token; null: there was none.</summary>
    public float? FirstToken { get; init; }

    /// <summary>Milliseconds from first to last byte.</summary>
    public float Duration { get; init; }

    /// <summary>Milliseconds that it waited for a replica.</summary>
    public float Queued { get; init; }

    /// <summary>HTTP's, as the client got it; 499 when it left before there was one.</summary>
    public int Status { get; init; }

    public bool IsStream { get; init; }

    /// <summary>Bytes of the answer's body that were sent.</summary>
    public long Bytes { get; init; }

    public static string Word(RequestOutcome outcome) => outcome switch
    {
        RequestOutcome.Good => "good",
        RequestOutcome.Truncated => "truncated",
        RequestOutcome.Abandoned => "abandoned",
        RequestOutcome.Failed => "failed",
        RequestOutcome.Refused => "refused",
    };
}
