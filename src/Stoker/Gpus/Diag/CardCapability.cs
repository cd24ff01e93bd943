namespace Stoker.Gpus.Diag;

/// <summary>
/// What a card can do by what its maker says, to set beside what was measured. Dense figures, without sparsity; GeForce figures at the boost clock of the product page, which a cool card exceeds.
/// docs/gpu-diag.md has where each figure was read.
/// </summary>
/// <param name="Words">All of these are in the product's name, and it is this card.</param>
/// <param name="Mebibytes">At least; tells apart cards of one name.</param>
/// <param name="Memory">Bandwidth in GB/s.</param>
/// <param name="Fp32">TFLOPS; a fused multiplication and addition is two.</param>
/// <param name="Tensor">TFLOPS of FP16 and BF16 with sums in FP32; null: no maker's figure.</param>
/// <param name="PcieGeneration">Null: the card is not on PCIe.</param>
/// <param name="Source">The maker's document.</param>
internal sealed record CardCapability(string Words, int Mebibytes, double Memory, double Fp32, double? Tensor, int? PcieGeneration, int? PcieWidth, string Source)
{
    /// <summary>Hopper's tensor cores come to their figure by wgmma only. These kernels use mma.sync, which all cards have, and how much of it Hopper gives that way its maker does not say.</summary>
    public bool NeedsWgmma { get; init; }

    /// <summary>The first that fits is it: a longer name stands before the shorter one in it.</summary>
    public static IReadOnlyList<CardCapability> All { get; } =
    [
        new("RTX 5090", 0, 1792, 104.8, 209.5, 5, 16, "NVIDIA RTX Blackwell GPU Architecture"),
        // Cores, clock and memory are the product page's; the tensor cores' ratio to FP32 is the architecture's.
        new("RTX 5060 Ti", 0, 448, 23.7, 47.4, 5, 8, "GeForce RTX 5060 Ti product page"),
        new("RTX 4090", 0, 1008, 82.6, 165.2, 4, 16, "NVIDIA Ada GPU Architecture"),
        // As with the RTX 5060 Ti.
        new("RTX 3060", 0, 360, 12.7, 25.5, 4, 16, "GeForce RTX 3060 product page"),
        new("A100 SXM4", 60_000, 2039, 19.5, 312, 4, 16, "NVIDIA A100 Tensor Core GPU data sheet"),
        new("A100 SXM4", 0, 1555, 19.5, 312, 4, 16, "NVIDIA A100 Tensor Core GPU data sheet"),
        new("H100 HBM3", 0, 3350, 67, 989, 5, 16, "NVIDIA H100 Tensor Core GPU data sheet") { NeedsWgmma = true },
        new("H200", 0, 4800, 67, 989, 5, 16, "NVIDIA H200 Tensor Core GPU data sheet") { NeedsWgmma = true },
        new("AGX Orin", 0, 204.8, 5.3, null, null, null, "Jetson AGX Orin Series data sheet and technical brief"),
    ];

    /// <summary>Other forms of a card have other figures: a laptop's, a smaller or a cut one.</summary>
    private static readonly string[] Others = ["Laptop", "Ti", "D", "Max-Q", "NVL", "PCIe"];

    /// <summary>GB/s each way, before the link's own overhead: 8, 16 and 32 GT/s a lane with 128 bits in 130.</summary>
    public double? Pcie => PcieGeneration is { } generation && PcieWidth is { } width ? LinkSpeed(generation, width) : null;

    public static double? LinkSpeed(int generation, int width) => generation switch
    {
        3 => 0.985 * width,
        4 => 1.969 * width,
        5 => 3.938 * width,
        _ => null,
    };

    /// <summary>Null: no figures of it are known here, and what is measured stands alone.</summary>
    /// <param name="memory">In bytes.</param>
    public static CardCapability? Of(string? name, long? memory)
    {
        if (name is null) return null;
        var words = name.Split([' ', '-'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var card in All)
        {
            var wanted = card.Words.Split(' ');
            if (!Array.TrueForAll(wanted, w => words.Contains(w, StringComparer.OrdinalIgnoreCase)) || (memory ?? 0) >> 20 < card.Mebibytes) continue;
            if (Array.Exists(Others, other => words.Contains(other, StringComparer.OrdinalIgnoreCase) && !wanted.Contains(other, StringComparer.OrdinalIgnoreCase))) continue;
            return card;
        }

        return null;
    }
}
