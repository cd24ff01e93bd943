using System.Buffers.Text;

namespace Stoker.Logs;

/// <summary>What became of a piece of raw output: how much of it is in the text, and how the text turned out.</summary>
internal readonly record struct Formatted(int Consumed, int Written, int Lines, bool Redacted);

/// <summary>
/// The log file's format, that of Kubernetes' container runtimes, so that existing shippers read it:
/// <code>2026-11-21T06:28:01.123456789Z stdout F message</code>
/// Tag F ends a line; tag P is a piece of a line, which goes on in the next record of the same stream. The message is kept byte for byte.
/// All that stands before the message is 40 bytes, always.
/// </summary>
internal static class CriFormat
{
    public const int HeaderLength = 40;
    public const byte Whole = (byte)'F', Piece = (byte)'P', Nothing = 0;

    private const int TimeLength = 30, StreamAt = 31, TagAt = 38;

    /// <summary>Writes the 40 bytes before the message.</summary>
    public static void WriteHeader(Span<byte> header, DateTimeOffset time, LogStream stream)
    {
        // Round-trip "O" of a UTC DateTime has seven decimals and a Z: 2026-11-21T06:28:01.1234567Z.
        Utf8Formatter.TryFormat(time.UtcDateTime, header, out _, 'O');
        "00Z "u8.CopyTo(header[27..]);
        (stream == LogStream.Output ? "stdout F "u8 : "stderr F "u8).CopyTo(header[StreamAt..]);
    }

    /// <summary>
    /// Writes a record for each line of <paramref name="raw"/> until <paramref name="text"/> is full. What follows the last newline
    /// becomes a record with <paramref name="tailTag"/>, or stays behind when that is <see cref="Nothing"/>.
    /// </summary>
    public static Formatted Format(
        ReadOnlySpan<byte> raw, Span<byte> text, ReadOnlySpan<byte> header, Redaction redaction, byte tailTag)
    {
        int position = 0, written = 0, lines = 0;
        bool redacted = false;
        header = header[..HeaderLength];
        while (position < raw.Length)
        {
            int length = raw[position..].IndexOf((byte)'\n');
            bool whole = length >= 0;
            if (!whole && tailTag == Nothing)
            {
                break;
            }

            ReadOnlySpan<byte> message = whole ? raw.Slice(position, length) : raw[position..];
            Span<byte> target = text[written..];
            if (target.Length < HeaderLength + message.Length + 1)
            {
                break;
            }

            header.CopyTo(target);
            if (!whole)
            {
                target[TagAt] = tailTag;
            }

            int kept = message.Length;
            if (redaction.IsEmpty)
            {
                message.CopyTo(target[HeaderLength..]);
            }
            else
            {
                redacted |= redaction.Apply(message, target[HeaderLength..], out kept);
            }

            target[HeaderLength + kept] = (byte)'\n';
            written += HeaderLength + kept + 1;
            position += message.Length + (whole ? 1 : 0);
            lines++;
        }

        return new Formatted(position, written, lines, redacted);
    }

    /// <summary>Whether a record that this program wrote is a piece of a line.</summary>
    public static bool IsPartial(ReadOnlySpan<byte> record) => record[TagAt] == Piece;

    /// <summary>Takes a record apart, newline not included. False for anything that this program did not write.</summary>
    public static bool TryParse(ReadOnlySpan<byte> record, out DateTimeOffset time, out LogStream stream, out bool partial)
    {
        (time, stream, partial) = (default, default, false);
        if (record.Length < HeaderLength || record[TimeLength - 1] != 'Z' || record[TimeLength] != ' ' || record[TagAt + 1] != ' ')
        {
            return false;
        }

        ReadOnlySpan<byte> name = record.Slice(StreamAt, 7);
        bool known = name.SequenceEqual("stdout "u8) || name.SequenceEqual("stderr "u8);
        stream = name[3] == 'o' ? LogStream.Output : LogStream.Error;
        partial = record[TagAt] == Piece;
        return known && (partial || record[TagAt] == Whole) && TryParseTime(record[..TimeLength], out time);
    }

    private static bool TryParseTime(ReadOnlySpan<byte> text, out DateTimeOffset time)
    {
        time = default;
        int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
        int hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2), nanoseconds = Digits(text, 20, 9);
        bool marks = text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == '.';
        if (!marks || year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)
            || hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 59 || nanoseconds < 0)
        {
            return false;
        }

        time = new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero).AddTicks(nanoseconds / 100);
        return true;
    }

    private static int Digits(ReadOnlySpan<byte> text, int at, int count)
    {
        int value = 0;
        foreach (byte digit in text.Slice(at, count))
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return -1;
            }

            value = value * 10 + (digit - '0');
        }

        return value;
    }
}
