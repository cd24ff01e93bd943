using System.Diagnostics;
using Stoker.Gateway.Answers;
using Stoker.Gateway.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Gateway.Limits;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// What one request claims and what it came to: reserved at the limits before anything is done for it, settled exactly once when it is over, and then one
/// row in the ledger and one count in the metrics. The tokens are the same in all three. Used again for each request.
/// </summary>
internal sealed class Settlement(GatewayLoop loop, RouteAttempts attempts)
{
    private Lease _reserved;
    private LedgerRow _row;
    private long _began;
    private long _received;
    private long _placed;

    /// <summary>Nothing is reserved, or it has been settled.</summary>
    public bool IsDone { get; private set; } = true;

    /// <summary>HTTP's, as the client gets it; 0: none yet.</summary>
    public int Status { get; set; }

    public byte[] RequestId { get; } = new byte[RequestIds.Length];

    private GatewayState Gateway => loop.Gateway;

    /// <summary>A request's head is there.</summary>
    public void Begin()
    {
        (_began, _received, _placed, Status, IsDone, _row) = (Stopwatch.GetTimestamp(), 0, 0, 0, true, default);
        loop.Ids.Next(RequestId);
    }

    /// <summary>Its body is there too: from here on the time is the gateway's own.</summary>
    public void Received() => _received = Stopwatch.GetTimestamp();

    public void Asked(string model) => _row = _row with { ModelAsked = model };

    public void Waited(long ticks) => _row = _row with { Queued = _row.Queued + TimeSpan.FromTicks(ticks).TotalMilliseconds };

    /// <summary>A replica is found; the first time ends what counts as overhead.</summary>
    public void Placed()
    {
        if (_placed != 0) return;
        _placed = Stopwatch.GetTimestamp();
        Gateway.Metrics.Overhead(Stopwatch.GetElapsedTime(_received, _placed) - TimeSpan.FromMilliseconds(_row.Queued));
    }

    /// <summary>The first byte of the answer.</summary>
    public void Answers(int status)
    {
        Status = status;
        _row = _row with { FirstToken = Stopwatch.GetElapsedTime(_began).TotalMilliseconds };
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
        if (Gateway.Limiter.TryReserve(request, loop.Utc, out _reserved, out var refusal))
        {
            IsDone = false;
            Gateway.Metrics.Begun();
            return null;
        }

        Gateway.Metrics.Limited(refusal.Kind);
        return new ApiError(429, refusal.ErrorType, refusal.ErrorCode, refusal.Message(model, key.Name))
        {
            RetryAfter = refusal.RetryAfter,
            ShouldRetry = refusal.RetryAfter is { } wait && wait <= TimeSpan.FromMinutes(2),
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
        _row = _row with { Prompt = prompt, Cached = usage.Cached, Completion = completion, Reasoning = usage.Reasoning, IsEstimated = isEstimated, Bytes = bytes };
        Write(key, scan.Stream, outcome);
        Gateway.Metrics.Ended(_row, operation);
    }

    /// <summary>Refused before it was admitted: in the ledger all the same, so that nobody's requests vanish.</summary>
    public void Refuse(KeyState key, bool isStream)
    {
        Write(key, isStream, RequestOutcome.Refused);
        Gateway.Metrics.Refused(Status);
    }

    private void Write(KeyState key, bool isStream, RequestOutcome outcome)
    {
        _row = _row with
        {
            At = loop.Utc,
            Request = System.Text.Encoding.ASCII.GetString(RequestId),
            Key = key.Id.Value,
            ModelAsked = _row.ModelAsked ?? "",
            Model = attempts.Route?.Spec.Name.Value ?? "",
            Replica = attempts.Target?.Name ?? "",
            Outcome = outcome,
            Wasted = outcome == RequestOutcome.Good ? 0 : _row.Completion,
            Duration = Stopwatch.GetElapsedTime(_began).TotalMilliseconds,
            Status = Status > 0 ? Status : 499,
            IsStream = isStream,
        };
        Gateway.Ledger.Add(_row);
    }
}
