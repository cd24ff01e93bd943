using System.Runtime.CompilerServices;
using Stoker.Http;
using Stoker.Platform.Loops;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log;

namespace Stoker.Streams.Serving;

/// <summary>
/// A producer's connection.
/// <code>
/// POST PATH ─► body ─► ingest ─┬─ mistakes: problem+json, or a verdict for each item
///                              └─ events ─► the log ─► on the disk: 202 with receipts │ 503 busy or failed │ 507 full
/// GET ───────► <see cref="StreamEndpoints"/>
/// </code>
/// </summary>
internal sealed class StreamConnection(StreamLoop loop, IWire wire) : ServerConnection(loop.Events, wire, StallTime)
{
    private const long StallTime = 30_000, BodyTime = 60_000, MostBody = 64L << 20;

    private bool _hasReadBody;
    private bool _isBusy;

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
        return SendAsync(problem.Status, IngestAnswer.ProblemJson, problem.ToJson(), problem.RetryAfter);
    }

    protected override ValueTask<bool> AnswerAsync()
    {
        _hasReadBody = false;
        return IsPost() == true ? PostAsync() : AnswerOtherAsync();
    }

    protected override ValueTask<bool> RefuseAsync(HeadFault? fault) => RefuseAsync(Problem.Of(fault));

    protected override void Report(Exception bug) => loop.Stream.Report(bug);

    protected override void Left() => loop.Left(this);

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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> PostAsync()
    {
        _isBusy = true;
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
            var result = posting.Reader.Read(Head, Body.Bytes, default, loop.Utc);
            var outcome = result.HasAccepted ? await posting.AppendAsync(result, LogModule.MicrosecondsOf(loop.Utc)) : PostOutcome.Durable;
            loop.Stream.Metrics.Posted(result, outcome, Body.Bytes.Length);
            if (outcome != PostOutcome.Durable) return Done(await RefuseAsync(Problem.Of(outcome)));
            posting.Body.ResetWrittenCount();
            loop.Answer.Write(result, posting.Receipts, posting.Body);
            return Done(await SendAsync(IngestAnswer.Status(result), IngestAnswer.ContentType(result), posting.Body.WrittenSpan));
        }
        finally
        {
            loop.Return(posting);
        }
    }

    private bool Done(bool alive)
    {
        _isBusy = false;
        return alive && !IsClosing && FinishRequest(_hasReadBody);
    }
}
