using System.Runtime.CompilerServices;
using Stoker.Http;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Platform.Loops;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log;

namespace Stoker.Streams.Serving;

/// <summary>
/// A producer's connection.
/// <code>
/// (key, limits: 401 403 429)
/// POST PATH ─► body ─► ingest ─┬─ mistakes: problem+json, or a verdict for each item
///                              └─ events ─► the log ─► on the disk: 202 with receipts │ 503 busy or failed │ 507 full
/// GET ───────► <see cref="StreamEndpoints"/>
/// </code>
/// </summary>
/// <param name="isLocal">The client is on this machine.</param>
internal sealed class StreamConnection(StreamLoop loop, IWire wire, bool isLocal) : ServerConnection(loop.Events, wire, StallTime)
{
    private const long StallTime = 30_000, BodyTime = 60_000, MostBody = 64L << 20;

    private bool _hasReadBody;
    private bool _isBusy;
    private string? _challenge;
    private KnownKey _known;
    private KeyState? _key;
    private ProducerMeter? _meter, _meterOfKey;

    /// <summary>The client is on this machine.</summary>
    public bool IsLocal => isLocal;

    private long Utc => loop.Utc.Ticks;

    private LimitSpec Limits => _key!.Terms.Limits.Overall;

    protected override bool IsBusy => _isBusy;

    /// <summary>Answers with a body that is there. False when the client is gone.</summary>
    /// <param name="retryAfter">Seconds; 0: nothing is said.</param>
    public ValueTask<bool> SendAsync(int status, string contentType, ReadOnlySpan<byte> body, int retryAfter = 0)
    {
        WriteStatus(status);
        Output.Write("content-type: "u8);
        Output.WriteText(contentType);
        Output.Write("\r\n"u8);
        Output.WriteField("content-length"u8, body.Length);
        if (retryAfter > 0) Output.WriteField("retry-after"u8, retryAfter);
        if (_challenge is { } challenge) Output.WriteField("www-authenticate"u8, System.Text.Encoding.ASCII.GetBytes(challenge));
        _meter?.Write(Limits, Utc, Output);
        WriteConnectionField();
        Output.Write("\r\n"u8);
        if (!Head.Method.SequenceEqual("HEAD"u8)) Output.Write(body);
        return FlushAsync();
    }

    /// <summary>Answers with a problem (RFC 9457).</summary>
    public ValueTask<bool> RefuseAsync(Problem problem)
    {
        if (!_hasReadBody && !HasWholeRequest) IsClosing = true;
        loop.Stream.Metrics.Refused(problem.Status);
        _challenge = problem.Challenge;
        return SendAsync(problem.Status, IngestAnswer.ProblemJson, problem.ToJson(), problem.RetryAfter);
    }

    /// <summary>Whose request it is.</summary>
    /// <returns>Null: it may go on.</returns>
    public async ValueTask<Problem?> AuthorizeAsync(KeyScopes scope)
    {
        if (loop.Stream.Keys is not { } keys) return null;
        var denied = Authorize(keys, scope);
        if (!ReferenceEquals(denied, KeyProblems.Unknown)) return denied;
        await loop.Events.AsideAsync(keys.Look);
        return Authorize(keys, scope);
    }

    protected override ValueTask<bool> AnswerAsync()
    {
        (_hasReadBody, _meter, _challenge) = (false, null, null);
        return IsPost() == true ? PostAsync() : AnswerOtherAsync();
    }

    protected override ValueTask<bool> RefuseAsync(HeadFault? fault) => RefuseAsync(Problem.Of(fault));

    protected override void Report(Exception bug) => loop.Stream.Report(bug);

    /// <summary>Null: another path than the one that producers post to.</summary>
    private bool? IsPost()
    {
        var target = Head.Target;
        var query = target.IndexOf((byte)'?');
        if (!(query < 0 ? target : target[..query]).SequenceEqual(loop.Stream.Path)) return null;
        return Head.Method.SequenceEqual("POST"u8);
    }

    private async ValueTask<bool> AnswerOtherAsync()
    {
        _isBusy = true;
        var alive = IsPost() == false ? await RefuseAsync(Problem.WrongMethod(loop.Stream.Plan.Path, "POST")) : await StreamEndpoints.AnswerAsync(this, loop);
        return Done(alive);
    }

    private ValueTask<bool> PostAsync()
    {
        _isBusy = true;
        if (loop.Stream.Keys is not { } keys) return TakeAsync(default);
        return Authorize(keys, KeyScopes.Ingest) is { } denied ? DenyAsync(denied) : TakeWithinLimitsAsync();
    }

    private async ValueTask<bool> DenyAsync(Problem denied)
    {
        var still = ReferenceEquals(denied, KeyProblems.Unknown) ? await AuthorizeAsync(KeyScopes.Ingest) : denied;
        return still is null ? await TakeWithinLimitsAsync() : Done(await RefuseAsync(still));
    }

    private ValueTask<bool> TakeWithinLimitsAsync()
    {
        if (_meter is not { } meter) return TakeAsync(_key!.NameBytes);
        return meter.Begin(Limits, Utc) is { } refusal ? OverLimitAsync(refusal) : TakeMeteredAsync(meter);
    }

    private async ValueTask<bool> OverLimitAsync(Refusal refusal) => Done(await RefuseAsync(KeyProblems.Of(refusal)));

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> TakeMeteredAsync(ProducerMeter meter)
    {
        try
        {
            return await TakeAsync(_key!.NameBytes);
        }
        finally
        {
            meter.End();
        }
    }

    /// <param name="producer">The name of the key; empty: none is asked for.</param>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> TakeAsync(ReadOnlyMemory<byte> producer)
    {
        var read = await Body.ReadAsync(Head, MostBody, loop.Events.Now + BodyTime);
        if (read != BodyFault.None)
        {
            IsClosing = true;
            return read != BodyFault.ClientLeft && await RefuseAsync(Problem.Of(read, MostBody));
        }

        _hasReadBody = true;
        var posting = loop.Rent();
        try
        {
            var result = posting.Reader.Read(Head, Body.Bytes, producer, loop.Utc);
            var second = 0L;
            if (result.HasAccepted && _meter?.Take(Limits, result.AcceptedCount, Utc, out second) is { } refusal) return Done(await RefuseAsync(KeyProblems.Of(refusal)));
            var outcome = result.HasAccepted ? await posting.AppendAsync(result, LogModule.MicrosecondsOf(loop.Utc)) : PostOutcome.Durable;
            loop.Stream.Metrics.Posted(result, outcome, Body.Bytes.Length);
            if (outcome != PostOutcome.Durable)
            {
                _meter?.GiveBack(result.AcceptedCount, second, Utc);
                return Done(await RefuseAsync(Problem.Of(outcome)));
            }

            posting.Body.ResetWrittenCount();
            loop.Answer.Write(result, posting.Receipts, posting.Body);
            return Done(await SendAsync(IngestAnswer.Status(result), IngestAnswer.ContentType(result), posting.Body.WrittenSpan));
        }
        finally
        {
            loop.Return(posting);
        }
    }

    private Problem? Authorize(ProducerKeys keys, KeyScopes scope)
    {
        var authorization = Head.Find("authorization"u8);
        var ring = keys.Ring;
        if (_known.Find(authorization, ring, Utc) is not { } key)
        {
            var verdict = keys.Find(KeyRing.Bearer(authorization), ring, Utc, out var found);
            if (verdict != KeyVerdict.Valid) return KeyProblems.Of(verdict);
            key = found!;
            _known.Learn(authorization, ring, key, Utc);
        }

        if (!ReferenceEquals(key, _key)) (_key, _meterOfKey) = (key, keys.MeterOf(key));
        if (!key.Terms.Has(scope)) return KeyProblems.NotAllowed(scope);
        if (!keys.Admits(key)) return KeyProblems.OtherStream;
        _meter = _meterOfKey;
        return null;
    }

    private bool Done(bool alive)
    {
        _isBusy = false;
        return alive && !IsClosing && FinishRequest(_hasReadBody);
    }
}
