using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Stoker.Gateway.Answers;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Gateway.Routing;
using Stoker.Http;
using Stoker.Platform.Loops;

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
internal sealed class Exchange
{
    private readonly ClientConnection _client;
    private readonly RouteAttempts _attempts = new();
    private readonly Settlement _settlement;
    private UpstreamConnection? _upstream;
    private LoopSocket? _connecting;
    private Action<LoopSocket>? _onConnecting;
    private AdmissionWait? _wait;
    private Relay? _relay;
    private RequestScan _scan;
    private RouteKnown _known;
    private bool _wasSent;
    private string _operation = "";

    public Exchange(ClientConnection client)
    {
        _client = client;
        _settlement = new Settlement(_client.Loop, _attempts);
        Fields = new AnswerFields(this, _attempts);
    }

    public ClientConnection Client => _client;

    public AnswerFields Fields { get; }

    /// <summary>A request is being answered.</summary>
    public bool IsActive { get; private set; }

    /// <summary>The client closed its side while we were at it.</summary>
    public bool HasClientLeft { get; private set; }

    /// <summary>The body was read, so the input's place is known by <see cref="RequestBody.InInput"/>.</summary>
    public bool HasReadRequest { get; private set; }

    public ref readonly RequestScan Scan => ref _scan;

    public KeyState Key { get; private set; } = KeyState.Anonymous;

    public byte[] RequestId => _settlement.RequestId;

    /// <summary>Usage on every event was our wish, not the client's.</summary>
    public bool HidesRunningUsage { get; private set; }

    /// <summary>The event with only usage was our wish, not the client's.</summary>
    public bool HidesUsage { get; private set; }

    public long FirstByteDeadline { get; private set; }

    /// <summary>When all of it must be over.</summary>
    public long TotalDeadline { get; private set; }

    private GatewayLoop Loop => _client.Loop;

    private GatewayState Gateway => _client.Loop.Gateway;

    /// <summary>A new request's head has arrived.</summary>
    public void Begin()
    {
        IsActive = true;
        HasReadRequest = false;
        (HidesUsage, HidesRunningUsage, _wasSent) = (false, false, false);
        _attempts.Clear();
        _settlement.Begin();
        _scan = default;
        _relay = null;
    }

    /// <summary>The request has its answer, or broke on a bug: then what it holds is given back here; otherwise that has been done, and again does nothing.</summary>
    public void End()
    {
        IsActive = false;
        if (_settlement.IsDone) return;
        _attempts.Lease.End(ReplicaFact.NotSent, GatewayLoop.Steady);
        Settle(RequestOutcome.Failed, default, 0, 0);
    }

    /// <summary>The client has closed its side: whatever is waited for ends now.</summary>
    public void ClientLeft()
    {
        if (!IsActive || HasClientLeft) return;
        HasClientLeft = true;
        _client.IsClosing = true;
        _wait?.Leave();
        // A reset and not an orderly close: the engine learns at once, and stops generating.
        _upstream?.Wire.Reset();
        _connecting?.Cancel();
        _client.Wire.Cancel();
    }

    /// <summary>All of its time is over.</summary>
    public bool IsOverdue => Loop.Now >= TotalDeadline;

    public long GapDeadline() => Math.Min(TotalDeadline, Loop.Now + _attempts.Timeouts.BetweenChunks);

    /// <summary>
    /// Answers a request; <see cref="End"/> follows. What needs no waiting is done without a method that could wait: three of those are open at most while
    /// a replica works, and each further one would cost as much as reading a head.
    /// </summary>
    /// <returns>False: the connection cannot be used for another request.</returns>
    public ValueTask<bool> RunAsync(Endpoint endpoint, int queryLength)
    {
        _operation = endpoint.Operation;
        if (Authorize(KeyScopes.Inference) is { } denied) return RefuseAsync(denied);
        var reading = _client.Body.ReadAsync(_client.Head, Gateway.Settings.MaxBody, Loop.Now + Gateway.Settings.BodyTime);
        return reading.IsCompletedSuccessfully ? ReceivedAsync(reading.Result, endpoint, queryLength) : ReceiveAsync(reading, endpoint, queryLength);
    }

    /// <summary>Authenticates a request; null when it may go on.</summary>
    public ApiError? Authorize(KeyScopes scope)
    {
        if (Loop.Authorize(_client, out var key) is { } denied) return denied;
        Key = key;
        return key.Terms.Has(scope) ? null : ApiErrors.NotAllowed(KeyWords.Of(scope)[0]);
    }

    /// <summary>The replica's status and fields, and ours; the relay adds its own and the empty line.</summary>
    public void BeginAnswer(MessageHead answer)
    {
        _settlement.Answers(answer.Status);
        _attempts.Lease.FirstByte(GatewayLoop.Steady);
        HeadRelay.WriteAnswer(_client.Output, answer);
        Fields.Write();
    }

    /// <summary>Has the answer passed on, and remembers by what: it knows what the answer came to.</summary>
    public ValueTask<RelayEnd> Relays(Relay relay)
    {
        _relay = relay;
        return relay.RunAsync();
    }

    /// <summary>The answer is through, or as much of it as ever will be; see <see cref="Settlement.Settle"/>.</summary>
    private void Settle(RequestOutcome outcome)
    {
        if (_relay is { } relay) Settle(outcome, relay.Usage, relay.Pieces, relay.Passed);
        // The engine has had the prompt, unless the client left before it could be sent.
        else Settle(outcome, _wasSent ? default : TokenUsage.Nothing, 0, 0);
    }

    private void Settle(RequestOutcome outcome, TokenUsage usage, long pieces, long bytes) => _settlement.Settle(Key, _scan, _operation, outcome, usage, pieces, bytes);

    private async ValueTask<bool> ReceiveAsync(ValueTask<BodyFault> reading, Endpoint endpoint, int queryLength) =>
        await ReceivedAsync(await reading, endpoint, queryLength);

    private ValueTask<bool> ReceivedAsync(BodyFault read, Endpoint endpoint, int queryLength)
    {
        if (read != BodyFault.None) return RefuseBodyAsync(read);
        HasReadRequest = true;
        _settlement.Received();
        if (Understand(endpoint) is { } wrong) return RefuseAsync(wrong);
        if (_settlement.Reserve(Key, _scan, _client.Body.Bytes.Length) is { } refused) return RefuseAsync(refused);
        TotalDeadline = Loop.Now + _attempts.Timeouts.Total;

        // From here on the client's leaving is everybody's business; it may have left while its body came.
        if (_client.Wire.PeerLeft) ClientLeft();
        PrepareRoute();
        return AttemptsAsync(endpoint, queryLength);
    }

    /// <summary>Finds out which model is asked for, and for how much.</summary>
    private ApiError? Understand(Endpoint endpoint)
    {
        var body = _client.Body.Bytes.Span;
        if (body.IsEmpty) return ApiErrors.LengthRequired;
        ref var scan = ref _scan;
        if (endpoint.Shape == EndpointShape.Form)
        {
            scan = RequestScan.OfForm(FormScan.FindModel(body, _client.Head.Find("content-type"u8)));
            if (!scan.Model.IsThere) return ApiErrors.Of(ScanFault.NoModel, scan);
        }
        else if (scan.Read(body) is var fault and not ScanFault.None)
        {
            return ApiErrors.Of(fault, scan);
        }

        var table = Gateway.Tables.Router.Table;
        if (!_known.Is(scan.NameBytes(body), table)) _known = RouteKnown.Find(table, scan.ModelText(body), scan.NameBytes(body));
        _settlement.Asked(_known.Asked);
        if (_known.Route is not { } route || !Key.Terms.Allows(_known.Asked, route.Spec.Name.Value)) return ApiErrors.NoSuchModel(_known.Asked);
        _attempts.Begin(route, Gateway.Tables.TimeoutsOf(route));
        return null;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> AttemptsAsync(Endpoint endpoint, int queryLength)
    {
        while (true)
        {
            if (await PlaceAsync() is { } nowhere) return await GiveUpAsync(nowhere);
            var end = await ReplicaCall.RunAsync(this, _attempts.Target!, endpoint, queryLength, _attempts.Timeouts);
            _attempts.Ended(end, GatewayLoop.Steady);
            switch (end)
            {
                case RelayEnd.Whole:
                    Settle(RequestOutcome.Good);
                    return !_client.IsClosing;
                case RelayEnd.CutOff cut:
                    Settle(RequestOutcome.Truncated);
                    Gateway.Metrics.Cut(cut.End);
                    return false;
                case RelayEnd.ClientLeft:
                    Settle(RequestOutcome.Abandoned);
                    return false;
                case RelayEnd.NotBegun failed:
                    if (!_attempts.GoOn(failed, Gateway.Tables.Router.Table, Loop.Now >= TotalDeadline, GatewayLoop.Steady)) return await GiveUpAsync(_attempts.Standing(failed));
                    Gateway.Metrics.Retried(failed.End);
                    break;
            }
        }
    }

    /// <summary>What the choice of a replica looks at, found once for all attempts.</summary>
    private void PrepareRoute()
    {
        var route = _attempts.Asked!;
        var explain = Key.Terms.Has(KeyScopes.Explain) && _client.Head.Find("x-stoker-route"u8).SequenceEqual("explain"u8);
        _attempts.Explain = explain ? new ArrayBufferWriter<byte>(512) : Gateway.Decisions.IsDue() ? Loop.DecisionBuffer : null;
        _attempts.ShowsExplanation = explain;
        if (route.Spec.SessionHeader is { } header)
        {
            Span<byte> name = header.Length <= 128 ? stackalloc byte[header.Length] : new byte[header.Length];
            System.Text.Encoding.ASCII.GetBytes(header, name);
            var session = _client.Head.Find(name);
            _attempts.Session = session.IsEmpty ? 0 : Mixing.Hash(session);
        }

        if (_scan.Prompt.IsThere && route.Spec.PrefixAffinity && route.Replicas.Length > 1)
            _attempts.HashPrefix(_client.Body.Bytes.Span.Slice(_scan.Prompt.At, _scan.Prompt.Length), Mixing.Hash(route.Spec.Name.Value));
        _attempts.Sequence = route.Begin(GatewayLoop.Steady);
    }

    /// <summary>Takes a place at a replica, after waiting for one where all are busy. Null: it has one.</summary>
    private ValueTask<RelayEnd.NotBegun?> PlaceAsync()
    {
        var placement = _attempts.Place(Gateway.Tables.Router, GatewayLoop.Steady);
        if (placement.Outcome != RouteOutcome.Placed) return WaitForPlaceAsync(placement);
        Placed(placement.Route, placement.Lease);
        return default;
    }

    private async ValueTask<RelayEnd.NotBegun?> WaitForPlaceAsync(Placement placement)
    {
        // The loop's buffer is another request's by the time this one's turn comes.
        if (_attempts.Explain == Loop.DecisionBuffer)
        {
            Loop.DecisionBuffer.ResetWrittenCount();
            _attempts.Explain = null;
        }

        var model = _attempts.Route!.Spec.Name.Value;
        if (placement.Outcome == RouteOutcome.Waking) Gateway.Wake(_attempts.Route);
        if (placement.Outcome == RouteOutcome.Unavailable) return new(AttemptEnd.NoReplica, ApiErrors.Unavailable(model, "no replica of it serves", TimeSpan.FromSeconds(5), shouldRetry: true));

        _wait = new AdmissionWait(Loop.Events);
        var deadline = GatewayLoop.Steady + (placement.Outcome == RouteOutcome.Waking ? Gateway.Tables.LoadTimeOf(_attempts.Route) : Gateway.Settings.QueueTime).Ticks;
        var admission = await _wait.EnterAsync(_attempts.Route, _attempts.Ticket(_wait, Key, deadline), GatewayLoop.Steady);
        _wait = null;
        _settlement.Waited(admission.Waited);
        if (HasClientLeft)
        {
            admission.Lease.End(ReplicaFact.NotSent, GatewayLoop.Steady);
            return new(AttemptEnd.ClientLeft, ApiErrors.TooSlow);
        }

        if (admission.Outcome != AdmissionOutcome.Admitted) return new(AttemptEnd.NoCapacity, QueueErrors.Of(admission, model, placement));
        Placed(_attempts.Route, admission.Lease);
        return null;
    }

    private void Placed(Route route, Routing.Lease lease)
    {
        _relay = null;
        _attempts.Placed(route, lease, Gateway.Tables);
        _settlement.Placed();
        if (_attempts.Explain == Loop.DecisionBuffer) Gateway.Decisions.Write(Loop.DecisionBuffer, RequestId);
    }

    /// <summary>The replica's connection for this attempt, so that the client's leaving can end it.</summary>
    public void Uses(UpstreamConnection? upstream, long firstByteDeadline)
    {
        _upstream = upstream;
        _connecting = null;
        _wasSent |= upstream is not null && !HasClientLeft;
        FirstByteDeadline = Math.Min(TotalDeadline, firstByteDeadline);
        if (HasClientLeft) upstream?.Wire.Reset();
    }

    /// <summary>A connection to the replica is being made.</summary>
    public Action<LoopSocket> OnConnecting => _onConnecting ??= socket => _connecting = socket;

    /// <summary>What the request's body must be changed into for this replica.</summary>
    public BodyEdits EditsFor(UpstreamTarget target, Endpoint endpoint)
    {
        var edits = default(BodyEdits);
        ref readonly var scan = ref _scan;
        if (!target.AnswersTo(_known.Asked) || _attempts.IsFallback) edits.Replace(scan.Model, endpoint.Shape == EndpointShape.Form ? target.PlainName : target.QuotedName);
        if (endpoint.Shape != EndpointShape.Completions || !scan.Stream) return edits;
        edits.AskForUsage(scan, target.TellsRunningUsage);
        (HidesUsage, HidesRunningUsage) = (!scan.AsksForUsage, !scan.AsksForUsage || (target.TellsRunningUsage && !scan.AsksForContinuousUsage));
        return edits;
    }

    private ValueTask<bool> GiveUpAsync(RelayEnd.NotBegun failed)
    {
        if (failed.End == AttemptEnd.ClientLeft)
        {
            Settle(RequestOutcome.Abandoned, TokenUsage.Nothing, 0, 0);
            return new ValueTask<bool>(false);
        }

        var error = failed.Error;
        _settlement.Status = error.Status;
        Settle(failed.End is AttemptEnd.ClientError or AttemptEnd.ContextTooLong or AttemptEnd.NoCapacity ? RequestOutcome.Refused : RequestOutcome.Failed, default, 0, 0);
        // Our tries and theirs would multiply: after ours the client is told not to, unless there is a time to come again.
        return _client.FailAsync(error with { ShouldRetry = error.ShouldRetry ?? (error.RetryAfter is { } wait && ApiError.IsKept(wait)) });
    }

    private ValueTask<bool> RefuseBodyAsync(BodyFault fault)
    {
        _client.IsClosing = true;
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
        _settlement.Status = error.Status;
        if (error.Status != 401)
        {
            _settlement.Refuse(Key, _scan.Stream);
        }
        else
        {
            Gateway.Metrics.Refused(401);
        }

        if (!HasReadRequest && !_client.HasWholeRequest) _client.IsClosing = true;
        return _client.FailAsync(error);
    }
}
