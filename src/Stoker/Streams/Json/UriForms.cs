using System.Buffers;
using System.Net;
using System.Text;

namespace Stoker.Streams.Json;

/// <summary>URIs and references to them by RFC 3986, character by character: nothing is made of them, they are kept as they came.</summary>
internal static class UriForms
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", Delimiters = "!$&'()*+,;=";

    private static readonly SearchValues<byte> PathBytes = Bytes(Unreserved + Delimiters + ":@/%");
    private static readonly SearchValues<byte> QueryBytes = Bytes(Unreserved + Delimiters + ":@/?%");
    private static readonly SearchValues<byte> UserBytes = Bytes(Unreserved + Delimiters + ":%");
    private static readonly SearchValues<byte> NameBytes = Bytes(Unreserved + Delimiters + "%");
    private static readonly SearchValues<byte> SchemeBytes = Bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");

    /// <summary>With a scheme; a fragment may follow.</summary>
    public static bool IsUri(ReadOnlySpan<byte> text) => SchemeLength(text) > 0 && IsReference(text);

    /// <summary>With a scheme and without a fragment.</summary>
    public static bool IsAbsolute(ReadOnlySpan<byte> text) => IsUri(text) && !text.Contains((byte)'#');

    public static bool IsReference(ReadOnlySpan<byte> text)
    {
        var scheme = SchemeLength(text);
        if (scheme > 0) text = text[(scheme + 1)..];
        var fragment = text.IndexOf((byte)'#');
        if (fragment >= 0)
        {
            if (!IsOf(text[(fragment + 1)..], QueryBytes)) return false;
            text = text[..fragment];
        }

        var query = text.IndexOf((byte)'?');
        if (query >= 0)
        {
            if (!IsOf(text[(query + 1)..], QueryBytes)) return false;
            text = text[..query];
        }

        if (text.StartsWith("//"u8))
        {
            text = text[2..];
            var path = text.IndexOf((byte)'/');
            if (!IsAuthority(path < 0 ? text : text[..path])) return false;
            text = path < 0 ? default : text[path..];
        }
        else if (scheme == 0 && text[..Math.Max(0, text.IndexOf((byte)'/') is var slash and >= 0 ? slash : text.Length)].Contains((byte)':'))
        {
            // What stands before a colon without being a scheme cannot be a path either.
            return false;
        }

        return IsOf(text, PathBytes);
    }

    public static bool IsIPv4(ReadOnlySpan<byte> text)
    {
        var parts = 0;
        foreach (var range in text.Split((byte)'.'))
        {
            var part = text[range];
            if (part.IsEmpty || part.Length > 3 || part.ContainsAnyExceptInRange((byte)'0', (byte)'9') || (part.Length > 1 && part[0] == '0')) return false;
            if (int.Parse(part) > 255 || ++parts > 4) return false;
        }

        return parts == 4;
    }

    public static bool IsIPv6(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 2 or > 45 || !text.Contains((byte)':') || text.ContainsAny("%[]/ "u8)) return false;
        if (text.Contains((byte)'.') && !IsIPv4(text[(text.LastIndexOf((byte)':') + 1)..])) return false;
        Span<char> letters = stackalloc char[45];
        return Ascii.IsValid(text) && IPAddress.TryParse(letters[..Encoding.ASCII.GetChars(text, letters)], out _);
    }

    private static int SchemeLength(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || !char.IsAsciiLetter((char)text[0])) return 0;
        var end = text.IndexOfAnyExcept(SchemeBytes);
        return end > 0 && text[end] == ':' ? end : 0;
    }

    private static bool IsAuthority(ReadOnlySpan<byte> text)
    {
        var user = text.IndexOf((byte)'@');
        if (user >= 0)
        {
            if (!IsOf(text[..user], UserBytes)) return false;
            text = text[(user + 1)..];
        }

        var host = text;
        if (text.StartsWith("["u8))
        {
            var end = text.IndexOf((byte)']');
            if (end < 0 || !IsLiteral(text[1..end])) return false;
            host = default;
            text = text[(end + 1)..];
        }
        else
        {
            var colon = text.IndexOf((byte)':');
            host = colon < 0 ? text : text[..colon];
            text = colon < 0 ? default : text[colon..];
        }

        if (!IsOf(host, NameBytes)) return false;
        return text.IsEmpty || (text[0] == ':' && !text[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }

    private static bool IsLiteral(ReadOnlySpan<byte> text)
    {
        if (text.Length > 1 && (text[0] | 0x20) == 'v')
        {
            var dot = text.IndexOf((byte)'.');
            return dot > 1 && dot + 1 < text.Length && IsOf(text[(dot + 1)..], UserBytes) && !text.Contains((byte)'%');
        }

        return IsIPv6(text);
    }

    private static bool IsOf(ReadOnlySpan<byte> text, SearchValues<byte> allowed)
    {
        if (text.ContainsAnyExcept(allowed)) return false;
        for (var at = text.IndexOf((byte)'%'); at >= 0;)
        {
            if (text.Length < at + 3 || !char.IsAsciiHexDigit((char)text[at + 1]) || !char.IsAsciiHexDigit((char)text[at + 2])) return false;
            text = text[(at + 3)..];
            at = text.IndexOf((byte)'%');
        }

        return true;
    }

    private static SearchValues<byte> Bytes(string letters) => SearchValues.Create(Encoding.ASCII.GetBytes(letters));
}
