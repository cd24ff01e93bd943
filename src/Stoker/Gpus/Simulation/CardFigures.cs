namespace Stoker.Gpus.Simulation;

/// <summary>
/// What cards are, for simulating them; docs/gpus.md shows the table with its sources. Memory as NVML tells it; clocks of GeForce cards are the product page's boost clock. Null is what
/// the real card does not tell by NVML, or nobody who has one has told.
/// </summary>
/// <param name="Words">All of these are in a product's name, and it is this card.</param>
/// <param name="PciId">Device and vendor.</param>
/// <param name="Mebibytes">Of memory.</param>
/// <param name="Idle">Watts.</param>
/// <param name="Hot">Degrees at which it slows down.</param>
internal sealed record CardFigures(
    string Words, string Name, string PciId, int Mebibytes, string ComputeCapability, int Cores, int? PcieGeneration, int? PcieWidth, int Watts, int? WattsMin, int? WattsMax, int Idle,
    int SmClock, int MemoryClock, int Hot)
{
    /// <summary>Told by NVML on data centre cards; GeForce cards since Ada tell a margin instead.</summary>
    public int? SlowdownCelsius { get; init; }

    public int? ShutdownCelsius { get; init; }

    /// <summary>Memory with ECC that is on, remapped rows, a sensor in the memory, MIG, a serial number; and no fan of its own.</summary>
    public bool IsDataCentre { get; init; }

    /// <summary>Performance monitors that NVML reads.</summary>
    public bool HasMonitors => int.TryParse(ComputeCapability.Split('.')[0], out var major) && major >= 9;

    /// <summary>A part of a system on a chip: no PCIe, no memory of its own, no limit of power.</summary>
    public bool IsJetson { get; init; }

    public static IReadOnlyList<CardFigures> All { get; } =
    [
        new("5090", "NVIDIA GeForce RTX 5090", "0x2B8510DE", 32_607, "12.0", 21_760, 5, 16, 575, 400, 600, 22, 2407, 14_001, 90),
        new("5060 Ti", "NVIDIA GeForce RTX 5060 Ti", "0x2D0410DE", 16_311, "12.0", 4_608, 5, 8, 180, 150, 180, 8, 2572, 14_001, 90),
        new("4090", "NVIDIA GeForce RTX 4090", "0x268410DE", 24_564, "8.9", 16_384, 4, 16, 450, 150, 600, 16, 2520, 10_501, 90),
        new("3060", "NVIDIA GeForce RTX 3060", "0x250310DE", 12_288, "8.6", 3_584, 4, 16, 170, 100, 170, 12, 1777, 7_501, 93) { SlowdownCelsius = 95, ShutdownCelsius = 98 },
        new("A100 80GB", "NVIDIA A100-SXM4-80GB", "0x20B210DE", 81_920, "8.0", 6_912, 4, 16, 400, 100, 400, 60, 1410, 1_593, 85) { SlowdownCelsius = 89, ShutdownCelsius = 92, IsDataCentre = true },
        new("A100", "NVIDIA A100-SXM4-40GB", "0x20B010DE", 40_960, "8.0", 6_912, 4, 16, 400, 100, 400, 50, 1410, 1_215, 85) { SlowdownCelsius = 89, ShutdownCelsius = 92, IsDataCentre = true },
        new("H100", "NVIDIA H100 80GB HBM3", "0x233010DE", 81_559, "9.0", 16_896, 5, 16, 700, 200, 700, 70, 1980, 2_619, 87) { SlowdownCelsius = 89, ShutdownCelsius = 92, IsDataCentre = true },
        new("H200", "NVIDIA H200", "0x233510DE", 143_771, "9.0", 16_896, 5, 16, 700, 200, 700, 75, 1980, 3_201, 87) { SlowdownCelsius = 89, ShutdownCelsius = 92, IsDataCentre = true },
        new("Orin", "Jetson AGX Orin", "", 62_840, "8.7", 2_048, null, null, 60, null, null, 9, 1300, 3_199, 97) { IsJetson = true },
    ];

    /// <summary>Of a product's name as people write it; of one that is not in the table, only what was declared is known.</summary>
    public static CardFigures Of(string model, long? memory)
    {
        var words = model.Split([' ', '-'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var card in All)
        {
            if (card.Words.Split(' ').All(word => words.Contains(word, StringComparer.OrdinalIgnoreCase)) && (card.Words != "5060 Ti" || words.Contains("Ti"))) return card;
        }

        return new CardFigures(model, model, "", (int)((memory ?? 8L << 30) >> 20), "", 0, null, null, 200, null, null, 15, 1500, 5000, 90);
    }
}
