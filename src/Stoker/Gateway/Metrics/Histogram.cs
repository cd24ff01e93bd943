namespace Stoker.Gateway.Metrics;

/// <summary>Counts of values by size, from any thread without a lock. A reading while values come may be off by the few that are on their way.</summary>
internal sealed class Histogram(double[] bounds)
{
    private const double Scale = 1e9;

    private readonly long[] _counts = new long[bounds.Length + 1];
    private long _sum;

    public ReadOnlySpan<double> Bounds => bounds;

    public double Sum => Interlocked.Read(ref _sum) / Scale;

    public void Record(double value)
    {
        var at = 0;
        while (at < bounds.Length && value > bounds[at]) at++;
        Interlocked.Increment(ref _counts[at]);
        Interlocked.Add(ref _sum, (long)(value * Scale));
    }

    /// <summary>How many values are at most each bound, and at last how many there are.</summary>
    public long[] Cumulative()
    {
        var sums = new long[_counts.Length];
        long sum = 0;
        for (var i = 0; i < sums.Length; i++) sums[i] = sum += Interlocked.Read(ref _counts[i]);
        return sums;
    }
}
