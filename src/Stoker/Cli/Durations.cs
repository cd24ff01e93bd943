using System.Buffers;
using System.Globalization;

namespace Stoker.Cli;

/// <summary>Lengths of time as people write and read them.</summary>
internal static class Durations
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    /// <summary>In at most six cells: <c>0.4s</c>, <c>12s</c>, <c>3m12s</c>, <c>2h05m</c>, <c>4d07h</c>. Below zero (a clock that jumped) is zero.</summary>
    public static string Short(TimeSpan time)
    {
        if (time < TimeSpan.Zero) time = TimeSpan.Zero;
        if (time.TotalSeconds < 9.95) return $"{time.TotalSeconds:0.0}s";
        if (time.TotalMinutes < 1) return $"{(int)time.TotalSeconds}s";
        if (time.TotalHours < 1) return $"{time.Minutes}m{time.Seconds:00}s";
        if (time.TotalDays < 1) return $"{time.Hours}h{time.Minutes:00}m";
        return $"{(int)time.TotalDays}d{time.Hours:00}h";
    }

    /// <summary>Compose's grammar, <c>1h5m30s20ms</c>, and a bare number as seconds; null when it is neither.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)) return Seconds(seconds);
        var total = 0.0;
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept(Digits);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return null;
            rest = rest[digits..];
            var letters = rest.IndexOfAny(Digits);
            var unit = letters < 0 ? rest : rest[..letters];
            if (UnitInSeconds(unit) is not { } factor) return null;
            total += number * factor;
            rest = rest[unit.Length..];
        }

        return text.Length == 0 ? null : Seconds(total);
    }

    private static TimeSpan? Seconds(double seconds) => seconds < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(seconds) : null;

    private static double? UnitInSeconds(ReadOnlySpan<char> unit) => unit switch
    {
        "us" or "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => null,
    };
}
