using System.Globalization;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator;

/// <summary>
/// A time that varies: <c>50ms</c> always, <c>50ms±10ms</c> (or <c>50ms+-10ms</c>, or <c>normal(50ms,10ms)</c>) around a mean with a
/// standard deviation, never below zero; <c>lognormal(50ms,0.5)</c> with this median and this deviation of the logarithm: a long tail.
/// </summary>
/// <param name="Centre">Mean, or the median of a lognormal.</param>
/// <param name="Deviation">In seconds for a normal one, of the logarithm for a lognormal one; 0: constant.</param>
internal readonly record struct LatencySpec(TimeSpan Centre, double Deviation = 0, bool IsLognormal = false)
{
    public bool IsZero => Centre == TimeSpan.Zero && Deviation == 0;

    /// <param name="duration">Reads one duration, null when it is none.</param>
    /// <returns>Null when it is not of this grammar.</returns>
    public static LatencySpec? Parse(string text, Func<string, TimeSpan?> duration)
    {
        var isLognormal = text.StartsWith("lognormal(", StringComparison.Ordinal);
        if (isLognormal || text.StartsWith("normal(", StringComparison.Ordinal) || text.StartsWith("constant(", StringComparison.Ordinal))
        {
            if (!text.EndsWith(')')) return null;
            var words = text[(text.IndexOf('(') + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
            if (text[0] == 'c') return words is [var only] && duration(only) is { } constant ? new LatencySpec(constant) : null;
            if (words is not [var centre, var spread] || duration(centre) is not { } middle) return null;
            if (!isLognormal) return duration(spread) is { } wide ? new LatencySpec(middle, wide.TotalSeconds) : null;
            return double.TryParse(spread, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var sigma) && sigma <= 5
                ? new LatencySpec(middle, sigma, IsLognormal: true)
                : null;
        }

        var parts = text.Replace("+-", "±", StringComparison.Ordinal).Split('±');
        if (parts.Length > 2 || duration(parts[0]) is not { } mean) return null;
        if (parts.Length == 1) return new LatencySpec(mean);
        return duration(parts[1]) is { } deviation ? new LatencySpec(mean, deviation.TotalSeconds) : null;
    }

    /// <summary>One of these times.</summary>
    public TimeSpan Sample(ref Chance chance)
    {
        if (Deviation == 0) return Centre;
        var normal = Math.Sqrt(-2 * Math.Log(1 - chance.NextDouble())) * Math.Cos(2 * Math.PI * chance.NextDouble());
        var seconds = IsLognormal ? Centre.TotalSeconds * Math.Exp(Deviation * normal) : Centre.TotalSeconds + (Deviation * normal);
        return TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 86400));
    }
}
