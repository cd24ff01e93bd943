namespace Stoker.Models.Simulator.Faults;

/// <summary>How lines of a stream end.</summary>
internal enum LineEnds
{
    LineFeed,
    Both,
    CarriageReturn,
}

/// <summary>
/// How one answer goes wrong, or is made in a way that is right and rare. Events of a stream are counted from 1; the first one of a chat
/// carries the role. In an answer that is no stream, "after n events" means in the middle of its body.
/// </summary>
internal sealed record FaultSpec
{
    /// <summary>Answer with this status and the engine's error body.</summary>
    public int? Status { get; init; }

    /// <summary>The header <c>retry-after</c>, in seconds, as it is to be written.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>TCP reset after so many events; 0: after the head.</summary>
    public int? ResetAfter { get; init; }

    /// <summary>TCP reset before the head.</summary>
    public bool ResetBeforeHeaders { get; init; }

    /// <summary>A clean end after so many events: no <c>finish_reason</c>, no <c>[DONE]</c>. Not in a stream: half of a body that promised more.</summary>
    public int? EndAfter { get; init; }

    /// <summary>Silence after so many events, until the client leaves.</summary>
    public int? StallAfter { get; init; }

    public bool StallBeforeHeaders { get; init; }

    /// <summary>After so many events one that is no JSON; then it goes on.</summary>
    public int? MalformedAfter { get; init; }

    /// <summary>After so many events an error as an event, and the end. 0: a 200 whose first event is an error.</summary>
    public int? ErrorAfter { get; init; }

    /// <summary>Each character of several bytes goes out in two writes; an event without one is cut in its middle.</summary>
    public bool SplitCharacters { get; init; }

    public LineEnds LineEnds { get; init; }

    /// <summary>A comment line before each event.</summary>
    public bool Comments { get; init; }

    /// <summary><c>data:{</c>, without the blank.</summary>
    public bool NoSpace { get; init; }

    /// <summary>Each event on two <c>data:</c> lines.</summary>
    public bool SeveralDataLines { get; init; }

    /// <summary>One event with arguments of a tool that are so many characters long.</summary>
    public int HugeEvent { get; init; }

    public bool NoUsage { get; init; }

    /// <summary><c>finish_reason</c> and the end, without <c>[DONE]</c>.</summary>
    public bool NoDone { get; init; }

    /// <summary>After <c>[DONE]</c> the body is not ended.</summary>
    public bool HoldOpen { get; init; }

    /// <summary>The head is sent in pieces over this time.</summary>
    public TimeSpan SlowHeaders { get; init; }

    public bool Gzip { get; init; }

    /// <summary>Neither length nor chunks: the body ends with the connection.</summary>
    public bool CloseDelimited { get; init; }

    /// <summary>Closes the connection after the answer, and says so.</summary>
    public bool CloseAfter { get; init; }

    /// <summary>Closes the connection after the answer without having said so.</summary>
    public bool CloseSilently { get; init; }

    /// <summary>The answer has exactly so many tokens; no fault.</summary>
    public int Tokens { get; init; }

    /// <summary>Whether single events are to be changed or counted.</summary>
    public bool TouchesEvents => ResetAfter is not null || EndAfter is not null || StallAfter is not null || MalformedAfter is not null || ErrorAfter is not null
        || SplitCharacters || LineEnds != LineEnds.LineFeed || Comments || NoSpace || SeveralDataLines || Gzip;

    /// <summary>Whether a body that is sent at once is to be cut.</summary>
    public bool CutsBody => ResetAfter is not null || EndAfter is not null || StallAfter is not null;
}

/// <summary>A fault, and which requests it is for.</summary>
/// <param name="Rate">Share of the requests, 0 to 1.</param>
/// <param name="Path">Only requests whose path begins so; null: those under <c>/v1/</c>.</param>
/// <param name="Model">Only requests for this model.</param>
internal sealed record FaultRule(FaultSpec Fault, double Rate = 1, string? Path = null, string? Model = null)
{
    /// <summary>How many requests it is still for; -1: all.</summary>
    public int Left { get; set; } = -1;

    /// <summary>As it was given, for who asks what is set.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Words { get; init; } = [];
}
