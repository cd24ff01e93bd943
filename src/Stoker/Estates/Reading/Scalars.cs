using System.Globalization;
using System.Net;

namespace Stoker.Estates.Reading;

/// <summary>Reads what Compose lets a scalar say. Null means that the text says no such thing.</summary>
internal static class Scalars
{
    private static readonly (string Unit, double Seconds)[] TimeUnits =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];

    public static bool? Flag(string text) => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" or "y" or "t" or "1" => true,
        "false" or "no" or "off" or "n" or "f" or "0" => false,
        _ => null,
    };

    public static long? Whole(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    public static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    /// <summary>Numbers with units, largest first or not: <c>1h5m30s20ms</c>, <c>1.5s</c>, <c>0</c>. Never negative.</summary>
    public static TimeSpan? Duration(string text)
    {
        if (text == "0") return TimeSpan.Zero;
        var rest = text.AsSpan();
        if (rest.IsEmpty) return null;
        double seconds = 0;
        while (!rest.IsEmpty)
        {
            var digits = Run(rest, ofNumber: true);
            if (digits == 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return null;
            rest = rest[digits..];
            var unit = rest[..Run(rest, ofNumber: false)];
            if (UnitSeconds(unit) is not { } factor) return null;
            seconds += number * factor;
            rest = rest[unit.Length..];
        }

        // The supervisor's timers count in milliseconds of 32 bits at most; a century is long enough for anyone.
        return seconds <= 36_525.0 * 86_400 ? TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)) : null;
    }

    /// <summary><c>512m</c>, <c>2G</c>, <c>1.5g</c>, <c>24GiB</c>, <c>64 MB</c>, <c>4096</c>: every unit is a power of 1024, as in Compose.</summary>
    public static ByteSize? Size(string text)
    {
        var span = text.AsSpan();
        var digits = Run(span, ofNumber: true);
        if (!double.TryParse(span[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return null;
        var unit = span[digits..].Trim().ToString().ToLowerInvariant();
        var shift = unit switch
        {
            "" or "b" => 0,
            "k" or "kb" or "kib" => 10,
            "m" or "mb" or "mib" => 20,
            "g" or "gb" or "gib" => 30,
            "t" or "tb" or "tib" => 40,
            "p" or "pb" or "pib" => 50,
            _ => -1,
        };
        if (shift < 0) return null;
        var bytes = value * (1L << shift);
        return bytes < long.MaxValue ? new ByteSize((long)bytes) : null;
    }

    /// <summary>The leading zero or <c>0o</c> is optional: nobody means decimal in a file mode.</summary>
    public static int? Octal(string text)
    {
        var digits = text.StartsWith("0o", StringComparison.Ordinal) ? text.AsSpan(2) : text.AsSpan();
        if (digits.IsEmpty || digits.Length > 5) return null;
        var value = 0;
        foreach (var digit in digits)
        {
            if (digit is < '0' or > '7') return null;
            value = (value << 3) | (digit - '0');
        }

        return value <= 0xFFF ? value : null;
    }

    /// <summary>Where a server listens: an address and a port, <c>[::1]:8010</c>; <c>8010</c>, <c>:8010</c> and <c>localhost:8010</c> are on the loopback.</summary>
    public static IPEndPoint? Endpoint(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon] : "127.0.0.1";
        if (host == "localhost") host = "127.0.0.1";
        return IPAddress.TryParse(host.Trim('[', ']'), out var address)
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? new IPEndPoint(address, port)
            : null;
    }

    // A plain loop, because the vectorised search is compiled anew in every process that uses it once.
    private static int Run(ReadOnlySpan<char> text, bool ofNumber)
    {
        var length = 0;
        while (length < text.Length && (text[length] is (>= '0' and <= '9') or '.') == ofNumber) length++;
        return length;
    }

    private static double? UnitSeconds(ReadOnlySpan<char> unit)
    {
        foreach (var (name, seconds) in TimeUnits)
        {
            if (unit.SequenceEqual(name)) return seconds;
        }

        return null;
    }
}
