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
        if (view.Requests is { } requests)
        {
            Line("x-ratelimit-limit-requests: "u8, requests.Limit, into, ref written);
            Line("x-ratelimit-remaining-requests: "u8, requests.Remaining, into, ref written);
            Line("x-ratelimit-reset-requests: "u8, requests.Reset, into, ref written);
        }

        if (view.Tokens is { } tokens)
        {
            Line("x-ratelimit-limit-tokens: "u8, tokens.Limit, into, ref written);
            Line("x-ratelimit-remaining-tokens: "u8, tokens.Remaining, into, ref written);
            Line("x-ratelimit-reset-tokens: "u8, tokens.Reset, into, ref written);
        }

        return written;
    }

    private static void Line(ReadOnlySpan<byte> name, long value, Span<byte> into, ref int written)
    {
        Put(name, into, ref written);
        _ = Utf8Formatter.TryFormat(value, into[written..], out var bytes);
        written += bytes;
        Put("\r\n"u8, into, ref written);
    }

    private static void Line(ReadOnlySpan<byte> name, TimeSpan value, Span<byte> into, ref int written)
    {
        Put(name, into, ref written);
        written += GoDuration.Format(value, into[written..]);
        Put("\r\n"u8, into, ref written);
    }

    private static void Put(ReadOnlySpan<byte> text, Span<byte> into, ref int written)
    {
        text.CopyTo(into[written..]);
        written += text.Length;
    }
}
