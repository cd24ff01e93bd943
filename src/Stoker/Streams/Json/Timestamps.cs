using System.Buffers.Text;

namespace Stoker.Streams.Json;

/// <summary>Points in time by RFC 3339: <c>2026-03-01T12:00:00.25+01:00</c>. Leap seconds stand where they can occur.</summary>
internal static class Timestamps
{
    private const int TickDigits = 7;

    /// <summary>The point in time; what is finer than 100 ns is cut off, a leap second is the last moment before the next minute.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out DateTime utc)
    {
        utc = default;
        if (text.Length < 20 || (text[10] | 0x20) != 't' || !TryReadDate(text[..10], out var date)) return false;
        if (!TryReadTime(text[11..], out var sinceMidnight)) return false;
        var ticks = date.Ticks + sinceMidnight;
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks) return false;
        utc = new DateTime(ticks, DateTimeKind.Utc);
        return true;
    }

    public static bool TryReadDate(ReadOnlySpan<byte> text, out DateTime date)
    {
        date = default;
        if (text.Length != 10 || text[4] != '-' || text[7] != '-') return false;
        if (!TryDigits(text[..4], out var year) || !TryDigits(text.Slice(5, 2), out var month) || !TryDigits(text.Slice(8, 2), out var day)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        date = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc);
        return true;
    }

    /// <summary>A time of day with its offset, as ticks since midnight in UTC; may be before or behind the day.</summary>
    public static bool TryReadTime(ReadOnlySpan<byte> text, out long ticks)
    {
        ticks = 0;
        if (text.Length < 9 || text[2] != ':' || text[5] != ':') return false;
        if (!TryDigits(text[..2], out var hour) || !TryDigits(text.Slice(3, 2), out var minute) || !TryDigits(text.Slice(6, 2), out var second)) return false;
        if (hour > 23 || minute > 59 || second > 60) return false;
        var at = 8;
        long fraction = 0;
        if (text[at] == '.')
        {
            var digits = text[++at..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits <= 0) return false;
            for (var i = 0; i < TickDigits; i++) fraction = fraction * 10 + (i < digits ? text[at + i] - '0' : 0);
            at += digits;
        }

        if (!TryOffset(text[at..], out var offset)) return false;
        var minutes = hour * 60 + minute - offset;
        if (second == 60 && ((minutes % 1440) + 1440) % 1440 != 1439) return false;
        ticks = minutes * TimeSpan.TicksPerMinute + (second == 60 ? TimeSpan.TicksPerMinute - 1 : second * TimeSpan.TicksPerSecond + fraction);
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length == 1) return (text[0] | 0x20) == 'z';
        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':') return false;
        if (!TryDigits(text.Slice(1, 2), out var hours) || !TryDigits(text.Slice(4, 2), out var rest) || hours > 23 || rest > 59) return false;
        minutes = (hours * 60 + rest) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value) =>
        Utf8Parser.TryParse(text, out value, out var used) && used == text.Length && char.IsAsciiDigit((char)text[0]);
}
