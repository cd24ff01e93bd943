namespace Stoker.Estates;

/// <summary>Names of cards: NVML says <c>NVIDIA GeForce RTX 4090</c> where people write <c>RTX 4090</c>.</summary>
internal static class GpuModelName
{
    public static bool AreSame(string real, string declared) => string.Equals(Short(real), Short(declared), StringComparison.OrdinalIgnoreCase);

    private static string Short(string model) =>
        string.Join(' ', model.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .SkipWhile(w => w.Equals("NVIDIA", StringComparison.OrdinalIgnoreCase) || w.Equals("GeForce", StringComparison.OrdinalIgnoreCase)));
}
