using System.Text;

namespace Stoker.Probes;

/// <summary>
/// What a server sent so far, understood as far as health needs it: the status line, where the head ends, how long the body is.
/// <code>
/// HTTP/1.1 503 Service Unavailable\r\n
/// Content-Length: 4\r\n
/// \r\n
/// busy
/// </code>
/// Pure. Interim answers (100, 103) are passed over.
/// </summary>
internal abstract record HttpAnswer
{
    /// <summary>More than any sane head; nginx and Apache refuse at half of it.</summary>
    public const int LongestHead = 16 * 1024;

    private const int LongestExcerpt = 60;

    /// <summary>The head has not ended yet.</summary>
    internal sealed record Incomplete : HttpAnswer;

    /// <param name="Reason">As the server worded it; may be empty.</param>
    /// <param name="BodyStart">Where the body starts in the bytes.</param>
    /// <param name="BodyLength">Null: until the connection closes, or in chunks.</param>
    internal sealed record Complete(int Status, string Reason, int BodyStart, long? BodyLength) : HttpAnswer
    {
        /// <summary><c>503 Service Unavailable</c>.</summary>
        public string Words => Reason.Length == 0 ? $"{Status}" : $"{Status} {Reason}";
    }

    /// <param name="Why"><c>answered what is not HTTP: `SSH-2.0-OpenSSH_9.2`</c>.</param>
    internal sealed record Invalid(string Why) : HttpAnswer;

    public static HttpAnswer Read(ReadOnlySpan<byte> bytes)
    {
        var start = 0;
        while (true)
        {
            var rest = bytes[start..];
            if (!LooksLikeHttp(rest)) return new Invalid($"answered what is not HTTP: `{Excerpt(rest)}`");

            var end = EndOfHead(rest);
            if (end < 0)
            {
                return bytes.Length >= LongestHead
                    ? new Invalid($"answered with a head of more than {LongestHead / 1024} KiB")
                    : new Incomplete();
            }

            var head = rest[..end];
            if (!TryStatus(head, out var status, out var reason)) return new Invalid($"answered what is not HTTP: `{Excerpt(rest)}`");

            start += end;
            if (status is >= 200 or 101) return new Complete(status, reason, start, LengthOfBody(head));
        }
    }

    private static bool LooksLikeHttp(ReadOnlySpan<byte> bytes)
    {
        var magic = "HTTP/"u8;
        var length = Math.Min(bytes.Length, magic.Length);
        return bytes[..length].SequenceEqual(magic[..length]);
    }

    private static int EndOfHead(ReadOnlySpan<byte> bytes)
    {
        var strict = bytes.IndexOf("\r\n\r\n"u8);
        var bare = bytes.IndexOf("\n\n"u8);
        return strict >= 0 && (bare < 0 || strict < bare) ? strict + 4
            : bare >= 0 ? bare + 2
            : -1;
    }

    private static bool TryStatus(ReadOnlySpan<byte> head, out int status, out string reason)
    {
        status = 0;
        reason = "";
        var line = head[..head.IndexOf((byte)'\n')].TrimEnd((byte)'\r');
        var space = line.IndexOf((byte)' ');
        if (space < 0 || line.Length < space + 4) return false;

        var digits = line.Slice(space + 1, 3);
        if (!int.TryParse(digits, out status) || status is < 100 or > 599) return false;
        if (line.Length > space + 4) reason = Excerpt(line[(space + 5)..]);
        return line.Length == space + 4 || line[space + 4] == ' ';
    }

    private static long? LengthOfBody(ReadOnlySpan<byte> head)
    {
        var name = "content-length:"u8;
        foreach (var range in head.Split((byte)'\n'))
        {
            var line = head[range];
            if (line.Length > name.Length
                && Ascii.EqualsIgnoreCase(line[..name.Length], name)
                && long.TryParse(line[name.Length..].Trim(" \t\r"u8), out var length)
                && length >= 0)
            {
                return length;
            }
        }

        return null;
    }

    /// <summary>The first line, as far as it can be shown.</summary>
    private static string Excerpt(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        var line = end < 0 ? bytes : bytes[..end];
        var text = new StringBuilder();
        foreach (var b in line.TrimEnd((byte)'\r'))
        {
            if (text.Length == LongestExcerpt) return text.Append('…').ToString();
            text.Append(b is >= 0x20 and < 0x7f ? (char)b : '.');
        }

        return text.ToString();
    }
}
