using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Stoker.StandIns;

/// <summary>
/// Accepts on every port and answers each HTTP request alike; a connection that says nothing is left alone, one that speaks
/// something else is closed. Plain sockets asked by one loop: no thread of its own, nothing to load.
/// </summary>
internal sealed class StandInListener : IDisposable
{
    private const int MostClients = 512, LongestHead = 16 * 1024;

    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30), LongestFarewell = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _clock;
    private readonly byte[] _answer;
    private readonly byte[] _scratch = new byte[4096];
    private readonly List<Socket> _ports = [];
    private readonly Dictionary<Socket, Client> _clients = [];

    public StandInListener(StandInOptions options, TimeProvider clock)
    {
        _clock = clock;
        _answer = Answer(options);
    }

    /// <summary>What to wait on: any of these being readable is a reason to call <see cref="Serve"/>.</summary>
    public IEnumerable<Socket> Sockets => _ports.Concat(_clients.Keys);

    /// <summary>Requests answered and connections accepted so far.</summary>
    public (long Answered, long Accepted) Counts { get; private set; }

    /// <summary>Null, or why it cannot listen there.</summary>
    public string? Listen(IPEndPoint where)
    {
        const int socketLevel = 1, reuseAddress = 2;
        var socket = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            // Only SO_REUSEADDR: .NET's own ReuseAddress adds SO_REUSEPORT, and two stand-ins on one port would both "work".
            socket.SetRawSocketOption(socketLevel, reuseAddress, [1, 0, 0, 0]);
            if (where.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = where.Address.Equals(IPAddress.IPv6Any);
            socket.Bind(where);
            socket.Listen(128);
            _ports.Add(socket);
            return null;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            return $"cannot listen on {where}: {e.Message}";
        }
    }

    public void Serve(Socket ready)
    {
        if (_clients.TryGetValue(ready, out var client)) Read(ready, client);
        else Accept(ready);
    }

    /// <summary>Ends the connections that had their time.</summary>
    public void Sweep()
    {
        foreach (var (socket, client) in _clients)
        {
            var age = _clock.GetElapsedTime(client.Since);
            if (age > (client.Answered ? LongestFarewell : LongestSilence)) Close(socket);
        }
    }

    public void Dispose()
    {
        foreach (var socket in Sockets)
        {
            socket.Dispose();
        }
    }

    private void Accept(Socket port)
    {
        try
        {
            var socket = port.Accept();
            socket.Blocking = false;
            Counts = (Counts.Answered, Counts.Accepted + 1);
            if (_clients.Count >= MostClients) Close(_clients.MinBy(c => c.Value.Since).Key);
            _clients.Add(socket, new Client(_clock.GetTimestamp()));
        }
        catch (SocketException)
        {
            // The client has gone between the readiness and now.
        }
    }

    private void Read(Socket socket, Client client)
    {
        var count = socket.Receive(_scratch, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return;
        if (error != SocketError.Success || count == 0)
        {
            Close(socket);
            return;
        }

        // What comes after the answer is the rest of a request's body: taken so that the close does not reset the connection.
        if (client.Answered) return;

        var kept = Math.Min(count, LongestHead - client.Head.Length);
        client.Head.Append(Encoding.Latin1.GetString(_scratch, 0, kept));
        switch (Understand(client.Head))
        {
            case Request.Incomplete when client.Head.Length < LongestHead:
                break;
            case Request.Complete:
                Reply(socket, client);
                break;
            default:
                Close(socket);
                break;
        }
    }

    private void Reply(Socket socket, Client client)
    {
        // A fresh socket's buffer takes these few hundred bytes whole.
        socket.Send(_answer, SocketFlags.None, out var error);
        if (error != SocketError.Success)
        {
            Close(socket);
            return;
        }

        Counts = (Counts.Answered + 1, Counts.Accepted);
        client.Answered = true;
        client.Since = _clock.GetTimestamp();
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            Close(socket);
        }
    }

    private void Close(Socket socket)
    {
        _clients.Remove(socket);
        socket.Dispose();
    }

    private static Request Understand(StringBuilder received)
    {
        var text = received.ToString();
        var end = text.IndexOf('\n');
        if (end < 0) return text.Length > 0 && !char.IsAsciiLetterUpper(text[0]) ? Request.Foreign : Request.Incomplete;
        if (!text.AsSpan(0, end).TrimEnd('\r').EndsWith("HTTP/1.1") && !text.AsSpan(0, end).TrimEnd('\r').EndsWith("HTTP/1.0")) return Request.Foreign;
        return text.Contains("\r\n\r\n", StringComparison.Ordinal) || text.Contains("\n\n", StringComparison.Ordinal)
            ? Request.Complete
            : Request.Incomplete;
    }

    private static byte[] Answer(StandInOptions options)
    {
        var body = options.Status is 204 or 304
            ? ""
            : $$"""{"stand_in":true,"service":"{{Escape(options.Service)}}","replica":{{options.Replica}},"why":"{{Escape(options.Why)}}"}""" + "\n";
        var head = $"HTTP/1.1 {options.Status} Stand-in\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\nServer: stoker-stand-in\r\nConnection: close\r\n\r\n";
        return Encoding.UTF8.GetBytes(head + body);
    }

    /// <summary>By hand: the JSON library would be most of what this process loads.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            _ = c is '"' or '\\' ? escaped.Append('\\').Append(c)
                : c < ' ' ? escaped.Append($"\\u{(int)c:x4}")
                : escaped.Append(c);
        }

        return escaped.ToString();
    }

    private enum Request
    {
        Incomplete,
        Complete,
        Foreign,
    }

    private sealed class Client(long since)
    {
        public long Since { get; set; } = since;

        public StringBuilder Head { get; } = new();

        public bool Answered { get; set; }
    }
}
