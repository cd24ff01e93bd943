using System.Globalization;
using System.Net.Sockets;

namespace Stoker.Models.Simulator.Wire;

/// <summary>How the end of an answer's body is told.</summary>
internal enum Framing
{
    Length,
    Chunked,

    /// <summary>By the end of the connection.</summary>
    Close,
}

/// <summary>A request and its answer.</summary>
internal sealed class Exchange(Connection connection, RequestHead head)
{
    private static readonly Dictionary<int, byte[]> StatusLines = new()
    {
        [200] = "HTTP/1.1 200 OK\r\n"u8.ToArray(),
    };

    // Room for the size line of a chunk: eight digits and a line end.
    private const int SizeLine = 10;

    private readonly byte[] _sizeLine = new byte[SizeLine];
    private Framing _framing;
    private bool _isDone;

    public RequestHead Head => head;

    public ReadOnlyMemory<byte> Body { get; set; }

    public Pause Pause { get; } = new();

    public TimeProvider Clock => connection.Clock;

    public bool KeepsAlive { get; private set; } = head.KeepsAlive;

    /// <summary>0: nothing was answered yet.</summary>
    public int Status { get; private set; }

    /// <summary>When the client's leaving was seen by the kernel's word, as a timestamp of the clock; 0: it is there.</summary>
    public long LeftAt { get; private set; }

    public bool HasLeft => LeftAt != 0;

    /// <summary>Headers of every answer, as lines; set by the server.</summary>
    public byte[] CommonHeaders { get; set; } = [];

    /// <summary>Where one event is composed before it is sent.</summary>
    public OutBuffer Event => connection.Event;

    /// <summary>What is sent by the next flush.</summary>
    public OutBuffer Output => connection.Output;

    /// <summary>From now on the client's leaving ends waits. Before any wait of some length.</summary>
    public void Watch() => connection.Watch(this);

    public void Leave()
    {
        if (_isDone) return;
        LeftAt = connection.Clock.GetTimestamp();
        Pause.End();
    }

    /// <summary>A whole answer at once.</summary>
    public async ValueTask AnswerAsync(int status, string contentType, ReadOnlyMemory<byte> body, string headers = "", bool close = false)
    {
        if (close) KeepsAlive = false;
        Begin(status, contentType, Framing.Length, headers, body.Length);
        Output.Add(body.Span);
        var bytes = Output.Memory;
        _isDone = true;
        await connection.SendAsync(bytes);
        Output.Clear();
    }

    /// <summary>Puts the head into the output, unsent.</summary>
    /// <param name="headers">Further lines, each with its line end.</param>
    /// <param name="length">Of the body, where it is known.</param>
    public void Begin(int status, string contentType, Framing how, string headers = "", long length = 0, bool announceClose = true)
    {
        // Who speaks HTTP/1.0 knows no chunks.
        _framing = how == Framing.Chunked && !head.IsCurrent ? Framing.Close : how;
        if (_framing == Framing.Close) KeepsAlive = false;
        Status = status;
        Output.Clear();
        if (StatusLines.TryGetValue(status, out var line)) Output.Add(line);
        else Output.Add($"HTTP/1.1 {status} {Reason(status)}\r\n");
        Output.Add("content-type: "u8);
        Output.Add(contentType);
        Output.Add("\r\n"u8);
        if (_framing == Framing.Length)
        {
            Output.Add("content-length: "u8);
            Output.Add(length);
            Output.Add("\r\n"u8);
        }
        else if (_framing == Framing.Chunked)
        {
            Output.Add("transfer-encoding: chunked\r\n"u8);
        }

        if (!KeepsAlive && announceClose) Output.Add("connection: close\r\n"u8);
        else if (!head.IsCurrent && KeepsAlive) Output.Add("connection: keep-alive\r\n"u8);
        Output.Add(CommonHeaders);
        if (headers.Length > 0) Output.Add(headers);
        Output.Add("\r\n"u8);
    }

    /// <summary>Sends what the output holds, which is not part of the body's framing: the head.</summary>
    public ValueTask FlushHeadAsync() => FlushRawAsync();

    /// <summary>Puts part of the body into the output, in its framing.</summary>
    public void Add(ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty) return;
        if (_framing != Framing.Chunked)
        {
            Output.Add(part);
            return;
        }

        System.Buffers.Text.Utf8Formatter.TryFormat(part.Length, _sizeLine, out var digits, new System.Buffers.StandardFormat('x'));
        Output.Add(_sizeLine.AsSpan(0, digits));
        Output.Add("\r\n"u8);
        Output.Add(part);
        Output.Add("\r\n"u8);
    }

    /// <summary>The same of two parts, as one frame.</summary>
    public void AddEvent(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> rest)
    {
        if (_framing == Framing.Chunked)
        {
            System.Buffers.Text.Utf8Formatter.TryFormat(prefix.Length + rest.Length, _sizeLine, out var digits, new System.Buffers.StandardFormat('x'));
            Output.Add(_sizeLine.AsSpan(0, digits));
            Output.Add("\r\n"u8);
        }

        Output.Add(prefix);
        Output.Add(rest);
        if (_framing == Framing.Chunked) Output.Add("\r\n"u8);
    }

    /// <summary>Sends what the output holds with writes of their own.</summary>
    /// <exception cref="SocketException">The client has left.</exception>
    public async ValueTask FlushRawAsync()
    {
        await connection.SendAsync(Output.Memory);
        Output.Clear();
    }

    /// <summary>The end of a body that was begun.</summary>
    public async ValueTask EndAsync()
    {
        if (_framing == Framing.Chunked) Output.Add("0\r\n\r\n"u8);
        _isDone = true;
        await FlushRawAsync();
    }

    /// <summary>No further request on this connection.</summary>
    public void CloseAfter() => KeepsAlive = false;

    /// <summary>Ends the connection by a reset, so that the client sees an error and not an end.</summary>
    public void Reset()
    {
        _isDone = true;
        KeepsAlive = false;
        connection.Socket.LingerState = new LingerOption(true, 0);
        connection.Socket.Dispose();
    }

    private static string Reason(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status " + status.ToString(CultureInfo.InvariantCulture),
    };
}
