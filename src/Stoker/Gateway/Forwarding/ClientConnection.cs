using System.Net;
using System.Runtime.CompilerServices;
using Stoker.Gateway.Answers;
using Stoker.Keys;
using Stoker.Http;
using Stoker.Platform;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// One client's connection: reads a request, has it answered, reads the next. Everything on its loop's thread.
/// <code>
/// read head → a path that is forwarded → <see cref="Exchange"/>
///           → one that the gateway answers → <see cref="OwnEndpoints"/>
///           → anything else → an error in OpenAI's shape
/// </code>
/// </summary>
internal sealed class ClientConnection
{
    private const long IdleTime = 75_000, HeadTime = 10_000, LingerTime = 1_000;

    private static readonly byte[] Json = "application/json"u8.ToArray();

    private readonly Exchange _exchange;
    private KnownKey _knownKey;

    public ClientConnection(GatewayLoop loop, IWire wire, IPEndPoint peer)
    {
        (Loop, Wire, Peer) = (loop, wire, peer);
        Input = new HttpInput(wire);
        Body = new RequestBody(wire, Input);
        _exchange = new Exchange(this);
        wire.OnPeerLeft = _exchange.ClientLeft;
    }

    public GatewayLoop Loop { get; }

    public IWire Wire { get; }

    public IPEndPoint Peer { get; }

    public HttpInput Input { get; }

    public OutputBuffer Output { get; } = new();

    public MessageHead Head { get; } = new();

    public RequestBody Body { get; }

    public ref KnownKey KnownKey => ref _knownKey;

    /// <summary>The connection ends after the present answer.</summary>
    public bool IsClosing { get; set; }

    public async Task RunAsync()
    {
        try
        {
            await ServeAsync();
            if (!Wire.PeerLeft) await LingerAsync();
        }
        catch (Exception bug)
        {
            // One connection's bug is not to end the others; it is told with its trace and counted.
            Loop.Gateway.Report(bug);
        }
        finally
        {
            Body.Release();
            Input.Release();
            Output.Release();
            Wire.Dispose();
            Loop.Left(this);
        }
    }

    /// <summary>The gateway ends: an idle connection now, a busy one after its answer.</summary>
    public void CloseSoon()
    {
        IsClosing = true;
        if (!_exchange.IsActive) Wire.Cancel();
    }

    /// <summary>Answers with an error and nothing else.</summary>
    public ValueTask<bool> FailAsync(ApiError error) => AnswerAsync(error.Status, Json, error.ToBytes(), error);

    /// <summary>Answers with a body that is there.</summary>
    /// <returns>False when the client is gone.</returns>
    public async ValueTask<bool> AnswerAsync(int status, ReadOnlyMemory<byte> contentType, ReadOnlyMemory<byte> body, ApiError? error = null)
    {
        BeginAnswer(status, error);
        Output.WriteField("content-type"u8, contentType.Span);
        Output.WriteField("content-length"u8, body.Length);
        Output.Write("\r\n"u8);
        if (!Head.Method.SequenceEqual("HEAD"u8)) Output.Write(body.Span);
        return await FlushAsync();
    }

    /// <summary>Sends what is in the output. False when the client is gone.</summary>
    public ValueTask<bool> FlushAsync()
    {
        if (Output.Length == 0) return new ValueTask<bool>(true);
        var sending = Wire.SendAllAsync(Output.Memory, Loop.Now + Loop.Gateway.Settings.ClientStall);
        return sending.IsCompletedSuccessfully ? new ValueTask<bool>(Flushed(sending.Result)) : FlushAsync(sending);
    }

    private async ValueTask<bool> FlushAsync(ValueTask<int> sending) => Flushed(await sending);

    private bool Flushed(int sent)
    {
        Output.Release();
        if (sent < 0) IsClosing = true;
        return sent >= 0;
    }

    /// <summary>The key of the request; see <see cref="Authorize"/>.</summary>
    public KeyState Key => _exchange.Key;

    /// <summary>The present request is in the input to its end, so that the next one's beginning is known.</summary>
    public bool HasWholeRequest => LengthHere() >= 0;

    /// <summary>Null: the request's key may do that.</summary>
    public ApiError? Authorize(KeyScopes scope) => _exchange.Authorize(scope);

    public void WritePreflight()
    {
        BeginAnswer(204, null);
        Output.Write("access-control-allow-methods: GET, POST, OPTIONS\r\n"u8);
        Output.WriteField("access-control-allow-headers"u8, Head.Find("access-control-request-headers"u8));
        Output.Write("access-control-max-age: 600\r\n\r\n"u8);
    }

    /// <summary>What a client that speaks HTTP/1.0, or wants to go, has to be told about the connection.</summary>
    public void WriteConnectionField()
    {
        if (IsClosing) Output.WriteField("connection"u8, "close"u8);
        else if (Head.MinorVersion == 0) Output.WriteField("connection"u8, "keep-alive"u8);
    }

    private void BeginAnswer(int status, ApiError? error)
    {
        Output.Write("HTTP/1.1 "u8);
        Output.Write(status);
        Output.Write(" "u8);
        Output.WriteText(ReasonPhrase.Of(status));
        Output.Write("\r\n"u8);
        Output.WriteField("x-request-id"u8, _exchange.RequestId);
        if (error is not null) _exchange.Fields.Write(error);
        _exchange.Fields.WriteCors();
        WriteConnectionField();
    }

    /// <summary>One request after the other; the wait for the next is here, not in a method of its own, because every request makes it.</summary>
    private async ValueTask ServeAsync()
    {
        var arrival = new HeadArrival(Loop.Now);
        while (!IsClosing)
        {
            if (TakeHead() is { } fault)
            {
                if (!await AnswerAsync(fault)) return;
                arrival = new HeadArrival(Loop.Now);
                continue;
            }

            var received = Input.Fill();
            if (received == -Errno.Again) received = await Input.ReadableAsync(arrival.Deadline(Input.Length, Loop.Now));
            else if (received == 0) return;
            if (received >= 0) continue;
            if (received == -SocketCalls.TimedOut && Input.Length > 0) await RefuseAsync(ApiErrors.TooSlow);
            return;
        }
    }

    /// <returns>Whether the connection may carry another request.</returns>
    private ValueTask<bool> AnswerAsync(HeadFault fault)
    {
        if (fault != HeadFault.None) return RefuseAsync(ApiErrors.Of(fault));
        _exchange.Begin();
        if (!Head.KeepsAlive) IsClosing = true;
        var endpoint = EndpointTable.Find(Head.Target, out var query);
        return endpoint is not null && Head.Method.SequenceEqual("POST"u8) ? ForwardAsync(endpoint, query.Length) : AnswerOwnAsync(endpoint);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ForwardAsync(Endpoint endpoint, int queryLength)
    {
        try
        {
            return await _exchange.RunAsync(endpoint, queryLength) && !_exchange.HasClientLeft && FinishRequest();
        }
        finally
        {
            _exchange.End();
        }
    }

    private async ValueTask<bool> AnswerOwnAsync(Endpoint? endpoint)
    {
        // A body that has not come is not waited for; the client is told so.
        if (!HasWholeRequest) IsClosing = true;
        var alive = endpoint is null ? await OwnEndpoints.AnswerAsync(this)
            : Head.Method.SequenceEqual("OPTIONS"u8) ? await OwnEndpoints.PreflightAsync(this)
            : await FailAsync(ApiErrors.WrongMethod(Text(Head.Method), endpoint.Path, "POST"));
        _exchange.End();
        return alive && FinishRequest();
    }

    /// <summary>What came is no request.</summary>
    private ValueTask<bool> RefuseAsync(ApiError error)
    {
        _exchange.Begin();
        IsClosing = true;
        return FailAsync(error);
    }

    /// <summary>Steps over what is left of the request. False: it has not all come, so where the next begins is not known.</summary>
    private bool FinishRequest()
    {
        if (_exchange.HasReadRequest)
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
        var deadline = Loop.Now + LingerTime;
        for (var left = 1 << 20; left > 0;)
        {
            Input.Release();
            var received = await Input.FillAsync(deadline);
            if (received <= 0) return;
            left -= received;
        }
    }

    public static string Text(ReadOnlySpan<byte> ascii) => System.Text.Encoding.Latin1.GetString(ascii);

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
