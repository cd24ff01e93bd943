using System.Globalization;

namespace Stoker.Models.Simulator.Engine;

/// <summary>A histogram as Prometheus has them: counts below bounds, and a sum. Thread-safe, without a lock.</summary>
internal sealed class Histogram(params double[] bounds)
{
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    /// <summary>vLLM's bounds for the time to the first token.</summary>
    public static double[] FirstToken { get; } =
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    /// <summary>vLLM's bounds for the time between tokens.</summary>
    public static double[] BetweenTokens { get; } =
        [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    /// <summary>vLLM's bounds for whole requests and their parts.</summary>
    public static double[] Request { get; } =
        [.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    public void Observe(double value)
    {
        var index = bounds.AsSpan().BinarySearch(value);
        Interlocked.Increment(ref _counts[index < 0 ? ~index : index]);
        for (var seen = _sum; ;)
        {
            var found = Interlocked.CompareExchange(ref _sum, seen + value, seen);
            if (found.Equals(seen)) return;
            seen = found;
        }
    }

    /// <param name="labels">Without braces.</param>
    public void Write(TextWriter to, string name, string labels)
    {
        to.Write($"# TYPE {name} histogram\n");
        var total = 0L;
        for (var i = 0; i < bounds.Length; i++)
        {
            total += Volatile.Read(ref _counts[i]);
            to.Write($"{name}_bucket{{{labels},le=\"{bounds[i].ToString("0.0###", CultureInfo.InvariantCulture)}\"}} {total}\n");
        }

        total += Volatile.Read(ref _counts[^1]);
        to.Write($"{name}_bucket{{{labels},le=\"+Inf\"}} {total}\n{name}_sum{{{labels}}} {Volatile.Read(ref _sum).ToString("R", CultureInfo.InvariantCulture)}\n");
        to.Write($"{name}_count{{{labels}}} {total}\n");
    }
}
