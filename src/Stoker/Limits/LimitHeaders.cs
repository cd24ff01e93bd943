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
        if (view.Requests is { } requests) written += Write("requests"u8, requests, into);
        if (view.Tokens is { } tokens) written += Write("tokens"u8, tokens, into[written..]);
        return written;
    }

    /// <summary>The three lines of one limit.</summary>
    /// <param name="what"><c>requests</c>, <c>tokens</c>, <c>events</c>.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(ReadOnlySpan<byte> what, in LimitStand stand, Span<byte> into)
    {
        var written = 0;
        Line("limit"u8, what, stand.Limit, into, ref written);
        Line("remaining"u8, what, stand.Remaining, into, ref written);
        Name("reset"u8, what, into, ref written);
        written += GoDuration.Format(stand.Reset, into[written..]);
        Put("\r\n"u8, into, ref written);
        return written;
    }

    private static void Line(ReadOnlySpan<byte> which, ReadOnlySpan<byte> what, long value, Span<byte> into, ref int written)
    {
        Name(which, what, into, ref written);
        _ = Utf8Formatter.TryFormat(value, into[written..], out var bytes);
        written += bytes;
        Put("\r\n"u8, into, ref written);
    }

    private static void Name(ReadOnlySpan<byte> which, ReadOnlySpan<byte> what, Span<byte> into, ref int written)
    {
        Put("x-ratelimit-"u8, into, ref written);
        Put(which, into, ref written);
        Put("-"u8, into, ref written);
        Put(what, into, ref written);
        Put(": "u8, into, ref written);
    }

    private static void Put(ReadOnlySpan<byte> text, Span<byte> into, ref int written)
    {
        text.CopyTo(into[written..]);
        written += text.Length;
    }
}
