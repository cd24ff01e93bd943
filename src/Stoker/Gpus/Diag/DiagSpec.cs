namespace Stoker.Gpus.Diag;

/// <summary>What a diagnosis is asked for.</summary>
/// <param name="Level">1 looks only; 2 works on the cards' memory and copies too; 3 keeps them computing too.</param>
internal sealed record DiagSpec(int Level)
{
    /// <summary>Works on cards too that somebody uses.</summary>
    public bool EvenInUse { get; init; }

    /// <summary>Services of the estate by the UUID of the card that they use or were given.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Services { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>How long each kind of arithmetic is kept up, by the card's own clock.</summary>
    public TimeSpan Each { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The third level is repeated for so long; zero: once.</summary>
    public TimeSpan For { get; init; }

    /// <summary>Turns of each thread in a kernel of FP32; tensor cores, of which each does more, make an eighth of it. So many keep a card for some milliseconds.</summary>
    public int Rounds { get; init; } = 32 << 10;

    /// <summary>Trains with PyTorch on one card and on all of them; null: not asked for.</summary>
    public TrainingSpec? Training { get; init; }

    /// <summary>A card whose work makes no progress for so long hangs. The slowest step is to compile the kernels, some seconds.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>How to train.</summary>
/// <param name="Python">As given; null: that of the environment that is active, else the first along the path that has PyTorch.</param>
/// <param name="Directory">For the files by which workers meet.</param>
/// <param name="Seconds">Of each run, after it has warmed up.</param>
internal sealed record TrainingSpec(string? Python, string Directory, double Seconds = 20);
