namespace Stoker.Gpus.Diag;

/// <summary>
/// Which part of its known capability a card must reach. No maker gives such limits; each is what people publish of cards that are well, with room below it. They were not tried on cards yet.
/// </summary>
/// <param name="Pass">From here on.</param>
/// <param name="Warn">From here on; below it fails.</param>
internal sealed record Share(double Pass, double Warn)
{
    /// <summary>A copy within the card reads and writes; 88 to 93 % of the bandwidth is usual, the rest goes to refreshes and turning the bus around.</summary>
    public static Share Memory { get; } = new(0.80, 0.65);

    /// <summary>80 to 88 % of the link's raw speed is usual from pinned memory: packets have heads. Half of it is a link of half the width or a generation less.</summary>
    public static Share Pcie { get; } = new(0.70, 0.55);

    /// <summary>Held to its power, a card runs below its boost clock; more than 15 % below it is no longer that.</summary>
    public static Share Fp32 { get; } = new(0.85, 0.65);

    /// <summary>Tensor cores take more power, so that clocks fall further.</summary>
    public static Share Tensor { get; } = new(0.75, 0.55);

    public DiagVerdict Of(double measured, double known) => measured >= known * Pass ? DiagVerdict.Pass : measured >= known * Warn ? DiagVerdict.Warn : DiagVerdict.Fail;
}
