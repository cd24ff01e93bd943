using System.Buffers;
using System.Globalization;
using System.Text;
using Stoker.Platform;

namespace Stoker.Daemon.Protocol;

/// <summary>
/// One question and its whole answer over the control socket, in HTTP/1.1 and blocking. Written by hand because every verb pays for it
/// at its start: HttpClient costs some 40 ms before its first byte, and .NET's sockets some 15.
/// </summary>
/// <remarks>The server is Stoker's own: only what that sends is understood. The connection ends with the answer.</remarks>
internal sealed record ControlAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    /// <param name="socket">Path of the control socket.</param>
    /// <exception cref="UnixConversationException">Nobody listens, the socket may not be entered, or no answer came in time.</exception>
    /// <exception cref="IOException">The answer broke off.</exception>
    public static ControlAnswer Ask(string socket, string method, string path, byte[]? body, TimeSpan patience)
    {
        using var conversation = UnixConversation.Connect(socket);
        conversation.Send(ControlConnection.Head(method, path, body));
        if (body is not null) conversation.Send(body);
        // Some are asked each second: only what is kept of an answer is new memory.
        var received = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            var length = 0;
            while (true)
            {
                var read = conversation.Receive(received.AsSpan(length), patience);
                if (read == 0) return Parse(received.AsMemory(0, length).ToArray());
                length += read;
                if (length < received.Length) continue;
                var larger = ArrayPool<byte>.Shared.Rent(received.Length * 2);
                received.CopyTo(larger, 0);
                ArrayPool<byte>.Shared.Return(received);
                received = larger;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(received);
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
}
