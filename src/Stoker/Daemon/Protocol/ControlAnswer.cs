using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Stoker.Daemon.Protocol;

/// <summary>
/// One question and its whole answer over the control socket, in HTTP/1.1 and blocking. Written by hand because every verb pays for it
/// at its start: HttpClient costs some 40 ms before its first byte, and asynchronous sockets wake the runtime's epoll engine.
/// </summary>
/// <remarks>The server is Stoker's own: only what Kestrel sends is understood. The connection ends with the answer.</remarks>
internal sealed record ControlAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    /// <exception cref="SocketException">Nobody listens, the socket may not be entered, or no answer came in time.</exception>
    /// <exception cref="IOException">The answer broke off.</exception>
    public static ControlAnswer Ask(UnixDomainSocketEndPoint endPoint, string method, string path, byte[]? body, TimeSpan patience)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(endPoint);
        Send(socket, ControlConnection.Head(method, path, body));
        if (body is not null) Send(socket, body);
        var received = new byte[16 * 1024];
        var length = 0;
        while (true)
        {
            // Poll rather than ReceiveTimeout, which would go through the asynchronous engine.
            if (!socket.Poll(patience, SelectMode.SelectRead)) throw new SocketException((int)SocketError.TimedOut);
            var read = socket.Receive(received.AsSpan(length));
            if (read == 0) return Parse(received.AsMemory(0, length));
            length += read;
            if (length == received.Length) Array.Resize(ref received, received.Length * 2);
        }
    }

    internal static ControlAnswer Parse(ReadOnlyMemory<byte> answer)
    {
        var headEnd = answer.Span.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0) throw new IOException("the daemon ended before it answered");
        var lines = Encoding.ASCII.GetString(answer.Span[..headEnd]).Split("\r\n");
        var body = answer[(headEnd + 4)..];
        var length = Header(lines, "Content-Length");
        if (Header(lines, "Transfer-Encoding") == "chunked") body = Unchunked(body.Span);
        else if (length is not null && body.Length != int.Parse(length, CultureInfo.InvariantCulture)) throw BrokenOff();
        return new ControlAnswer(ControlConnection.StatusOf(lines[0]), body);
    }

    private static string? Header(string[] lines, string name)
    {
        foreach (var line in lines)
        {
            if (line.StartsWith(name, StringComparison.OrdinalIgnoreCase) && line.Length > name.Length && line[name.Length] == ':') return line[(name.Length + 1)..].Trim();
        }

        return null;
    }

    /// <summary>Each chunk: its size in hexadecimal on a line, its bytes, an empty line; one of size 0 is the end.</summary>
    private static byte[] Unchunked(ReadOnlySpan<byte> body)
    {
        var whole = new byte[body.Length];
        var length = 0;
        while (true)
        {
            var lineEnd = body.IndexOf("\r\n"u8);
            if (lineEnd < 0) throw BrokenOff();
            var size = int.Parse(Encoding.ASCII.GetString(body[..lineEnd]), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0) return whole[..length];
            body = body[(lineEnd + 2)..];
            if (body.Length < size + 2) throw BrokenOff();
            body[..size].CopyTo(whole.AsSpan(length));
            length += size;
            body = body[(size + 2)..];
        }
    }

    private static IOException BrokenOff() => new("the daemon ended in the middle of its answer");

    private static void Send(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[socket.Send(bytes)..];
    }
}
