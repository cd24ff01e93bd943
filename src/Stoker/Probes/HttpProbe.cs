using System.Buffers;
using System.Net.Sockets;

namespace Stoker.Probes;

/// <summary>
/// A GET of HTTP/1.1 on a bare socket. The head decides; a short body is taken along so that the server can end in peace (a
/// close with unread bytes resets the connection, and many servers log that as an error), a long or slow one is not waited for.
/// </summary>
internal sealed class HttpProbe(HttpQuestion question, TimeSpan timeout, TimeProvider clock) : IProbe
{
    private const int LongestBody = 64 * 1024;

    private static readonly TimeSpan LongestFarewell = TimeSpan.FromMilliseconds(100);

    public async ValueTask<ProbeOutcome> AskAsync(CancellationToken cancel)
    {
        using var deadline = new ProbeDeadline(timeout, clock, cancel);
        var dialed = await Dialing.ConnectAsync(question.Hosts, question.Port, deadline.Token);
        if (dialed is not DialOutcome.Connected connected)
        {
            return dialed is DialOutcome.Failed failed
                ? deadline.Unhealthy($"{question.Subject}: {failed.Why}")
                : deadline.TimedOut(question.Subject, "no connection");
        }

        using var exchange = connected.Exchange;
        await using var abort = deadline.Token.UnsafeRegister(static x => ((SocketExchange)x!).Abort(), exchange);
        if (question.Secure) return await TlsConversation.AskAsync(question, exchange, deadline);

        var buffer = ArrayPool<byte>.Shared.Rent(HttpAnswer.LongestHead);
        try
        {
            return await AskAsync(exchange, connected.Authority, buffer.AsMemory(0, HttpAnswer.LongestHead), deadline);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<ProbeOutcome> AskAsync(SocketExchange exchange, string authority, Memory<byte> buffer, ProbeDeadline deadline)
    {
        var error = await exchange.SendAsync(question.Request);
        var length = 0;
        HttpAnswer answer = new HttpAnswer.Incomplete();
        while (error == SocketError.Success && answer is HttpAnswer.Incomplete)
        {
            error = await exchange.ReceiveAsync(buffer[length..]);
            if (error != SocketError.Success) break;
            if (exchange.Received == 0) return deadline.Unhealthy(Closed(question, length));

            length += exchange.Received;
            answer = HttpAnswer.Read(buffer.Span[..length]);
        }

        if (answer is HttpAnswer.Incomplete)
        {
            return deadline.IsOver
                ? deadline.TimedOut(question.Subject, Waiting(length))
                : deadline.Unhealthy($"{question.Subject}: {Dialing.Words(error, authority)}");
        }

        var outcome = Judge(question, answer, deadline);
        if (answer is HttpAnswer.Complete complete) await TakeLeaveAsync(exchange, complete, length, buffer);
        return outcome;
    }

    public static ProbeOutcome Judge(HttpQuestion question, HttpAnswer answer, ProbeDeadline deadline, string remark = "") => answer switch
    {
        HttpAnswer.Complete c when question.IsHealthy(c.Status) => deadline.Healthy($"{question.Subject} answered {c.Words}{remark}"),
        HttpAnswer.Complete c when question.Status is { } wanted => deadline.Unhealthy($"{question.Subject} answered {c.Words}, not {wanted}{remark}"),
        HttpAnswer.Complete c => deadline.Unhealthy($"{question.Subject} answered {c.Words}{remark}"),
        HttpAnswer.Invalid i => deadline.Unhealthy($"{question.Subject} {i.Why}"),
        _ => throw new ArgumentOutOfRangeException(nameof(answer), answer, "an answer that has not ended cannot be judged"),
    };

    public static string Closed(HttpQuestion question, int received) => received == 0
        ? $"{question.Subject}: the connection was closed without an answer"
        : $"{question.Subject}: the connection was closed in the middle of the answer's head, after {received} bytes";

    public static string Waiting(int received) => received == 0
        ? "connected, but no answer"
        : $"only {received} bytes of the answer's head";

    private async ValueTask TakeLeaveAsync(SocketExchange exchange, HttpAnswer.Complete answer, int length, Memory<byte> buffer)
    {
        var remaining = (answer.BodyLength ?? LongestBody) - (length - answer.BodyStart);
        if (answer.BodyLength > LongestBody || remaining <= 0 || answer.Status is 204 or 304) return;

        using var farewell = new CancellationTokenSource(LongestFarewell, clock);
        await using var abort = farewell.Token.UnsafeRegister(static x => ((SocketExchange)x!).Abort(), exchange);
        while (remaining > 0)
        {
            var error = await exchange.ReceiveAsync(buffer);
            if (error != SocketError.Success || exchange.Received == 0) return;
            remaining -= exchange.Received;
        }
    }
}
