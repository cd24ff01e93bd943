using System.Net;
using System.Runtime.CompilerServices;
using Stoker.Gateway.Answers;
using Stoker.Keys;
using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// One client's connection to the gateway.
/// <code>
/// request → a path that is forwarded → <see cref="Exchange"/>
///         → one that the gateway answers → <see cref="OwnEndpoints"/>
///         → anything else → an error in OpenAI's shape
/// </code>
/// </summary>
internal sealed class ClientConnection : ServerConnection
{
    private static readonly byte[] Json = "application/json"u8.ToArray();

    private readonly Exchange _exchange;
    private KnownKey _knownKey;

    public ClientConnection(GatewayLoop loop, IWire wire, IPEndPoint peer)
        : base(loop.Events, wire, loop.Gateway.Settings.ClientStall)
    {
        (Loop, Peer) = (loop, peer);
        _exchange = new Exchange(this);
        wire.OnPeerLeft = _exchange.ClientLeft;
    }

    public GatewayLoop Loop { get; }

    public IPEndPoint Peer { get; }

    public ref KnownKey KnownKey => ref _knownKey;

    /// <summary>The key of the request; see <see cref="Authorize"/>.</summary>
    public KeyState Key => _exchange.Key;

    protected override bool IsBusy => _exchange.IsActive;

    /// <summary>Answers with an error and nothing else.</summary>
    public ValueTask<bool> FailAsync(ApiError error) => AnswerAsync(error.Status, Json, error.ToBytes(), error);

    /// <summary>Answers with a body that is there.</summary>
    /// <returns>False when the client is gone.</returns>
    public ValueTask<bool> AnswerAsync(int status, ReadOnlyMemory<byte> contentType, ReadOnlyMemory<byte> body, ApiError? error = null)
    {
        BeginAnswer(status, error);
        Output.WriteField("content-type"u8, contentType.Span);
        Output.WriteField("content-length"u8, body.Length);
        Output.Write("\r\n"u8);
        if (!Head.Method.SequenceEqual("HEAD"u8)) Output.Write(body.Span);
        return FlushAsync();
    }

    /// <summary>Null: the request's key may do that.</summary>
    public ApiError? Authorize(KeyScopes scope) => _exchange.Authorize(scope);

    public void WritePreflight()
    {
        BeginAnswer(204, null);
        Output.Write("access-control-allow-methods: GET, POST, OPTIONS\r\n"u8);
        Output.WriteField("access-control-allow-headers"u8, Head.Find("access-control-request-headers"u8));
        Output.Write("access-control-max-age: 600\r\n\r\n"u8);
    }

    protected override ValueTask<bool> AnswerAsync()
    {
        _exchange.Begin();
        var endpoint = EndpointTable.Find(Head.Target, out var query);
        return endpoint is not null && Head.Method.SequenceEqual("POST"u8) ? ForwardAsync(endpoint, query.Length) : AnswerOwnAsync(endpoint);
    }

    protected override ValueTask<bool> RefuseAsync(HeadFault? fault)
    {
        _exchange.Begin();
        return FailAsync(fault is { } told ? ApiErrors.Of(told) : ApiErrors.TooSlow);
    }

    protected override void Report(Exception bug) => Loop.Gateway.Report(bug);

    protected override void Left() => Loop.Gateway.Metrics.Connections(-1);

    private void BeginAnswer(int status, ApiError? error)
    {
        WriteStatus(status);
        Output.WriteField("x-request-id"u8, _exchange.RequestId);
        if (error is not null) _exchange.Fields.Write(error);
        _exchange.Fields.WriteCors();
        WriteConnectionField();
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> ForwardAsync(Endpoint endpoint, int queryLength)
    {
        try
        {
            return await _exchange.RunAsync(endpoint, queryLength) && !_exchange.HasClientLeft && FinishRequest(_exchange.HasReadRequest);
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
        return alive && FinishRequest(_exchange.HasReadRequest);
    }
}
