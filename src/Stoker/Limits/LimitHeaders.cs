using System.Buffers.Text;

namespace Stoker.Limits;

/// <summary>Limits in the words of HTTP, whole lines with CR and LF, as OpenAI's clients read them. Allocates nothing.</summary>
internal static class LimitHeaders
{
    /// <summary>Room that they need at most.</summary>
    public const int Longest = 512;

    /// <summary><c>x-ratelimit-{limit,remaining,reset}-{requests,tokens}</c>, as far as there are such limits.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(in LimitView view, Span<byte> into)
    {
        var written = 0;
        if (view.Requests is { } requests) written += Write(LimitNames.Requests, requests, into);
        if (view.Tokens is { } tokens) written += Write(LimitNames.Tokens, tokens, into[written..]);
        return written;
    }

    /// <summary>The three lines of one limit.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(LimitNames names, in LimitStand stand, Span<byte> into)
    {
        var written = 0;
        Line(names.Limit, stand.Limit, into, ref written);
        Line(names.Remaining, stand.Remaining, into, ref written);
        Put(names.Reset, into, ref written);
        written += GoDuration.Format(stand.Reset, into[written..]);
        Put("\r\n"u8, into, ref written);
        return written;
    }

    private static void Line(ReadOnlySpan<byte> name, long value, Span<byte> into, ref int written)
    {
        Put(name, into, ref written);
        _ = Utf8Formatter.TryFormat(value, into[written..], out var bytes);
        written += bytes;
        Put("\r\n"u8, into, ref written);
    }

    private static void Put(ReadOnlySpan<byte> text, Span<byte> into, ref int written)
    {
        text.CopyTo(into[written..]);
        written += text.Length;
    }
}
