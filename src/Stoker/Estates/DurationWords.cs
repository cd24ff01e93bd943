namespace Stoker.Estates;

/// <summary>Lengths of time in sentences, the same in plans, states, events and messages.</summary>
internal static class DurationWords
{
    /// <summary><c>250 ms</c>, <c>2.5 s</c>, <c>4 min 10 s</c>, <c>3 h 5 min</c>, <c>2 d 4 h</c>. Below zero (a clock that jumped) is zero.</summary>
    public static string Of(TimeSpan time) => time switch
    {
        { Ticks: <= 0 } => "0 ms",
        { TotalMilliseconds: < 1000 } => $"{time.TotalMilliseconds:0} ms",
        { TotalSeconds: < 60 } => $"{time.TotalSeconds:0.#} s",
        { TotalMinutes: < 60 } => time.Seconds == 0 ? $"{time.Minutes} min" : $"{time.Minutes} min {time.Seconds} s",
        { TotalHours: < 24 } => time.Minutes == 0 ? $"{time.Hours} h" : $"{time.Hours} h {time.Minutes} min",
        _ => time.Hours == 0 ? $"{time.Days} d" : $"{time.Days} d {time.Hours} h",
    };
}
