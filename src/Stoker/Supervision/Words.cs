namespace Stoker.Supervision;

/// <summary>How times and counts are said to people.</summary>
internal static class Words
{
    /// <summary><c>250 ms</c>, <c>2.5 s</c>, <c>4 m 10 s</c>, <c>3 h 5 m</c>, <c>2 d 4 h</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalMilliseconds: < 1000 } => $"{time.TotalMilliseconds:0} ms",
        { TotalSeconds: < 60 } => $"{time.TotalSeconds:0.#} s",
        { TotalMinutes: < 60 } => time.Seconds == 0 ? $"{time.Minutes} m" : $"{time.Minutes} m {time.Seconds} s",
        { TotalHours: < 24 } => time.Minutes == 0 ? $"{time.Hours} h" : $"{time.Hours} h {time.Minutes} m",
        _ => time.Hours == 0 ? $"{time.Days} d" : $"{time.Days} d {time.Hours} h",
    };

    public static string Ordinal(int number) => (number % 100, number % 10) switch
    {
        (11 or 12 or 13, _) => $"{number}th",
        (_, 1) => $"{number}st",
        (_, 2) => $"{number}nd",
        (_, 3) => $"{number}rd",
        _ => $"{number}th",
    };
}
