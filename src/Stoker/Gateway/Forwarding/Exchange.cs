using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Stoker.Gateway.Answers;
using Stoker.Gateway.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Gateway.Limits;
using Stoker.Gateway.Routing;
using Stoker.Http;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// One request from its head to its row in the ledger. One object per connection, used again for each request; on its loop's thread.
/// <code>
/// key → body → model → limits → place ─┬→ attempt → relay ─┬→ whole ────────────────┐
///                                       │                   ├→ not begun → again? ───┤→ settle: place, limits, ledger, metrics
///                                       └→ queue → …        ├→ cut off, told ────────┤
///                                                           └→ client left → cancel ─┘
/// </code>
/// Promises: the client leaving ends everything done for it at once, in each phase; what was reserved is settled exactly once.
/// </summary>
internal sealed class Exchange(ClientConnection client)
{
    private readonly RouteAttempts _attempts = new();
    private UpstreamConnection? _upstream;
    private AdmissionWait? _wait;
    private RouteKnown _known;
    private Limits.Lease _reserved;
    private LedgerRow _row;
    private long _began;
    private long _received;
    private long _placedAt;
    private int _status;
    private bool _settled;
    private string _operation = "";

    public ClientConnection Client => client;

    /// <summary>A request is being answered.</summary>
    public bool IsActive { get; private set; }

    /// <summary>The client closed its side while we were at it.</summary>
    public bool HasClientLeft { get; private set; }

    /// <summary>The body was read, so the input's place is known by <see cref="RequestBody.InInput"/>.</summary>
    public bool HasReadRequest { get; private set; }

    public RequestScan Scan { get; private set; }

    public KeyState Key { get; private set; } = KeyState.Anonymous;

    public byte[] RequestId { get; } = new byte[RequestIds.Length];

    /// <summary>Usage on every event was our wish, not the client's.</summary>
    public bool HidesRunningUsage { get; private set; }

    /// <summary>The event with only usage was our wish, not the client's.</summary>
    public bool HidesUsage { get; private set; }

    public long FirstByteDeadline { get; private set; }

    /// <summary>When all of it must be over.</summary>
    public long TotalDeadline { get; private set; }

    private GatewayLoop Loop => client.Loop;

    private GatewayState Gateway => client.Loop.Gateway;

    /// <summary>A new request's head has arrived.</summary>
    public void Begin()
    {
        IsActive = true;
        HasReadRequest = false;
        _began = Stopwatch.GetTimestamp();
        (_status, _placedAt, _settled) = (0, 0, true);
        (HidesUsage, HidesRunningUsage) = (false, false);
        _row = default;
        _attempts.Clear();
        Scan = default;
        Loop.Ids.Next(RequestId);
    }

    /// <summary>The client has closed its side: whatever is waited for ends now.</summary>
    public void ClientLeft()
    {
        if (!IsActive || HasClientLeft) return;
        HasClientLeft = true;
        client.IsClosing = true;
        _wait?.Leave();
        // A reset and not an orderly close: the engine learns at once, and stops generating.
        _upstream?.Wire.Reset();
        client.Wire.Cancel();
    }

    public long GapDeadline() => Math.Min(TotalDeadline, Loop.Now + _attempts.Timeouts.BetweenChunks);

    /// <returns>False: the connection cannot be used for another request.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> RunAsync(Endpoint endpoint, int queryLength)
    {
        var alive = false;
        _operation = endpoint.Operation;
        try
        {
            alive = await ReceiveAsync(endpoint, queryLength);
        }
        finally
        {
            if (!_settled) Settle(RequestOutcome.Failed, default, 0, 0);
            IsActive = false;
        }

        return alive && !HasClientLeft;
    }

    /// <summary>Authenticates a request; null when it may go on.</summary>
    public ApiError? Authorize(KeyScopes scope)
    {
        if (Loop.Authorize(client, out var key) is { } denied) return denied;
        Key = key;
        return key.Terms.Has(scope) ? null : ApiErrors.NotAllowed(KeyWords.Of(scope)[0]);
    }

    /// <summary>The replica's status and fields, and ours; the relay adds its own and the empty line.</summary>
    public void BeginAnswer(MessageHead answer)
    {
        _status = answer.Status;
        if (_row.FirstToken is null) _row = _row with { FirstToken = Stopwatch.GetElapsedTime(_began).TotalMilliseconds };
        _attempts.Lease.FirstByte(GatewayLoop.Steady);
        if (_placedAt > 0) Gateway.Metrics.Overhead(Stopwatch.GetElapsedTime(_received, _placedAt) - TimeSpan.FromMilliseconds(_row.Queued));
        HeadRelay.WriteAnswer(client.Output, answer);
        client.Output.WriteField("x-request-id"u8, RequestId);
        WriteLimitFields();
        WriteExplanation();
        WriteCors();
        client.WriteConnectionField();
    }

    public void WriteErrorFields(ApiError error)
    {
        if (error.RetryAfter is { } wait)
        {
            client.Output.WriteField("retry-after"u8, (long)Math.Ceiling(wait.TotalSeconds));
            client.Output.WriteField("retry-after-ms"u8, (long)Math.Ceiling(wait.TotalMilliseconds));
        }

        if (error.ShouldRetry is { } retry) client.Output.WriteField("x-should-retry"u8, retry ? "true"u8 : "false"u8);
        if (error.Status == 401) client.Output.WriteField("www-authenticate"u8, "Bearer"u8);
        WriteLimitFields();
        WriteExplanation();
    }

    public void WriteCors()
    {
        var origins = Gateway.Settings.CorsOrigins;
        if (origins.Count == 0) return;
        var origin = client.Head.Find("origin"u8);
        if (origin.IsEmpty || !(origins.Contains("*") || origins.Contains(ClientConnection.Text(origin)))) return;
        client.Output.WriteField("access-control-allow-origin"u8, origin);
        client.Output.WriteField("vary"u8, "origin"u8);
        client.Output.WriteField("access-control-expose-headers"u8, "x-request-id, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, retry-after, x-stoker-route"u8);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReceiveAsync(Endpoint endpoint, int queryLength)
    {
        if (Authorize(KeyScopes.Inference) is { } denied) return await RefuseAsync(denied);
        var read = await client.Body.ReadAsync(client.Head, Gateway.Settings.MaxBody, Loop.Now + Gateway.Settings.BodyTime);
        if (read != BodyFault.None) return await RefuseBodyAsync(read);
        HasReadRequest = true;
        _received = Stopwatch.GetTimestamp();
        if (Understand(endpoint) is { } wrong) return await RefuseAsync(wrong);
        if (Reserve() is { } refused) return await RefuseAsync(refused);

        // From here on the client's leaving is everybody's business; it may have left while its body came.
        if (client.Wire.PeerLeft) ClientLeft();
        return await AttemptsAsync(endpoint, queryLength);
    }

    /// <summary>Finds out which model is asked for, and for how much.</summary>
    private ApiError? Understand(Endpoint endpoint)
    {
        var body = client.Body.Bytes.Span;
        if (body.IsEmpty) return ApiErrors.LengthRequired;
        var scan = default(RequestScan);
        if (endpoint.Shape == EndpointShape.Form)
        {
            scan = RequestScan.OfForm(FormScan.FindModel(body, client.Head.Find("content-type"u8)));
            if (!scan.Model.IsThere) return ApiErrors.Of(ScanFault.NoModel, scan);
        }
        else if (scan.Read(body) is var fault and not ScanFault.None)
        {
            return ApiErrors.Of(fault, scan);
        }

        Scan = scan;
        if (!_known.Is(scan.NameBytes(body), Gateway.Tables)) _known = RouteKnown.Find(Gateway.Tables, scan.ModelText(body), scan.NameBytes(body));
        _row = _row with { ModelAsked = _known.Asked };
        if (_known.Route is not { } route || !Key.Terms.Allows(_known.Asked, route.Spec.Name.Value)) return ApiErrors.NoSuchModel(_known.Asked);
        _attempts.Begin(route, Gateway.Tables.TimeoutsOf(route));
        return null;
    }

    private ApiError? Reserve()
    {
        var scan = Scan;
        var model = _attempts.Asked!.Spec.Name.Value;
        var bytes = scan.Prompt.IsThere ? scan.Prompt.Length : client.Body.Bytes.Length;
        _attempts.PromptBytes = bytes;
        _attempts.PromptTokens = Gateway.Estimates.Prompt(model, bytes);
        _attempts.CompletionTokens = Gateway.Estimates.Completion(model, scan.MaxTokens > 0 ? scan.MaxTokens : null, scan.Choices, Gateway.Tables.RoomOf(_attempts.Asked, _attempts.PromptTokens));
        var request = new LimitRequest(Key.Id.Value, Key.Terms.Limits, model, _attempts.PromptTokens, _attempts.CompletionTokens);
        if (Gateway.Limiter.TryReserve(request, Loop.Utc, out _reserved, out var refusal))
        {
            _settled = false;
            TotalDeadline = Loop.Now + _attempts.Timeouts.Total;
            Gateway.Metrics.Begun();
            return null;
        }

        Gateway.Metrics.Limited(refusal.Kind);
        return new ApiError(429, refusal.ErrorType, refusal.ErrorCode, refusal.Message(model, Key.Name))
        {
            RetryAfter = refusal.RetryAfter,
            ShouldRetry = refusal.RetryAfter is { } wait && wait <= TimeSpan.FromMinutes(2),
        };
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> AttemptsAsync(Endpoint endpoint, int queryLength)
    {
        PrepareRoute();
        while (true)
        {
            if (await PlaceAsync() is { } nowhere) return await GiveUpAsync(nowhere.End, nowhere.Error);
            var end = await AttemptAsync(endpoint, queryLength);
            switch (end)
            {
                case RelayEnd.Whole:
                    return !client.IsClosing;
                case RelayEnd.CutOff cut:
                    Gateway.Metrics.Cut(cut.End);
                    return false;
                case RelayEnd.ClientLeft:
                    return false;
                case RelayEnd.NotBegun failed:
                    if (!_attempts.GoOn(failed.End, Gateway.Tables.Router.Table, Loop.Now >= TotalDeadline, GatewayLoop.Steady)) return await GiveUpAsync(failed.End, failed.Error);
                    Gateway.Metrics.Retried(failed.End);
                    break;
            }
        }
    }

    /// <summary>What the choice of a replica looks at, found once for all attempts.</summary>
    private void PrepareRoute()
    {
        var scan = Scan;
        var route = _attempts.Asked!;
        var explain = Key.Terms.Has(KeyScopes.Explain) && client.Head.Find("x-stoker-route"u8).SequenceEqual("explain"u8);
        _attempts.Explain = explain ? new ArrayBufferWriter<byte>(512) : Gateway.Decisions.IsDue() ? Loop.DecisionBuffer : null;
        _attempts.ShowsExplanation = explain;
        if (route.Spec.SessionHeader is { } header)
        {
            var session = client.Head.Find(System.Text.Encoding.ASCII.GetBytes(header));
            _attempts.Session = session.IsEmpty ? 0 : Mixing.Hash(session);
        }

        if (scan.Prompt.IsThere && route.Spec.PrefixAffinity && route.Replicas.Length > 1)
            _attempts.HashPrefix(client.Body.Bytes.Span.Slice(scan.Prompt.At, scan.Prompt.Length), Mixing.Hash(route.Spec.Name.Value));
        _attempts.Sequence = route.Begin(GatewayLoop.Steady);
    }

    /// <summary>Takes a place at a replica, after waiting for one where all are busy. Null: it has one.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<(AttemptEnd End, ApiError Error)?> PlaceAsync()
    {
        var placement = _attempts.Place(Gateway.Tables.Router, GatewayLoop.Steady);
        if (placement.Outcome == RouteOutcome.Placed)
        {
            Placed(placement.Route, placement.Lease);
            return null;
        }

        var model = _attempts.Route!.Spec.Name.Value;
        if (placement.Outcome == RouteOutcome.Waking) Gateway.Wake(_attempts.Route);
        if (placement.Outcome == RouteOutcome.Unavailable) return (AttemptEnd.NoReplica, ApiErrors.Unavailable(model, "no replica of it serves", TimeSpan.FromSeconds(5), shouldRetry: true));

        _wait = new AdmissionWait(Loop.Events);
        var deadline = GatewayLoop.Steady + (placement.Outcome == RouteOutcome.Waking ? Gateway.Tables.LoadTimeOf(_attempts.Route) : Gateway.Settings.QueueTime).Ticks;
        var admission = await _wait.EnterAsync(_attempts.Route, _attempts.Ticket(_wait, Key, deadline), GatewayLoop.Steady);
        _wait = null;
        _row = _row with { Queued = _row.Queued + TimeSpan.FromTicks(admission.Waited).TotalMilliseconds };
        if (HasClientLeft)
        {
            admission.Lease.End(ReplicaFact.NotSent, GatewayLoop.Steady);
            return (AttemptEnd.ClientLeft, ApiErrors.TooSlow);
        }

        if (admission.Outcome != AdmissionOutcome.Admitted) return (AttemptEnd.NoCapacity, QueueErrors.Of(admission, model, placement));
        Placed(_attempts.Route, admission.Lease);
        return null;
    }

    private void Placed(Route route, Routing.Lease lease)
    {
        _attempts.Placed(route, lease, Gateway.Tables);
        _placedAt = Stopwatch.GetTimestamp();
        if (_attempts.Explain == Loop.DecisionBuffer) Gateway.Decisions.Write(Loop.DecisionBuffer, RequestId);
    }

    /// <summary>One try at one replica: to the end of its answer, or to where it failed.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RelayEnd> AttemptAsync(Endpoint endpoint, int queryLength)
    {
        var end = await ReplicaCall.RunAsync(this, _attempts.Target!, endpoint, queryLength, _attempts.Timeouts);
        var fact = end switch
        {
            RelayEnd.Whole => ReplicaFact.Answered,
            RelayEnd.ClientLeft => ReplicaFact.ClientLeft,
            RelayEnd.CutOff cut => RouteAttempts.FactOf(cut.End),
            RelayEnd.NotBegun failed => RouteAttempts.FactOf(failed.End),
            _ => throw new UnreachableException(),
        };
        _attempts.Lease.End(fact, GatewayLoop.Steady, (end as RelayEnd.NotBegun)?.Error.RetryAfter);
        return end;
    }

    /// <summary>The replica's connection for this attempt, so that the client's leaving can end it.</summary>
    public void Uses(UpstreamConnection? upstream, long firstByteDeadline)
    {
        _upstream = upstream;
        FirstByteDeadline = Math.Min(TotalDeadline, firstByteDeadline);
        if (HasClientLeft) upstream?.Wire.Reset();
    }

    /// <summary>What the request's body must be changed into for this replica.</summary>
    public BodyEdits EditsFor(UpstreamTarget target, Endpoint endpoint)
    {
        var edits = default(BodyEdits);
        var scan = Scan;
        if (!target.AnswersTo(_known.Asked) || _attempts.IsFallback) edits.Replace(scan.Model, endpoint.Shape == EndpointShape.Form ? target.PlainName : target.QuotedName);
        if (endpoint.Shape != EndpointShape.Completions || !scan.Stream) return edits;
        edits.AskForUsage(scan, target.TellsRunningUsage);
        (HidesUsage, HidesRunningUsage) = (!scan.AsksForUsage, !scan.AsksForContinuousUsage);
        return edits;
    }

    /// <summary>The answer is through, or as much of it as ever will be; the first call counts.</summary>
    /// <param name="pieces">Pieces of the answer that came: the least number of tokens, for where the engine tells none.</param>
    /// <param name="bytes">Of the answer's body that were passed on.</param>
    public void Settle(RequestOutcome outcome, TokenUsage usage, long pieces, long bytes)
    {
        if (_settled) return;
        _settled = true;
        var servedNothing = outcome is RequestOutcome.Failed or RequestOutcome.Refused;
        var (prompt, completion) = usage.IsKnown ? (usage.Prompt, Math.Max(usage.Completion, HidesRunningUsage ? pieces : 0))
            : servedNothing ? (0, 0)
            : (_attempts.PromptTokens, pieces);
        if (servedNothing) Gateway.Limiter.Refund(_reserved, Loop.Utc);
        else Gateway.Limiter.Settle(_reserved, prompt, completion, Loop.Utc);
        if (usage.IsKnown && outcome == RequestOutcome.Good)
            Gateway.Estimates.Learn(_attempts.Route!.Spec.Name.Value, _attempts.PromptBytes, prompt, completion, Scan.MaxTokens == 0);
        _row = _row with { Prompt = prompt, Cached = usage.Cached, Completion = completion, Reasoning = usage.Reasoning, IsEstimated = !usage.IsKnown && !servedNothing, Bytes = bytes };
        WriteRow(outcome);
        Gateway.Metrics.Ended(_row, _operation);
    }

    private void WriteRow(RequestOutcome outcome)
    {
        _row = _row with
        {
            At = Loop.Utc,
            Request = System.Text.Encoding.ASCII.GetString(RequestId),
            Key = Key.Id.Value,
            ModelAsked = _row.ModelAsked ?? "",
            Model = _attempts.Route?.Spec.Name.Value ?? "",
            Replica = _attempts.Target?.Name ?? "",
            Outcome = outcome,
            Wasted = outcome == RequestOutcome.Good ? 0 : _row.Completion,
            Duration = Stopwatch.GetElapsedTime(_began).TotalMilliseconds,
            Status = _status > 0 ? _status : 499,
            IsStream = Scan.Stream,
        };
        Gateway.Ledger.Add(_row);
    }

    private async ValueTask<bool> GiveUpAsync(AttemptEnd end, ApiError error)
    {
        if (end == AttemptEnd.ClientLeft)
        {
            Settle(RequestOutcome.Abandoned, TokenUsage.Nothing, 0, 0);
            return false;
        }

        _status = error.Status;
        Settle(end is AttemptEnd.ClientError or AttemptEnd.ContextTooLong ? RequestOutcome.Refused : RequestOutcome.Failed, default, 0, 0);
        // Our tries and theirs would multiply: after ours the client is told not to, unless there is a time to come again.
        return await client.FailAsync(error with { ShouldRetry = error.ShouldRetry ?? error.RetryAfter is not null });
    }

    private ValueTask<bool> RefuseBodyAsync(BodyFault fault)
    {
        client.IsClosing = true;
        return fault switch
        {
            BodyFault.TooLarge => RefuseAsync(ApiErrors.TooLarge(Gateway.Settings.MaxBody)),
            BodyFault.Malformed => RefuseAsync(ApiErrors.Of(HeadFault.Malformed)),
            BodyFault.TooSlow => RefuseAsync(ApiErrors.TooSlow),
            BodyFault.ClientLeft or BodyFault.None => new ValueTask<bool>(false),
        };
    }

    /// <summary>Refused before it was admitted: in the ledger when it had a key, so that nobody's requests vanish.</summary>
    private ValueTask<bool> RefuseAsync(ApiError error)
    {
        _status = error.Status;
        if (error.Status != 401)
        {
            WriteRow(RequestOutcome.Refused);
            Gateway.Metrics.Refused(error.Status);
        }
        else
        {
            Gateway.Metrics.Denied();
        }

        if (!HasReadRequest && client.Head.Body != BodyKind.None && client.Head.Length + Math.Max(0, client.Head.ContentLength) > client.Input.Length) client.IsClosing = true;
        return client.FailAsync(error);
    }

    private void WriteLimitFields()
    {
        if (_attempts.Asked is not { } asked) return;
        var view = Gateway.Limiter.Look(Key.Id.Value, Key.Terms.Limits, asked.Spec.Name.Value, Loop.Utc);
        if (view.IsEmpty) return;
        Span<byte> lines = stackalloc byte[LimitHeaders.Longest];
        client.Output.Write(lines[..LimitHeaders.Write(view, lines)]);
    }

    private void WriteExplanation()
    {
        if (!_attempts.ShowsExplanation || _attempts.Explain is not ArrayBufferWriter<byte> { WrittenCount: > 0 } written) return;
        client.Output.Write("x-stoker-route: "u8);
        foreach (var letter in written.WrittenSpan) client.Output.Write([letter == '\n' ? (byte)' ' : letter]);
        client.Output.Write("\r\n"u8);
    }
}
