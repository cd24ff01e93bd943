using System.Buffers.Text;

namespace Stoker.Limits;

/// <summary>Limits in the words of HTTP, whole lines with CR and LF, as OpenAI's clients read them. Allocates nothing.</summary>
internal static class LimitHeaders
{
    /// <summary>Room that either method needs at most.</summary>
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

    /// <summary><c>retry-after</c> in whole seconds and <c>retry-after-ms</c>, both rounded up, and <c>x-should-retry</c>, which is false where waiting is no help.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(in Refusal refusal, Span<byte> into)
    {
        var written = 0;
        if (refusal.RetryAfter is not { } wait)
        {
            Put("x-should-retry: false\r\n"u8, into, ref written);
            return written;
        }

        var milliseconds = Math.Max(1, (wait.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond);
        Line("retry-after: "u8, (milliseconds + 999) / 1000, into, ref written);
        Line("retry-after-ms: "u8, milliseconds, into, ref written);
        // A client that would wait until tomorrow holds its caller's thread for nothing.
        Put(wait <= TimeSpan.FromMinutes(2) ? "x-should-retry: true\r\n"u8 : "x-should-retry: false\r\n"u8, into, ref written);
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
