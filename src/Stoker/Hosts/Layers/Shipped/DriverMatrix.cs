namespace Stoker.Hosts.Layers.Shipped;

/// <summary>What a choice of a driver is made from.</summary>
/// <param name="Cards">Names of NVIDIA's cards, as the bus or the driver has them.</param>
/// <param name="System">As in os-release, with its version: <c>debian 12</c>.</param>
/// <param name="Kernel">As in <c>uname -r</c>.</param>
internal sealed record DriverFacts(IReadOnlyList<string> Cards, string System, string Kernel);

/// <summary>A row of the matrix.</summary>
/// <param name="Branch">The first number of the driver's version.</param>
/// <param name="Cuda">The newest CUDA that it runs.</param>
/// <param name="KernelBelow">The first kernel that its module does not build on; null: none is known.</param>
/// <param name="Oldest">The oldest generation that it drives.</param>
/// <param name="Newest">The newest.</param>
internal sealed record DriverRow(int Branch, string Cuda, string? KernelBelow, GpuGeneration Oldest, GpuGeneration Newest);

/// <summary>In order of age.</summary>
internal enum GpuGeneration
{
    Maxwell,
    Pascal,
    Volta,
    Turing,
    Ampere,
    Ada,
    Hopper,
    Blackwell,
}

/// <summary>A driver that fits.</summary>
/// <param name="IsOpen">With the open kernel modules.</param>
/// <param name="Package">One of the packages of NVIDIA's repository.</param>
internal sealed record DriverChoice(DriverRow Row, bool IsOpen, string Package);

/// <summary>What fits, the best first: those behind it are for where the repository lacks it.</summary>
/// <param name="Refused">Rows that do not fit, each with its reason.</param>
internal sealed record DriverChoices(IReadOnlyList<DriverChoice> Fit, IReadOnlyList<string> Refused);

/// <summary>
/// Which driver and CUDA a card can have on a system; pure. Sources: the table of drivers and CUDA versions in the release notes of CUDA
/// (docs.nvidia.com/cuda/cuda-toolkit-release-notes, tables 2 and 3), and for 595 and 610 the drivers that the installers of CUDA 13.2 and 13.3 carry
/// (cuda_13.3.0_610.43.02_linux.run); cards by branch in the list of each driver's README; Blackwell is driven by the open
/// modules alone and Maxwell to Volta by the closed ones alone
/// (developer.nvidia.com/blog/nvidia-transitions-fully-towards-open-source-gpu-kernel-modules); 580 is the last branch for Maxwell, Pascal and Volta (its
/// release notes); 590 does not build on kernel 7.0 (github.com/GoogleCloudPlatform/ops-agent/pull/2426). Package names:
/// docs.nvidia.com/datacenter/tesla/driver-installation-guide.
/// </summary>
internal static class DriverMatrix
{
    /// <summary>In the order in which they are tried: the branch that is kept up longest first.</summary>
    public static IReadOnlyList<DriverRow> Rows { get; } =
    [
        new(580, "13.0", null, GpuGeneration.Maxwell, GpuGeneration.Blackwell),
        new(595, "13.2", null, GpuGeneration.Turing, GpuGeneration.Blackwell),
        new(610, "13.3", null, GpuGeneration.Turing, GpuGeneration.Blackwell),
        new(590, "13.1", "7.0", GpuGeneration.Turing, GpuGeneration.Blackwell),
        new(575, "12.9", null, GpuGeneration.Maxwell, GpuGeneration.Blackwell),
        new(570, "12.8", null, GpuGeneration.Maxwell, GpuGeneration.Blackwell),
        new(550, "12.4", null, GpuGeneration.Maxwell, GpuGeneration.Hopper),
        new(535, "12.2", null, GpuGeneration.Maxwell, GpuGeneration.Hopper),
    ];

    /// <summary>Those for which NVIDIA has a repository that is known here, and its name.</summary>
    public static IReadOnlyDictionary<string, string> Repositories { get; } = new Dictionary<string, string>
    {
        ["debian 12"] = "debian12", ["debian 13"] = "debian13", ["ubuntu 22.04"] = "ubuntu2204", ["ubuntu 24.04"] = "ubuntu2404",
    };

    /// <summary>Words of names, the first that fits.</summary>
    private static readonly (string Word, GpuGeneration Generation)[] Names =
    [
        ("RTX 50", GpuGeneration.Blackwell), ("RTX PRO", GpuGeneration.Blackwell), ("B200", GpuGeneration.Blackwell), ("B300", GpuGeneration.Blackwell), ("GB2", GpuGeneration.Blackwell),
        ("H100", GpuGeneration.Hopper), ("H200", GpuGeneration.Hopper), ("GH100", GpuGeneration.Hopper), ("H800", GpuGeneration.Hopper),
        ("RTX 40", GpuGeneration.Ada), (" Ada ", GpuGeneration.Ada), ("L40", GpuGeneration.Ada), ("NVIDIA L4", GpuGeneration.Ada), ("AD10", GpuGeneration.Ada),
        ("RTX 30", GpuGeneration.Ampere), ("RTX A", GpuGeneration.Ampere), ("A100", GpuGeneration.Ampere), ("A800", GpuGeneration.Ampere),
        ("A40", GpuGeneration.Ampere), ("A30", GpuGeneration.Ampere), ("A10", GpuGeneration.Ampere), ("GA10", GpuGeneration.Ampere),
        ("RTX 20", GpuGeneration.Turing), ("GTX 16", GpuGeneration.Turing), ("Quadro RTX", GpuGeneration.Turing), ("T4", GpuGeneration.Turing), ("TU1", GpuGeneration.Turing),
        ("V100", GpuGeneration.Volta), ("TITAN V", GpuGeneration.Volta), ("GV100", GpuGeneration.Volta),
        ("GTX 10", GpuGeneration.Pascal), ("P100", GpuGeneration.Pascal), ("P40", GpuGeneration.Pascal), ("TITAN X", GpuGeneration.Pascal), ("GP10", GpuGeneration.Pascal),
        ("GTX 9", GpuGeneration.Maxwell), ("M40", GpuGeneration.Maxwell), ("GM20", GpuGeneration.Maxwell),
    ];

    public static GpuGeneration? GenerationOf(string card)
    {
        // The chip of GB202 would be found as another's.
        foreach (var (word, generation) in Names)
        {
            if (card.Contains(word, StringComparison.OrdinalIgnoreCase)) return generation;
        }

        return null;
    }

    /// <param name="branch">Only this one; null: any.</param>
    public static DriverChoices Choose(DriverFacts facts, int? branch)
    {
        var refused = new List<string>();
        if (facts.Cards.Count == 0) return new DriverChoices([], ["no NVIDIA card is on the bus"]);
        if (!Repositories.ContainsKey(facts.System)) return new DriverChoices([], [$"NVIDIA's packages are not known for {facts.System}, but for {string.Join(", ", Repositories.Keys)}"]);
        var generations = new List<GpuGeneration>();
        foreach (var card in facts.Cards)
        {
            if (GenerationOf(card) is { } generation) generations.Add(generation);
            else refused.Add($"the generation of `{card}` is not known");
        }

        if (refused.Count > 0) return new DriverChoices([], refused);
        if (generations.Min() < GpuGeneration.Turing && generations.Max() >= GpuGeneration.Blackwell)
            return new DriverChoices([], [$"{generations.Max()} is driven by the open modules alone and {generations.Min()} by the closed ones alone: no driver has both"]);
        // Both drive the generations between; the open ones are what NVIDIA develops.
        var isOpen = generations.Min() >= GpuGeneration.Turing;
        var fit = new List<DriverChoice>();
        foreach (var row in Rows.Where(r => branch is null || r.Branch == branch))
        {
            if (Why(row, generations, facts.Kernel) is { } why) refused.Add($"{row.Branch}: {why}");
            else fit.Add(new DriverChoice(row, isOpen, isOpen ? $"nvidia-open-{row.Branch}" : $"cuda-drivers-{row.Branch}"));
        }

        if (branch is { } asked && Rows.All(r => r.Branch != asked)) refused.Add($"{asked}: not in the matrix, which has {string.Join(", ", Rows.Select(r => r.Branch).Order())}");
        return new DriverChoices(fit, refused);
    }

    private static string? Why(DriverRow row, List<GpuGeneration> generations, string kernel) =>
        generations.Max() > row.Newest ? $"does not know {generations.Max()}"
        : generations.Min() < row.Oldest ? $"has given up {generations.Min()}"
        : row.KernelBelow is { } below && Checks.VersionOrder.Compare(kernel, below) >= 0 ? $"its module does not build on kernel {below} and later, and this is {kernel}"
        : null;
}
