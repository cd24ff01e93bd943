using System.Buffers;
using System.Text;

namespace Stoker.Streams.Events;

/// <summary>A media type (RFC 2046, RFC 9110): <c>application/json; charset=utf-8</c>. Names are compared whatever their case.</summary>
internal readonly ref struct MediaType
{
    private static readonly SearchValues<byte> TokenBytes = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private MediaType(ReadOnlySpan<byte> name, ReadOnlySpan<byte> charset)
    {
        Name = name;
        Charset = charset;
    }

    /// <summary>Type and subtype, as written.</summary>
    public ReadOnlySpan<byte> Name { get; }

    public ReadOnlySpan<byte> Charset { get; }

    public bool IsUtf8 => Charset.IsEmpty || Ascii.EqualsIgnoreCase(Charset, "utf-8"u8) || Ascii.EqualsIgnoreCase(Charset, "us-ascii"u8);

    /// <summary><c>…/json</c> or <c>…/…+json</c>.</summary>
    public bool IsJson => EndsWith(Name, "/json"u8) || EndsWith(Name, "+json"u8);

    public bool Is(ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(Name, lower);

    public bool StartsWith(ReadOnlySpan<byte> lower) => Name.Length >= lower.Length && Ascii.EqualsIgnoreCase(Name[..lower.Length], lower);

    public static bool TryRead(ReadOnlySpan<byte> text, out MediaType read)
    {
        read = default;
        var semicolon = text.IndexOf((byte)';');
        var name = (semicolon < 0 ? text : text[..semicolon]).Trim(" \t"u8);
        var slash = name.IndexOf((byte)'/');
        if (slash < 1 || !IsToken(name[..slash]) || !IsToken(name[(slash + 1)..])) return false;
        ReadOnlySpan<byte> charset = default;
        for (var rest = semicolon < 0 ? default : text[semicolon..]; !rest.IsEmpty;)
        {
            rest = rest[1..].TrimStart(" \t"u8);
            if (rest.IsEmpty || rest[0] == ';') continue;
            var equals = rest.IndexOf((byte)'=');
            if (equals < 1 || !IsToken(rest[..equals])) return false;
            var parameter = rest[..equals];
            if (!TryValue(rest[(equals + 1)..], out var value, out var used)) return false;
            if (Ascii.EqualsIgnoreCase(parameter, "charset"u8)) charset = value;
            rest = rest[(equals + 1 + used)..].TrimStart(" \t"u8);
            if (!rest.IsEmpty && rest[0] != ';') return false;
        }

        read = new MediaType(name, charset);
        return true;
    }

    private static bool TryValue(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> value, out int used)
    {
        if (!text.StartsWith("\""u8))
        {
            var end = text.IndexOfAnyExcept(TokenBytes);
            used = end < 0 ? text.Length : end;
            value = text[..used];
            return used > 0;
        }

        var close = 1;
        while (close < text.Length && text[close] != '"') close += text[close] == '\\' ? 2 : 1;
        value = close < text.Length ? text[1..close] : default;
        used = close + 1;
        return close < text.Length;
    }

    private static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    private static bool EndsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) => text.Length > lower.Length && Ascii.EqualsIgnoreCase(text[^lower.Length..], lower);
}
