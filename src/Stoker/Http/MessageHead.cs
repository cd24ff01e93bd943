using System.Buffers.Text;
using System.Text;

namespace Stoker.Http;

/// <summary>Why a head cannot be taken; each has one status.</summary>
internal enum HeadFault
{
    None,

    /// <summary>Not a request or an answer of HTTP/1.x, or one that could be read in two ways. 400.</summary>
    Malformed,

    /// <summary>Too long or too many fields. 431.</summary>
    TooLarge,

    /// <summary>Neither HTTP/1.0 nor HTTP/1.1. 505.</summary>
    Version,

    /// <summary>A transfer coding other than <c>chunked</c>. 501.</summary>
    Coding,
}

/// <summary>How the bytes after the head are to be read.</summary>
internal enum BodyKind
{
    None,
    Length,
    Chunked,

    /// <summary>Until the connection ends: answers only.</summary>
    UntilClose,
}

/// <summary>
/// The head of one request or answer, parsed where it lies: fields are places in the bytes, valid until the input is filled or
/// consumed. One object per connection, used again for each message.
/// </summary>
internal sealed class MessageHead
{
    private static readonly System.Buffers.SearchValues<byte> TokenBytes = System.Buffers.SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private readonly Field[] _fields = new Field[HttpModule.MaxFields];
    private ReadOnlyMemory<byte> _bytes;
    private (int At, int Length) _method, _target, _host;

    /// <summary>Fields in the order they came.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the head with the empty line.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<byte> Method => Slice(_method);

    public ReadOnlySpan<byte> Target => Slice(_target);

    /// <summary>0: an HTTP/1.0 message.</summary>
    public int MinorVersion { get; private set; }

    /// <summary>Status code of an answer.</summary>
    public int Status { get; private set; }

    public BodyKind Body { get; private set; }

    /// <summary>The declared length; -1: none was declared.</summary>
    public long ContentLength { get; private set; }

    /// <summary>The sender will take (or send) another message on this connection.</summary>
    public bool KeepsAlive { get; private set; }

    /// <summary><c>Expect: 100-continue</c>.</summary>
    public bool ExpectsContinue { get; private set; }

    public ReadOnlySpan<byte> NameOf(int index) => _bytes.Span.Slice(_fields[index].NameAt, _fields[index].NameLength);

    public ReadOnlySpan<byte> ValueOf(int index) => _bytes.Span.Slice(_fields[index].ValueAt, _fields[index].ValueLength);

    /// <summary>The first field of that name, which is given in lower case; empty where there is none.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> lowerName)
    {
        var bytes = _bytes.Span;
        foreach (ref readonly var field in _fields.AsSpan(0, Count))
        {
            if (field.NameLength == lowerName.Length && Ascii.EqualsIgnoreCase(bytes.Slice(field.NameAt, field.NameLength), lowerName)) return bytes.Slice(field.ValueAt, field.ValueLength);
        }

        return default;
    }

    public static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerName) => name.Length == lowerName.Length && Ascii.EqualsIgnoreCase(name, lowerName);

    /// <summary>Whether a value begins with words given in lower case.</summary>
    public static bool StartsWith(ReadOnlySpan<byte> value, ReadOnlySpan<byte> lower) => value.Length >= lower.Length && Ascii.EqualsIgnoreCase(value[..lower.Length], lower);

    /// <summary>Parses a request's head; <paramref name="bytes"/> ends with its empty line.</summary>
    public HeadFault ReadRequest(ReadOnlyMemory<byte> bytes)
    {
        var span = Begin(bytes);
        var lineEnd = span.IndexOf("\r\n"u8);
        var line = span[..lineEnd];
        var first = line.IndexOf((byte)' ');
        var last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last <= first + 1 || line[..first].ContainsAnyExcept(TokenBytes)) return HeadFault.Malformed;
        if (line[(first + 1)..last].ContainsAnyExceptInRange((byte)0x21, (byte)0x7e)) return HeadFault.Malformed;
        _method = (0, first);
        _target = (first + 1, last - first - 1);
        if (!TryVersion(line[(last + 1)..], out var fault)) return fault;
        if (ReadFields(span, lineEnd + 2) is var wrong and not HeadFault.None) return wrong;
        if (MinorVersion == 1 && _host.Length < 0) return HeadFault.Malformed;
        if (Body == BodyKind.Chunked && (ContentLength >= 0 || MinorVersion == 0)) return HeadFault.Malformed;
        if (Body != BodyKind.Chunked) Body = ContentLength > 0 ? BodyKind.Length : BodyKind.None;
        return HeadFault.None;
    }

    /// <summary>Parses an answer's head. With both lengths the coding counts, as RFC 9112 says, and the connection is not used again.</summary>
    public HeadFault ReadAnswer(ReadOnlyMemory<byte> bytes)
    {
        var span = Begin(bytes);
        var lineEnd = span.IndexOf("\r\n"u8);
        var line = span[..lineEnd];
        if (line.Length < 12 || line[8] != ' ' || (line.Length > 12 && line[12] != ' ')) return HeadFault.Malformed;
        if (!TryVersion(line[..8], out var fault)) return fault;
        if (!Utf8Parser.TryParse(line.Slice(9, 3), out int status, out var digits) || digits != 3 || status < 100) return HeadFault.Malformed;
        Status = status;
        if (ReadFields(span, lineEnd + 2) is var wrong and not HeadFault.None) return wrong;
        if (Body == BodyKind.Chunked && ContentLength >= 0) KeepsAlive = false;
        if (status is < 200 or 204 or 304) Body = BodyKind.None;
        else if (Body != BodyKind.Chunked) Body = ContentLength < 0 ? BodyKind.UntilClose : ContentLength > 0 ? BodyKind.Length : BodyKind.None;
        if (Body == BodyKind.UntilClose) KeepsAlive = false;
        return HeadFault.None;
    }

    private ReadOnlySpan<byte> Begin(ReadOnlyMemory<byte> bytes)
    {
        _bytes = bytes;
        Length = bytes.Length;
        Count = 0;
        Status = 0;
        ContentLength = -1;
        Body = BodyKind.None;
        ExpectsContinue = false;
        _host = (0, -1);
        return bytes.Span;
    }

    private ReadOnlySpan<byte> Slice((int At, int Length) place) => _bytes.Span.Slice(place.At, place.Length);

    private bool TryVersion(ReadOnlySpan<byte> text, out HeadFault fault)
    {
        fault = text.StartsWith("HTTP/"u8) ? HeadFault.Version : HeadFault.Malformed;
        if (!text.SequenceEqual("HTTP/1.1"u8) && !text.SequenceEqual("HTTP/1.0"u8)) return false;
        MinorVersion = text[7] - '0';
        KeepsAlive = MinorVersion == 1;
        return true;
    }

    private HeadFault ReadFields(ReadOnlySpan<byte> span, int at)
    {
        while (true)
        {
            var length = span[at..].IndexOf("\r\n"u8);
            if (length == 0) return HeadFault.None;
            if (Count == HttpModule.MaxFields) return HeadFault.TooLarge;
            var line = span.Slice(at, length);
            var colon = line.IndexOf((byte)':');

            // A space before the colon, a folded line and an empty name are all seen here: none of them is a token.
            if (colon <= 0 || line[..colon].ContainsAnyExcept(TokenBytes)) return HeadFault.Malformed;
            var (start, end) = (colon + 1, length);
            while (start < end && line[start] is (byte)' ' or (byte)'\t') start++;
            while (end > start && line[end - 1] is (byte)' ' or (byte)'\t') end--;
            var value = line[start..end];
            if (value.ContainsAny((byte)'\r', (byte)'\n', (byte)0)) return HeadFault.Malformed;
            _fields[Count++] = new Field(at, colon, at + start, value.Length);
            if (Note(line[..colon], value, at + start) is var fault and not HeadFault.None) return fault;
            at += length + 2;
        }
    }

    /// <summary>The fields that say where the message ends and what becomes of the connection.</summary>
    private HeadFault Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int valueAt)
    {
        switch (name.Length)
        {
            case 4 when Is(name, "host"u8):
                if (_host.Length >= 0) return HeadFault.Malformed;
                _host = (valueAt, value.Length);
                break;
            case 6 when Is(name, "expect"u8):
                ExpectsContinue = Ascii.EqualsIgnoreCase(value, "100-continue"u8);
                break;
            case 10 when Is(name, "connection"u8):
                if (HasWord(value, "close"u8)) KeepsAlive = false;
                else if (MinorVersion == 0 && HasWord(value, "keep-alive"u8)) KeepsAlive = true;
                break;
            case 14 when Is(name, "content-length"u8):
                return NoteLength(value);
            case 17 when Is(name, "transfer-encoding"u8):
                if (Body == BodyKind.Chunked || !Ascii.EqualsIgnoreCase(value, "chunked"u8)) return Body == BodyKind.Chunked ? HeadFault.Malformed : HeadFault.Coding;
                Body = BodyKind.Chunked;
                break;
        }

        return HeadFault.None;
    }

    private HeadFault NoteLength(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.Length > 18 || value.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return HeadFault.Malformed;
        if (!Utf8Parser.TryParse(value, out long length, out _)) return HeadFault.Malformed;
        if (ContentLength >= 0 && ContentLength != length) return HeadFault.Malformed;
        ContentLength = length;
        return HeadFault.None;
    }

    /// <summary>Whether a comma-separated list has the word.</summary>
    private static bool HasWord(ReadOnlySpan<byte> list, ReadOnlySpan<byte> word)
    {
        foreach (var part in list.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(list[part].Trim(" \t"u8), word)) return true;
        }

        return false;
    }

    private readonly record struct Field(int NameAt, int NameLength, int ValueAt, int ValueLength);
}
