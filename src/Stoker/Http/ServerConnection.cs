using System.Runtime.CompilerServices;
using Stoker.Platform;
using Stoker.Platform.Loops;

namespace Stoker.Http;

/// <summary>
/// A client's connection to one of our servers: reads a request's head, has it answered, reads the next. Everything on its loop's thread.
/// <code>
/// wait ─► head ─┬─ a request ──────► AnswerAsync ─┬─ true: the next request may come
///               ├─ no request ─────► RefuseAsync  └─ false: told that nothing more comes, read over for a moment, closed
///               └─ too slow ───────► RefuseAsync
/// </code>
/// </summary>
internal abstract class ServerConnection
{
    private const long IdleTime = 75_000, HeadTime = 10_000, LingerTime = 1_000;

    private readonly EventLoop _events;
    private readonly long _stall;

    /// <param name="stall">Milliseconds that the client may take to accept what it is sent.</param>
    protected ServerConnection(EventLoop events, IWire wire, long stall)
    {
        (_events, Wire, _stall) = (events, wire, stall);
        Input = new HttpInput(wire);
        Body = new RequestBody(wire, Input);
    }

    public IWire Wire { get; }

    public HttpInput Input { get; }

    public OutputBuffer Output { get; } = new();

    public MessageHead Head { get; } = new();

    public RequestBody Body { get; }

    /// <summary>The connection ends after the present answer.</summary>
    public bool IsClosing { get; set; }

    /// <summary>The present request is in the input to its end, so that the next one's beginning is known.</summary>
    public bool HasWholeRequest => LengthHere() >= 0;

    public async Task RunAsync()
    {
        try
        {
            await ServeAsync();
            if (!Wire.PeerLeft) await LingerAsync();
        }
        catch (Exception bug)
        {
            // One connection's bug is not to end the others.
            Report(bug);
        }
        finally
        {
            Body.Release();
            Input.Release();
            Output.Release();
            Wire.Dispose();
            Left();
        }
    }

    /// <summary>The server ends: an idle connection now, a busy one after its answer.</summary>
    public virtual void CloseSoon()
    {
        IsClosing = true;
        if (!IsBusy) Wire.Cancel();
    }

    /// <summary>Sends what is in the output. False when the client is gone.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    public async ValueTask<bool> FlushAsync()
    {
        if (Output.Length == 0) return true;
        var sent = await Wire.SendAllAsync(Output.Memory, deadline: _events.Now + _stall);
        Output.Release();
        if (sent < 0) IsClosing = true;
        return sent >= 0;
    }

    /// <summary>What a client that speaks HTTP/1.0, or wants to go, has to be told about the connection.</summary>
    public void WriteConnectionField()
    {
        if (IsClosing) Output.WriteField("connection"u8, "close"u8);
        else if (Head.MinorVersion == 0) Output.WriteField("connection"u8, "keep-alive"u8);
    }

    public void WriteStatus(int status)
    {
        Output.Write("HTTP/1.1 "u8);
        Output.Write(status);
        Output.Write(" "u8);
        Output.WriteText(ReasonPhrase.Of(status));
        Output.Write("\r\n"u8);
    }

    public static string Text(ReadOnlySpan<byte> ascii) => System.Text.Encoding.Latin1.GetString(ascii);

    /// <summary>A request is being answered.</summary>
    protected abstract bool IsBusy { get; }

    /// <summary>A request's head is in <see cref="Head"/>.</summary>
    /// <returns>Whether the connection may carry another request.</returns>
    protected abstract ValueTask<bool> AnswerAsync();

    /// <summary>What came is no request; null: too little of it came in time.</summary>
    protected abstract ValueTask<bool> RefuseAsync(HeadFault? fault);

    protected abstract void Report(Exception bug);

    /// <summary>The connection is closed.</summary>
    protected virtual void Left()
    {
    }

    /// <summary>Steps over what is left of the request. False: it has not all come, so where the next begins is not known.</summary>
    protected bool FinishRequest(bool bodyWasRead)
    {
        if (bodyWasRead)
        {
            Body.Release();
            Input.Consume(Body.InInput);
            return true;
        }

        var whole = LengthHere();
        if (whole < 0) return false;
        Input.Consume(whole);
        return true;
    }

    /// <summary>One request after the other; the wait for the next is here, not in a method of its own, because every request makes it.</summary>
    private async ValueTask ServeAsync()
    {
        var arrival = new HeadArrival(_events.Now);
        while (!IsClosing)
        {
            if (TakeHead() is { } fault)
            {
                if (fault == HeadFault.None && !Head.KeepsAlive) IsClosing = true;
                if (!await (fault == HeadFault.None ? AnswerAsync() : RefuseLastAsync(fault))) return;
                arrival = new HeadArrival(_events.Now);
                continue;
            }

            var received = Input.Fill();
            if (received == -Errno.Again) received = await Input.ReadableAsync(arrival.Deadline(Input.Length, _events.Now));
            else if (received == 0) return;
            if (received >= 0) continue;
            if (received == -SocketCalls.TimedOut && Input.Length > 0) await RefuseLastAsync(null);
            return;
        }
    }

    private ValueTask<bool> RefuseLastAsync(HeadFault? fault)
    {
        IsClosing = true;
        return RefuseAsync(fault);
    }

    /// <summary>Bytes of the request in the input; -1: it has not all come.</summary>
    private int LengthHere() => Head.Body switch
    {
        BodyKind.None => Head.Length,
        BodyKind.Length when Head.Length + Head.ContentLength <= Input.Length => Head.Length + (int)Head.ContentLength,
        _ => -1,
    };

    /// <summary>Reads the next request's head from what has come.</summary>
    /// <returns>Null: more has to come.</returns>
    private HeadFault? TakeHead()
    {
        // Clients of old sent an empty line after a body.
        while (Input.Unread.StartsWith("\r\n"u8)) Input.Consume(2);
        if (HeadEnd() is var end and > 0) return end > HttpModule.MaxHead ? HeadFault.TooLarge : Head.ReadRequest(Input.UnreadMemory[..end]);
        return Input.Length > HttpModule.MaxHead ? HeadFault.TooLarge : HasBareLineEnd() ? HeadFault.Malformed : null;
    }

    private int HeadEnd() => Input.Unread.IndexOf("\r\n\r\n"u8) is var at and >= 0 ? at + 4 : -1;

    /// <summary>A line that ends with LF alone would be waited for until the time is up.</summary>
    private bool HasBareLineEnd() => Input.Unread.IndexOf((byte)'\n') is var at and >= 0 && (at == 0 || Input.Unread[at - 1] != '\r');

    /// <summary>
    /// A close with bytes unread resets the connection, and the reset may overtake the answer. So the client is told that nothing more
    /// comes, and what it still sends is read over for a moment.
    /// </summary>
    private async ValueTask LingerAsync()
    {
        Wire.ShutSend();
        var deadline = _events.Now + LingerTime;
        for (var left = 1 << 20; left > 0;)
        {
            Input.Release();
            var received = await Input.FillAsync(deadline);
            if (received <= 0) return;
            left -= received;
        }
    }

    /// <summary>How long the next head is waited for: an idle connection long, one that has begun to speak not.</summary>
    private struct HeadArrival(long now)
    {
        private long _deadline = now + IdleTime;
        private bool _begun;

        public long Deadline(int received, long now)
        {
            if (!_begun && received > 0) (_begun, _deadline) = (true, now + HeadTime);
            return _deadline;
        }
    }
}
