using System.Globalization;

namespace Stoker.Cli;

/// <summary>Points in time on the command line, as <c>--since</c> and <c>--until</c> take them.</summary>
internal static class Moments
{
    public const string Grammar = "a duration back from now (10m, 2h30m), a time of today (14:05), or a date and time (2026-11-21T14:05:00Z)";

    /// <summary>Null when it is none of those of <see cref="Grammar"/>. A time without a zone is local.</summary>
    public static DateTimeOffset? Parse(string text, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        if (Durations.Parse(text) is { } ago) return now - ago;
        if (TimeOnly.TryParseExact(text, ["H:mm", "H:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            var today = TimeZoneInfo.ConvertTime(now, clock.LocalTimeZone).Date + time.ToTimeSpan();
            return new DateTimeOffset(today, clock.LocalTimeZone.GetUtcOffset(today));
        }

        if (!DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var at)) return null;
        return at.Kind switch
        {
            DateTimeKind.Utc => new DateTimeOffset(at),
            DateTimeKind.Local => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture),
            DateTimeKind.Unspecified => new DateTimeOffset(at, clock.LocalTimeZone.GetUtcOffset(at)),
        };
    }

    /// <summary>The time of day in the owner's zone, to the millisecond: <c>14:05:09.214</c>.</summary>
    public static string TimeOfDay(DateTimeOffset at, TimeProvider clock) =>
        TimeZoneInfo.ConvertTime(at, clock.LocalTimeZone).ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    /// <summary>The time of day, with the date in front when it is not today's.</summary>
    public static string DayAndTime(DateTimeOffset at, TimeProvider clock)
    {
        var local = TimeZoneInfo.ConvertTime(at, clock.LocalTimeZone);
        var today = TimeZoneInfo.ConvertTime(clock.GetUtcNow(), clock.LocalTimeZone).Date;
        return local.ToString(local.Date == today ? "HH:mm:ss" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }
}
