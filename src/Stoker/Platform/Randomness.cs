namespace Stoker.Platform;

/// <summary>Chance, injected: with a seed the same every time. For jitter and sampling, never for secrets. Thread-safe.</summary>
internal sealed class Randomness
{
    private readonly Random random;
    private readonly Lock access = new();

    public Randomness() => random = new Random();

    public Randomness(int seed) => random = new Random(seed);

    /// <summary>At least 0 and less than 1.</summary>
    public double NextDouble()
    {
        lock (access)
        {
            return random.NextDouble();
        }
    }

    /// <summary>At least 0 and less than the bound.</summary>
    public int Next(int bound)
    {
        lock (access)
        {
            return random.Next(bound);
        }
    }
}
