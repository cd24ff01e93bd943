using System.Runtime.CompilerServices;
using Stoker.Gateway.Answers;
using Stoker.Gateway.Routing;
using Stoker.Http;
using Stoker.Platform;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// Passes a stream of server-sent events on, event by event as they come, and knows when it ends whether it was whole.
/// <code>
/// received bytes → body (chunks undone) → whole events → watched → written, or held back where the client had not asked → sent once per read
/// </code>
/// The status is held back until the first event that says something: what fails before it is answered as if it had not begun.
/// Memory while it waits for the replica: nothing but what is in the middle of an event.
/// </summary>
internal sealed class StreamRelay(Exchange exchange, UpstreamConnection upstream, StreamDialect dialect) : Relay
{
    /// <summary>An event longer than this is not passed on: nobody's tool call is so long.</summary>
    private const int LongestEvent = 8 << 20;

    private readonly OutputBuffer _pending = new();
    private readonly OutputBuffer _output = exchange.Client.Output;
    private readonly bool _chunked = exchange.Client.Head.MinorVersion == 1;
    private BodyFraming _framing = BodyFraming.Of(upstream.Head);
    private EventScan _scan = new();
    private StreamTruth _truth = new(dialect, exchange.Scan.Choices);
    private bool _begun;
    private RelayEnd? _end;

    public override TokenUsage Usage => _truth.Usage;

    public override long Pieces => _truth.Usage.IsKnown ? _truth.PiecesSinceUsage : _truth.Pieces;

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    public override async ValueTask<RelayEnd> RunAsync()
    {
        try
        {
            while (_end is null)
            {
                var step = _framing.Next(upstream.Input.Unread, out var skip, out var take);
                upstream.Input.Consume(skip);
                if (step == BodyStep.Piece)
                {
                    Take(upstream.Input.Unread[..take]);
                    upstream.Input.Consume(take);
                }
                else if (step == BodyStep.Wait)
                {
                    if (_begun && !await exchange.Client.FlushAsync()) return RelayEnd.ClientLeft.It;
                    var received = upstream.Input.Fill();
                    var waited = received == -Errno.Again ? await upstream.Input.ReadableAsync(_begun ? exchange.GapDeadline() : exchange.FirstByteDeadline) : 0;
                    if (waited < 0) Interrupted(waited);
                    else if (received <= 0 && received != -Errno.Again) Interrupted(received);
                }
                else
                {
                    EndOfBody(step == BodyStep.End ? "the model server ended the stream without saying that it was done" : "what the model server sent is no chunked stream");
                }
            }

            if (_end is RelayEnd.NotBegun or RelayEnd.ClientLeft) return _end;
            WriteEnd(_end);
            if (!await exchange.Client.FlushAsync()) return RelayEnd.ClientLeft.It;
            return _end is RelayEnd.Whole && !IsReadToEnd() ? RelayEnd.Whole.Closed : _end;
        }
        finally
        {
            _pending.Release();
        }
    }

    private void Interrupted(int received)
    {
        if (exchange.HasClientLeft) _end = RelayEnd.ClientLeft.It;
        else if (received == 0 && _framing.EndsWithConnection) EndOfBody("the model server closed the connection without saying that it was done");
        else if (received == -SocketCalls.TimedOut) TimedOut();
        else Broken(received == 0 ? "the model server closed the connection in the middle of the stream" : "the connection to the model server broke in the middle of the stream");
    }

    private void Take(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty && _end is null)
        {
            var length = _scan.EndOfEvent(piece);
            if (length < 0)
            {
                _pending.Write(piece);
                if (_pending.Length > LongestEvent) Broken($"the model server sent an event of more than {LongestEvent} bytes");
                return;
            }

            if (_pending.Length == 0)
            {
                Pass(piece[..length]);
            }
            else
            {
                _pending.Write(piece[..length]);
                Pass(_pending.Span);
                _pending.Release();
            }

            piece = piece[length..];
        }
    }

    private void Pass(ReadOnlySpan<byte> sse)
    {
        switch (_truth.Read(sse))
        {
            case EventKind.Content:
                Write(sse, exchange.HidesRunningUsage ? _truth.UsageMember : default);
                break;
            case EventKind.UsageOnly when exchange.HidesUsage:
                break;
            case EventKind.Other when !_begun && dialect == StreamDialect.Completions:
                // A comment is not yet an answer. Dropped: a proxy may, and keeping it would commit to a status.
                break;
            case EventKind.UsageOnly or EventKind.Other:
                Write(sse, default);
                break;
            case EventKind.Done when _truth.Pieces == 0 && dialect == StreamDialect.Completions:
                Broken("the model server ended the stream before it had answered anything");
                break;
            case EventKind.Done:
                Write(sse, default);
                _end = RelayEnd.Whole.Kept;
                break;
            case EventKind.Error:
                Failed(sse);
                break;
            case EventKind.Malformed:
                Broken("the model server sent an event that is not what the API says");
                break;
        }
    }

    private void Write(ReadOnlySpan<byte> sse, BodyRange without)
    {
        if (!_begun) Begin();
        Passed += sse.Length - without.Length;
        if (_chunked) _output.BeginChunk(sse.Length - without.Length);
        _output.Write(sse[..without.At]);
        _output.Write(sse[without.End..]);
        if (_chunked) _output.Write("\r\n"u8);
    }

    private void Begin()
    {
        _begun = true;
        if (!_chunked) exchange.Client.IsClosing = true;
        exchange.BeginAnswer(upstream.Head);
        if (upstream.Head.Find("cache-control"u8).IsEmpty) _output.Write("cache-control: no-cache\r\n"u8);
        _output.Write("x-accel-buffering: no\r\n"u8);
        if (_chunked) _output.Write("transfer-encoding: chunked\r\n"u8);
        _output.Write("\r\n"u8);
    }

    private void EndOfBody(string why)
    {
        if (_pending.Length > 0)
        {
            // The last event may lack its empty line.
            _pending.Write("\n\n"u8);
            Pass(_pending.Span);
            _pending.Release();
        }

        if (_end is not null) return;
        if (!_truth.IsWhole) Broken(why);
        else _end = RelayEnd.Whole.Kept;
    }

    private void Broken(string why) => Cut(AttemptEnd.Truncated, why, ApiErrors.UpstreamFailed(why));

    private void TimedOut()
    {
        if (exchange.IsOverdue) Cut(AttemptEnd.OutOfTime, ApiErrors.TookTooLong, ApiErrors.UpstreamTooSlow(ApiErrors.TookTooLong));
        else Cut(_begun ? AttemptEnd.Stalled : AttemptEnd.TimedOutBeforeFirstByte, "the model server sent nothing more for too long", ApiErrors.UpstreamTooSlow("no first token came"));
    }

    /// <summary>The engine's own words, in the place where the answer should be.</summary>
    private void Failed(ReadOnlySpan<byte> sse)
    {
        var at = sse.IndexOf((byte)'{');
        var error = EngineErrors.ReadEvent(at < 0 ? default : sse[at..].TrimEnd("\r\n"u8).ToArray());
        Cut(AttemptEnd.ServerError, error.Message, error);
    }

    private void Cut(AttemptEnd end, string why, ApiError error)
    {
        if (!_begun)
        {
            _output.Clear();
            _end = new RelayEnd.NotBegun(end, error);
            return;
        }

        WriteError(end == AttemptEnd.ServerError ? error : ApiErrors.Truncated(why));
        _end = new RelayEnd.CutOff(end, why);
    }

    /// <summary>An event that the official JavaScript and Python clients raise as an error, whichever they wait for.</summary>
    private void WriteError(ApiError error)
    {
        var json = error.ToBytes();
        var typed = dialect == StreamDialect.Responses;
        ReadOnlySpan<byte> before = typed ? "event: error\ndata: {\"type\":\"error\","u8 : "data: "u8;
        var body = typed ? json.AsSpan(1) : json;
        if (_chunked) _output.BeginChunk(before.Length + body.Length + 2);
        _output.Write(before);
        _output.Write(body);
        _output.Write("\n\n"u8);
        if (_chunked) _output.Write("\r\n"u8);
    }

    private void WriteEnd(RelayEnd end)
    {
        if (end is RelayEnd.Whole && dialect == StreamDialect.Completions && !_truth.IsDone) Write("data: [DONE]\n\n"u8, default);
        if (end is RelayEnd.CutOff) exchange.Client.IsClosing = true;
        if (!_begun) Begin();

        // What was cut off lacks its last chunk too: the official .NET client passes over an error in an event, and nobody passes over that.
        if (_chunked && end is not RelayEnd.CutOff) _output.Write("0\r\n\r\n"u8);
    }

    /// <summary>
    /// The client has its answer. Whether the replica's connection is at the end of the body too: usually its last chunk came together with
    /// the last event; one that holds the body open after that is not waited for.
    /// </summary>
    private bool IsReadToEnd()
    {
        while (true)
        {
            var step = _framing.Next(upstream.Input.Unread, out var skip, out var take);
            upstream.Input.Consume(skip + take);
            if (step != BodyStep.Piece) return step == BodyStep.End && upstream.Head.KeepsAlive;
        }
    }
}
