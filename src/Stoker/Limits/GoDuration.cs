using System.Buffers.Text;
using System.Text;

namespace Stoker.Limits;

/// <summary>Durations as OpenAI's <c>x-ratelimit-reset-…</c> headers write them, which is Go's way: <c>6m0s</c>, <c>1.5s</c>, <c>20ms</c>, <c>0s</c>.</summary>
internal static class GoDuration
{
    /// <summary>Longest that <see cref="Format"/> writes.</summary>
    public const int Longest = 32;

    /// <summary>To the millisecond, rounded up, so that who waits as long does not come too early. Allocates nothing.</summary>
    /// <returns>Bytes written, ASCII.</returns>
    public static int Format(TimeSpan time, Span<byte> into)
    {
        var rest = Math.Max(0, (time.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond);
        var written = 0;
        if (rest is > 0 and < 1000)
        {
            Number(rest, into, ref written);
            into[written++] = (byte)'m';
            into[written++] = (byte)'s';
            return written;
        }

        var hours = rest / 3_600_000;
        var minutes = rest / 60_000 % 60;
        if (hours > 0)
        {
            Number(hours, into, ref written);
            into[written++] = (byte)'h';
        }

        if (hours > 0 || minutes > 0)
        {
            Number(minutes, into, ref written);
            into[written++] = (byte)'m';
        }

        Number(rest / 1000 % 60, into, ref written);
        Fraction((int)(rest % 1000), into, ref written);
        into[written++] = (byte)'s';
        return written;
    }

    public static string Text(TimeSpan time)
    {
        Span<byte> text = stackalloc byte[Longest];
        return Encoding.ASCII.GetString(text[..Format(time, text)]);
    }

    private static void Number(long number, Span<byte> into, ref int written)
    {
        _ = Utf8Formatter.TryFormat(number, into[written..], out var bytes);
        written += bytes;
    }

    /// <summary>Thousandths without zeros at their end.</summary>
    private static void Fraction(int thousandths, Span<byte> into, ref int written)
    {
        if (thousandths == 0) return;
        into[written++] = (byte)'.';
        for (var place = 100; thousandths > 0; place /= 10)
        {
            into[written++] = (byte)('0' + (thousandths / place));
            thousandths %= place;
        }
    }
}
