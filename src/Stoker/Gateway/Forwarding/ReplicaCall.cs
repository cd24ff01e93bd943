using System.Runtime.CompilerServices;
using Stoker.Gateway.Answers;
using Stoker.Gateway.Routing;
using Stoker.Http;
using Stoker.Platform;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>How long each part of a request may take, in milliseconds.</summary>
/// <param name="Connect">Until the replica's machine has answered.</param>
/// <param name="FirstByte">From then to the first token: waiting in the engine, and reading the prompt.</param>
/// <param name="BetweenChunks">From one piece of the answer to the next.</param>
/// <param name="Total">From the request to its end.</param>
internal sealed record RequestTimeouts(long Connect, long FirstByte, long BetweenChunks, long Total);

/// <summary>One request at one replica: connect, send, understand the answer's head, and have its body relayed.</summary>
internal static class ReplicaCall
{
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    public static async ValueTask<RelayEnd> RunAsync(Exchange exchange, UpstreamTarget target, Endpoint endpoint, int queryLength, RequestTimeouts timeouts)
    {
        var loop = exchange.Client.Loop;
        for (var fresh = false; ; fresh = true)
        {
            var connected = await loop.Pool.ConnectAsync(target, loop.Now + timeouts.Connect, fresh, exchange);
            if (connected.Connection is null && exchange.HasClientLeft) return RelayEnd.ClientLeft.It;
            if (connected.Connection is not { } upstream) return NoConnection(target, connected);
            exchange.Uses(upstream, loop.Now + timeouts.FirstByte);
            var end = exchange.HasClientLeft ? RelayEnd.ClientLeft.It : await SpeakAsync(exchange, upstream, endpoint, queryLength);
            exchange.Uses(null, 0);
            if (upstream.IsSound && end is (RelayEnd.Whole { Reusable: true } or RelayEnd.NotBegun { Reusable: true })) loop.Pool.Return(upstream);
            else upstream.Dispose();
            if (end is not null) return end;
        }
    }

    /// <returns>Null: the connection had been kept open too long, and nothing has happened yet.</returns>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<RelayEnd?> SpeakAsync(Exchange exchange, UpstreamConnection upstream, Endpoint endpoint, int queryLength)
    {
        var client = exchange.Client;
        var edits = exchange.EditsFor(upstream.Target, endpoint);
        HeadRelay.WriteRequest(
            client.Output, client.Head, endpoint.Suffix.Span, client.Head.Target[^queryLength..], upstream.Target, edits.LengthOf(client.Body.Bytes), exchange.RequestId);
        var sending = BodyEdits.SendAsync(upstream.Wire, client.Output, client.Body.Bytes, edits, exchange.FirstByteDeadline);

        // An engine that refuses early need not read the rest of much: it is listened to while it is sent to.
        var early = client.Body.Bytes.Length <= BodyEdits.Copied ? default : ListenAsync(upstream, exchange.FirstByteDeadline);
        var sent = await sending;
        client.Output.Clear();
        upstream.IsSound = sent == 0;
        var received = await early;
        while (received == HeadOutcome.Coming && (received = TakeHead(upstream)) == HeadOutcome.Coming)
        {
            received = OutcomeOf(Filled(upstream) ?? await upstream.Input.ReadableAsync(exchange.FirstByteDeadline));
        }

        if (exchange.HasClientLeft) return RelayEnd.ClientLeft.It;
        if (received == HeadOutcome.Read) return await RelayAsync(exchange, upstream, endpoint);
        if (received == HeadOutcome.Ended && upstream.IsReused && upstream.Input.Length == 0) return null;
        return received switch
        {
            HeadOutcome.TimedOut when exchange.IsOverdue => new RelayEnd.NotBegun(AttemptEnd.OutOfTime, ApiErrors.UpstreamTooSlow(ApiErrors.TookTooLong)),
            HeadOutcome.TimedOut => new RelayEnd.NotBegun(AttemptEnd.TimedOutBeforeFirstByte, ApiErrors.UpstreamTooSlow("no answer began")),
            HeadOutcome.NotHttp => new RelayEnd.NotBegun(AttemptEnd.ServerError, ApiErrors.UpstreamFailed("what it sent is not HTTP/1.1")),
            HeadOutcome.Ended or HeadOutcome.Coming or HeadOutcome.Read => new RelayEnd.NotBegun(
                AttemptEnd.ResetBeforeFirstByte, ApiErrors.UpstreamFailed(sent < 0 ? "it closed the connection while the request was sent" : "it closed the connection without an answer")),
        };
    }

    /// <summary>Ends the sending when there is an answer that does not depend on the rest, or nobody to send it to.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<HeadOutcome> ListenAsync(UpstreamConnection upstream, long deadline)
    {
        var outcome = HeadOutcome.Coming;
        while (outcome == HeadOutcome.Coming && (outcome = TakeHead(upstream)) == HeadOutcome.Coming)
        {
            outcome = OutcomeOf(Filled(upstream) ?? await upstream.Input.ReadableAsync(deadline));
        }

        if (outcome != HeadOutcome.Read || upstream.Head.Status >= 300) upstream.Wire.Cancel();
        return outcome;
    }

    /// <summary>Receives what is there.</summary>
    /// <returns>Null: nothing yet; less than 0: there will be nothing any more.</returns>
    private static int? Filled(UpstreamConnection upstream) => upstream.Input.Fill() switch
    {
        -Errno.Again => null,
        0 => -SocketCalls.Canceled,
        var count => count,
    };

    private static HeadOutcome OutcomeOf(int count) => count switch
    {
        >= 0 => HeadOutcome.Coming,
        -SocketCalls.TimedOut => HeadOutcome.TimedOut,
        _ => HeadOutcome.Ended,
    };

    private static HeadOutcome TakeHead(UpstreamConnection upstream)
    {
        while (upstream.Input.Unread.IndexOf("\r\n\r\n"u8) is var end and >= 0)
        {
            if (upstream.TakeHead(end + 4) != HeadFault.None || upstream.Head.Status == 101) return HeadOutcome.NotHttp;

            // 100 and 103 are news, not answers.
            if (upstream.Head.Status >= 200) return HeadOutcome.Read;
        }

        return upstream.Input.Length > HttpModule.MaxHead ? HeadOutcome.NotHttp : HeadOutcome.Coming;
    }

    private static ValueTask<RelayEnd> RelayAsync(Exchange exchange, UpstreamConnection upstream, Endpoint endpoint)
    {
        var head = upstream.Head;
        if (head.Status is < 200 or > 299) return FailedAsync(exchange, upstream);

        // Compressed against our wish: it can be passed on, but not watched.
        var events = MessageHead.StartsWith(head.Find("content-type"u8), "text/event-stream"u8) && head.Find("content-encoding"u8).IsEmpty;
        return exchange.Relays(events ? new StreamRelay(exchange, upstream, DialectOf(endpoint)) : new AnswerRelay(exchange, upstream, endpoint));
    }

    private static StreamDialect DialectOf(Endpoint endpoint) => endpoint.Shape switch
    {
        EndpointShape.Completions => StreamDialect.Completions,
        EndpointShape.Responses => StreamDialect.Responses,
        EndpointShape.Json or EndpointShape.Form => StreamDialect.Opaque,
    };

    /// <summary>The engine refuses or fails: its words in OpenAI's shape, and what that means for another try.</summary>
    private static async ValueTask<RelayEnd> FailedAsync(Exchange exchange, UpstreamConnection upstream)
    {
        var (body, complete) = await AnswerRelay.ReadErrorAsync(upstream, exchange.GapDeadline());
        if (exchange.HasClientLeft) return RelayEnd.ClientLeft.It;
        var error = EngineErrors.Read(upstream.Head.Status, body) with { RetryAfter = RetryAfterOf(upstream.Head) };
        var end = upstream.Head.Status switch
        {
            _ when error.Code == EngineErrors.TooLong => AttemptEnd.ContextTooLong,
            429 or 503 => AttemptEnd.Busy,
            501 or 505 => AttemptEnd.ClientError,
            >= 500 or 401 or 403 or < 400 => AttemptEnd.ServerError,
            _ => AttemptEnd.ClientError,
        };
        return new RelayEnd.NotBegun(end, error) { Reusable = complete && upstream.Head.KeepsAlive };
    }

    private static TimeSpan? RetryAfterOf(MessageHead head) =>
        System.Buffers.Text.Utf8Parser.TryParse(head.Find("retry-after"u8), out int seconds, out _) && seconds is >= 0 and < 86_400 ? TimeSpan.FromSeconds(seconds) : null;

    private static RelayEnd.NotBegun NoConnection(UpstreamTarget target, Connected failed)
    {
        var why = failed.Error == -SocketCalls.TimedOut
            ? $"{target.Name} did not take the connection in time"
            : $"{target.Name} cannot be reached: {failed.Why ?? LoopSocket.Words(failed.Error)}";
        return new RelayEnd.NotBegun(AttemptEnd.ConnectFailed, ApiErrors.UpstreamFailed(why));
    }

    private enum HeadOutcome
    {
        Coming,
        Read,
        Ended,
        TimedOut,
        NotHttp,
    }
}
