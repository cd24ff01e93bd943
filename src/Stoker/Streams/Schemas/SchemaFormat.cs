using System.Buffers;
using System.Text;
using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>A <c>format</c> that is checked: its name, what it means for people, and the check of a text without escapes.</summary>
internal sealed record SchemaFormat(string Name, string Meaning, Func<ReadOnlySpan<byte>, bool> Check)
{
    private static readonly SearchValues<byte> NotInLocal = SearchValues.Create("\"(),:;<>@[\\] "u8);

    private static readonly SchemaFormat[] Known =
    [
        new("date-time", "a date and time as 2026-03-01T12:00:00Z (RFC 3339)", text => Timestamps.TryRead(text, out _)),
        new("date", "a date as 2026-03-01", text => Timestamps.TryReadDate(text, out _)),
        new("time", "a time with its offset, as 12:00:00Z", text => Timestamps.TryReadTime(text, out _)),
        new("uuid", "a UUID", IsUuid),
        new("uri", "a URI", UriForms.IsUri),
        new("uri-reference", "a URI or a reference to one", UriForms.IsReference),
        new("ipv4", "an IPv4 address", UriForms.IsIPv4),
        new("ipv6", "an IPv6 address", UriForms.IsIPv6),
        new("hostname", "a host name", IsHostName),
        new("email", "an e-mail address", IsEmail),
    ];

    public static string Names => string.Join(", ", Known.Select(format => format.Name));

    public static SchemaFormat? Find(string name) => Array.Find(Known, format => format.Name == name);

    private static bool IsUuid(ReadOnlySpan<byte> text)
    {
        if (text.Length != 36) return false;
        for (var i = 0; i < 36; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit((char)text[i])) return false;
        }

        return true;
    }

    private static bool IsHostName(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > 253) return false;
        foreach (var range in text.Split((byte)'.'))
        {
            var label = text[range];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-') return false;
            foreach (var letter in label)
            {
                if (!char.IsAsciiLetterOrDigit((char)letter) && letter != '-') return false;
            }

            // Only labels in Punycode have two hyphens there; that they decode to a word is not checked.
            if (label.Length > 3 && label[2] == '-' && label[3] == '-' && !Ascii.EqualsIgnoreCase(label[..2], "xn"u8)) return false;
        }

        return true;
    }

    private static bool IsEmail(ReadOnlySpan<byte> text)
    {
        var at = text.LastIndexOf((byte)'@');
        if (at is < 1 or > 64 || !Ascii.IsValid(text)) return false;
        var host = text[(at + 1)..];
        if (host.StartsWith("["u8) ? !IsAddressLiteral(host) : !IsHostName(host)) return false;
        var local = text[..at];
        if (local[0] == '"') return local.Length > 2 && local[^1] == '"' && !local[1..^1].Contains((byte)'"');
        if (local[0] == '.' || local[^1] == '.' || local.IndexOf(".."u8) >= 0) return false;
        return !local.ContainsAny(NotInLocal);
    }

    private static bool IsAddressLiteral(ReadOnlySpan<byte> text) =>
        text[^1] == ']' && (text.StartsWith("[IPv6:"u8) ? UriForms.IsIPv6(text[6..^1]) : UriForms.IsIPv4(text[1..^1]));
}
