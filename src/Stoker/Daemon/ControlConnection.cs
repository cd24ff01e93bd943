using System.Text;
using Stoker.Daemon.Protocol;
using Stoker.Http;
using Stoker.Platform.Loops;

namespace Stoker.Daemon;

/// <summary>
/// A caller's connection to the control socket. Bytes are moved on the loop's thread; what is asked is done beside it, because it waits for disks:
/// <code>
/// head, body ─► <see cref="ControlExchange"/> ─(a thread of the pool)─► the endpoint ─(the loop)─► an answer, or a stream until one side ends it
/// </code>
/// </summary>
internal sealed class ControlConnection(ControlServer server, IWire wire) : ServerConnection(server.Events, wire, StallTime)
{
    private const long StallTime = 30_000, BodyTime = 30_000, MostBody = 64L << 20;

    private ControlExchange? _exchange;

    public static ReadOnlySpan<byte> Json => "application/json"u8;

    protected override bool IsBusy => _exchange is not null;

    /// <summary>The daemon ends: what is answered is answered, what is followed ends here.</summary>
    public override void CloseSoon()
    {
        base.CloseSoon();
        if (_exchange is { IsStream: true } followed) followed.Leave();
    }

    /// <summary>Answers with a body that is there. On the loop's thread, like everything that sends.</summary>
    public ValueTask<bool> SendAsync(int status, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body)
    {
        WriteStatus(status);
        Output.WriteField("content-type"u8, contentType);
        Output.WriteField("content-length"u8, body.Length);
        WriteConnectionField();
        Output.Write("\r\n"u8);
        Output.Write(body);
        return FlushAsync();
    }

    /// <summary>The head of a stream: chunks where the caller knows them, else until the connection ends.</summary>
    public void BeginStream()
    {
        if (Head.MinorVersion == 0) IsClosing = true;
        WriteStatus(200);
        Output.WriteField("content-type"u8, "application/x-ndjson"u8);
        if (Head.MinorVersion > 0) Output.WriteField("transfer-encoding"u8, "chunked"u8);
        WriteConnectionField();
        Output.Write("\r\n"u8);
    }

    public ValueTask<bool> SendPieceAsync(ReadOnlySpan<byte> piece)
    {
        if (Head.MinorVersion > 0) Output.WriteChunk(piece);
        else Output.Write(piece);
        return FlushAsync();
    }

    protected override async ValueTask<bool> AnswerAsync()
    {
        var read = await Body.ReadAsync(Head, MostBody, server.Events.Now + BodyTime);
        if (read != BodyFault.None)
        {
            IsClosing = true;
            return read != BodyFault.ClientLeft && await RefuseAsync(422, $"the body did not come whole: {read switch
            {
                BodyFault.TooLarge => $"it has more than {MostBody} bytes",
                BodyFault.TooSlow => "it took too long",
                _ => "its chunks are none",
            }}");
        }

        using var exchange = new ControlExchange(this, server.Events, Text(Head.Method), Encoding.UTF8.GetString(Head.Target), Body.Bytes.ToArray());
        _exchange = exchange;
        Wire.OnPeerLeft = exchange.Leave;
        if (Wire.PeerLeft) exchange.Leave();
        var isWhole = await server.Events.AsideAsync(() => exchange.RunAsync(server));
        Wire.OnPeerLeft = null;
        if (isWhole && exchange.IsStream && Head.MinorVersion > 0)
        {
            Output.Write("0\r\n\r\n"u8);
            isWhole = await FlushAsync();
        }

        _exchange = null;
        return isWhole && !IsClosing && FinishRequest(bodyWasRead: true);
    }

    protected override ValueTask<bool> RefuseAsync(HeadFault? fault) => RefuseAsync(fault switch
    {
        null => 408,
        HeadFault.TooLarge => 431,
        HeadFault.Version => 505,
        HeadFault.Coding => 501,
        _ => 400,
    }, "that is no request of HTTP/1.1");

    protected override void Report(Exception bug) => server.Report(bug);

    protected override void Left() => _exchange?.Leave();

    private ValueTask<bool> RefuseAsync(int status, string message) => SendAsync(status, Json, ControlExchange.Error(ErrorCodes.Invalid, message, null));
}
