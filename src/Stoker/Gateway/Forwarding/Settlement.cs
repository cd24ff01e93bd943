using System.Diagnostics;
using Stoker.Gateway.Answers;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Limits;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// What one request claims and what it came to: reserved at the limits before anything is done for it, settled exactly once when it is over, and then one
/// row in the ledger and one count in the metrics. The tokens are the same in all three. Used again for each request.
/// </summary>
internal sealed class Settlement(GatewayLoop loop, RouteAttempts attempts)
{
    private Lease _reserved;
    private RequestId _request;
    private string _asked = "";
    private float? _firstToken;
    private float _queued;
    private long _began;
    private long _admitted;
    private long _received;
    private long _placed;

    /// <summary>Nothing is reserved, or it has been settled.</summary>
    public bool IsDone { get; private set; } = true;

    /// <summary>HTTP's, as the client gets it; 0: none yet.</summary>
    public int Status { get; set; }

    public byte[] RequestId { get; } = new byte[Ledger.RequestId.TextLength];

    private GatewayState Gateway => loop.Gateway;

    /// <summary>A request's head is there.</summary>
    public void Begin()
    {
        (_began, _received, _placed, Status, IsDone) = (Stopwatch.GetTimestamp(), 0, 0, 0, true);
        (_asked, _firstToken, _queued) = ("", null, 0);
        _request = loop.Ids.Next();
        _request.WriteText(RequestId);
    }

    /// <summary>Its body is there too: from here on the time is the gateway's own.</summary>
    public void Received() => _received = Stopwatch.GetTimestamp();

    public void Asked(string model) => _asked = model;

    public void Waited(long ticks) => _queued += (float)TimeSpan.FromTicks(ticks).TotalMilliseconds;

    /// <summary>A replica is found; the first time ends what counts as overhead.</summary>
    public void Placed()
    {
        if (_placed != 0) return;
        _placed = Stopwatch.GetTimestamp();
        Gateway.Metrics.Overhead(Stopwatch.GetElapsedTime(_received, _placed) - TimeSpan.FromMilliseconds(_queued));
    }

    /// <summary>The first byte of the answer.</summary>
    public void Answers(int status)
    {
        Status = status;
        _firstToken = Elapsed();
    }

    /// <summary>Claims the request's tokens and its place at the limits of its key and model; null: it is admitted.</summary>
    /// <param name="bodyLength">Of the whole body, for where the prompt is not known apart.</param>
    public ApiError? Reserve(KeyState key, in RequestScan scan, int bodyLength)
    {
        var model = attempts.Asked!.Spec.Name.Value;
        attempts.PromptBytes = scan.Prompt.IsThere ? scan.Prompt.Length : bodyLength;
        attempts.PromptTokens = Gateway.Estimates.Prompt(model, attempts.PromptBytes);
        var room = Gateway.Tables.RoomOf(attempts.Asked, attempts.PromptTokens);
        attempts.CompletionTokens = Gateway.Estimates.Completion(model, scan.MaxTokens > 0 ? scan.MaxTokens : null, scan.Choices, room);
        var request = new LimitRequest(key.Id.Value, key.Terms.Limits, model, attempts.PromptTokens, attempts.CompletionTokens);
        _admitted = loop.Utc;
        if (Gateway.Limiter.TryReserve(request, _admitted, out _reserved, out var refusal))
        {
            IsDone = false;
            Gateway.Metrics.Begun();
            return null;
        }

        Gateway.Metrics.Limited(refusal.Kind);
        return new ApiError(429, refusal.ErrorType, refusal.ErrorCode, refusal.Message(model, key.Name))
        {
            RetryAfter = refusal.RetryAfter,
            ShouldRetry = refusal.RetryAfter is { } wait && ApiError.IsKept(wait),
        };
    }

    /// <summary>The answer is through, or as much of it as ever will be; the first call counts.</summary>
    /// <param name="usage">As the engine told it, as far as it came.</param>
    /// <param name="pieces">Pieces of the answer that came after the engine last told its usage: what is taken for the number of tokens of which it has told nothing.</param>
    /// <param name="bytes">Of the answer's body that were passed on.</param>
    public void Settle(KeyState key, in RequestScan scan, string operation, RequestOutcome outcome, TokenUsage usage, long pieces, long bytes)
    {
        if (IsDone) return;
        IsDone = true;
        var servedNothing = outcome is RequestOutcome.Failed or RequestOutcome.Refused;
        var (prompt, completion) = usage.IsKnown ? (usage.Prompt, usage.Completion + (outcome == RequestOutcome.Good ? 0 : pieces))
            : servedNothing ? (0, 0)
            : (attempts.PromptTokens, pieces);
        var isEstimated = !servedNothing && (!usage.IsKnown || completion > usage.Completion);
        if (servedNothing) Gateway.Limiter.Refund(_reserved, loop.Utc);
        else Gateway.Limiter.Settle(_reserved, prompt, completion, loop.Utc);
        if (usage.IsKnown && outcome == RequestOutcome.Good)
            Gateway.Estimates.Learn(attempts.Route!.Spec.Name.Value, attempts.PromptBytes, prompt, completion, scan.MaxTokens == 0);
        var row = Row(key, scan.Stream, outcome) with
        {
            At = _admitted,
            Prompt = (int)Math.Min(prompt, int.MaxValue),
            Cached = usage.Cached,
            Completion = (int)Math.Min(completion, int.MaxValue),
            Reasoning = usage.Reasoning,
            Wasted = outcome == RequestOutcome.Good ? 0 : (int)Math.Min(completion, int.MaxValue),
            IsEstimated = isEstimated,
            Bytes = bytes,
        };
        Gateway.Ledger.Add(row);
        Gateway.Metrics.Ended(row, operation);
    }

    /// <summary>Refused before it was admitted: in the ledger all the same, so that nobody's requests vanish.</summary>
    public void Refuse(KeyState key, bool isStream)
    {
        Gateway.Ledger.Add(Row(key, isStream, RequestOutcome.Refused));
        Gateway.Metrics.Refused(Status);
    }

    private LedgerRow Row(KeyState key, bool isStream, RequestOutcome outcome) => new()
    {
        At = loop.Utc,
        Request = _request,
        Key = key.Id.Value,
        ModelAsked = _asked,
        Model = attempts.Route?.Spec.Name.Value ?? "",
        Replica = attempts.Target?.Name ?? "",
        Outcome = outcome,
        FirstToken = _firstToken,
        Duration = Elapsed(),
        Queued = _queued,
        Status = Status > 0 ? Status : 499,
        IsStream = isStream,
    };

    /// <summary>Milliseconds since the request's head was there.</summary>
    private float Elapsed() => (float)Stopwatch.GetElapsedTime(_began).TotalMilliseconds;
}
