using System.Runtime.CompilerServices;
using Stoker.Gateway.Answers;
using Stoker.Gateway.Routing;
using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// Passes an answer on that is not a stream of events. One of moderate size is received whole before its first byte is sent, so that
/// one that breaks off can still be had from another replica; a larger one passes in pieces, and is reset at the client if it
/// breaks off, so that nobody takes a part for the whole.
/// </summary>
internal sealed class AnswerRelay(Exchange exchange, UpstreamConnection upstream, Endpoint endpoint) : Relay
{
    private const int HeldWhole = 256 * 1024, LongestError = 64 * 1024, BytesOfToken = 4;

    private readonly OutputBuffer _output = exchange.Client.Output;
    private BodyFraming _framing = BodyFraming.Of(upstream.Head);
    private UsageCapture _usage = new();
    private bool _begun;
    private bool _chunked;

    public override TokenUsage Usage => _usage.Usage;

    public override long Pieces => endpoint.CountsTokens ? Passed / BytesOfToken : 0;

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    public override async ValueTask<RelayEnd> RunAsync()
    {
        var head = upstream.Head;
        if (head.Body == BodyKind.Length && head.ContentLength <= HeldWhole)
        {
            while (upstream.Input.Length < head.ContentLength)
            {
                if (await upstream.Input.FillAsync(exchange.GapDeadline()) is var received and <= 0) return Interrupted(received);
            }
        }

        while (true)
        {
            var step = _framing.Next(upstream.Input.Unread, out var skip, out var take);
            upstream.Input.Consume(skip);
            if (step == BodyStep.Piece)
            {
                Pass(upstream.Input.Unread[..take]);
                upstream.Input.Consume(take);
                if (_framing.IsComplete) break;
                continue;
            }

            if (step == BodyStep.End) break;
            if (step == BodyStep.Broken) return Cut(AttemptEnd.Truncated, "what the model server sent is no chunked body");
            if (_begun && !await exchange.Client.FlushAsync()) return RelayEnd.ClientLeft.It;
            if (await upstream.Input.FillAsync(exchange.GapDeadline()) is var count and <= 0)
            {
                if (count == 0 && _framing.EndsWithConnection) break;
                return Interrupted(count);
            }
        }

        if (!_begun) Begin();
        if (_chunked) _output.Write("0\r\n\r\n"u8);
        if (!await exchange.Client.FlushAsync()) return RelayEnd.ClientLeft.It;
        return _framing.EndsWithConnection || !upstream.Head.KeepsAlive ? RelayEnd.Whole.Closed : RelayEnd.Whole.Kept;
    }

    /// <summary>The body of an error, as far as it is of use to anybody, and whether that is all of it.</summary>
    public static async ValueTask<(ReadOnlyMemory<byte> Body, bool IsComplete)> ReadErrorAsync(UpstreamConnection upstream, long deadline)
    {
        var framing = BodyFraming.Of(upstream.Head);
        var body = new MemoryStream();
        while (body.Length < LongestError)
        {
            var step = framing.Next(upstream.Input.Unread, out var skip, out var take);
            upstream.Input.Consume(skip);
            body.Write(upstream.Input.Unread[..take]);
            upstream.Input.Consume(take);
            if (step == BodyStep.Broken || framing.IsComplete) break;
            if (step == BodyStep.Wait && await upstream.Input.FillAsync(deadline) <= 0) break;
        }

        return (body.ToArray(), framing.IsComplete);
    }

    private void Pass(ReadOnlySpan<byte> piece)
    {
        var isAll = !_begun && upstream.Head.Body == BodyKind.Length && piece.Length == upstream.Head.ContentLength;
        if (!_begun) Begin();
        if (isAll) _usage.ReadWhole(piece);
        else _usage.Read(piece);
        Passed += piece.Length;
        if (_chunked) _output.WriteChunk(piece);
        else _output.Write(piece);
    }

    private void Begin()
    {
        _begun = true;
        var head = upstream.Head;
        // Of one with both lengths the coding counts.
        var isOpen = head.Body is BodyKind.Chunked or BodyKind.UntilClose;
        _chunked = isOpen && exchange.Client.Head.MinorVersion == 1;
        if (isOpen && !_chunked) exchange.Client.IsClosing = true;
        exchange.BeginAnswer(head);
        if (_chunked) _output.Write("transfer-encoding: chunked\r\n"u8);
        else if (!isOpen && head.Status != 204) _output.WriteField("content-length"u8, Math.Max(0, head.ContentLength));
        _output.Write("\r\n"u8);
    }

    private RelayEnd Interrupted(int received) =>
        exchange.HasClientLeft ? RelayEnd.ClientLeft.It
        : received == -SocketCalls.TimedOut && exchange.IsOverdue ? Cut(AttemptEnd.OutOfTime, ApiErrors.TookTooLong)
        : received == -SocketCalls.TimedOut ? Cut(AttemptEnd.Stalled, "the model server stopped in the middle of its answer")
        : Cut(AttemptEnd.Truncated, "the model server broke off in the middle of its answer");

    private RelayEnd Cut(AttemptEnd end, string why)
    {
        if (!_begun) return new RelayEnd.NotBegun(end, end is AttemptEnd.Stalled or AttemptEnd.OutOfTime ? ApiErrors.UpstreamTooSlow(why) : ApiErrors.UpstreamFailed(why));

        // The only thing that every client understands after a status of success.
        exchange.Client.IsClosing = true;
        _output.Clear();
        exchange.Client.Wire.Reset();
        return new RelayEnd.CutOff(end, why);
    }
}
