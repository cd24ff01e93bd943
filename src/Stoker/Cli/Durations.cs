using System.Globalization;
using Stoker.Estates.Reading;

namespace Stoker.Cli;

/// <summary>Lengths of time as people write and read them.</summary>
internal static class Durations
{
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
    public static TimeSpan? Parse(string text) =>
        Scalars.Duration(double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? text + "s" : text);
}
