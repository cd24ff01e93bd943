namespace Stoker.Planning;

/// <summary>
/// Which cards can be partitioned by MIG, by product name, for planning without the machine (NVIDIA's table of supported GPUs,
/// 2026). With the machine at hand NVML decides. Partitions are a power of two of memory slices, placed at multiples of their
/// size; on cards with eight slices the last one has no compute of its own, so that seven partitions of one slice fit.
/// </summary>
/// <param name="MemorySlices">Slices that partitions are made of.</param>
/// <param name="Partitions">The most partitions that the card can have.</param>
internal sealed record MigCards(int MemorySlices, int Partitions)
{
    /// <summary>A partition has a little less memory than its share of the card: 4,864 MiB of 5,120 on an A100.</summary>
    private const double UsableShare = 0.95;

    private static readonly MigCards Seven = new(8, 7);
    private static readonly MigCards Four = new(4, 4);
    private static readonly MigCards Two = new(2, 2);

    /// <summary>Null for a card without MIG: every GeForce, RTX A and Ada, A2, A10, A16, A40, L4, L40, T4 and V100.</summary>
    public static MigCards? For(string model)
    {
        var words = model.Split([' ', '-'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Contains("PRO") && words.Contains("Blackwell"))
        {
            return words.Contains("6000") ? Four : words.Contains("5000") || words.Contains("4500") ? Two : null;
        }

        foreach (var word in words)
        {
            switch (word)
            {
                case "A30":
                    return Four;
                case "A100" or "A800" or "H20" or "H100" or "H800" or "H200" or "GH200" or "B200" or "GB200" or "B300" or "GB300":
                    return Seven;
            }
        }

        return null;
    }

    /// <summary>Slices of the smallest partition that holds <paramref name="bytes"/>, or null when none does.</summary>
    public int? SlicesFor(long bytes, long cardBytes)
    {
        for (var slices = 1; slices <= MemorySlices; slices *= 2)
        {
            if (bytes <= cardBytes / MemorySlices * UsableShare * slices) return slices;
        }

        return null;
    }

    /// <summary>Partitions of these sizes can stand on the card together.</summary>
    public bool Fit(IReadOnlyCollection<int> slices)
    {
        if (slices.Count > Partitions) return false;
        var places = MemorySlices > Partitions && slices.All(s => s == 1) ? Partitions : MemorySlices;
        return slices.Sum() <= places;
    }
}
