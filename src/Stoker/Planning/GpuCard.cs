using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>A GPU while requests are fitted to it.</summary>
/// <param name="Memory">Null when neither declared nor observed.</param>
/// <param name="Real">The card of this machine that it is; null when it is only declared.</param>
internal sealed record GpuCard(HostName? Host, int Index, string Model, ByteSize? Memory, string? Uuid, GpuFact? Real)
{
    /// <summary><c>GPU 0 (NVIDIA GeForce RTX 3060)</c>.</summary>
    public string Name => $"GPU {Index} ({Model})";

    /// <summary><c>GPU 0 (NVIDIA GeForce RTX 3060, 12 GiB)</c>.</summary>
    public string Text => Memory is { } memory ? $"GPU {Index} ({Model}, {memory})" : Name;

    public bool Answers(string id) => id == Index.ToString() || string.Equals(id, Uuid ?? Real?.Uuid, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The cards of each host: as declared, each one paired with a real card of this machine where there is one that is not
    /// yet taken; without declared hosts, the real ones.
    /// </summary>
    public static ILookup<HostName?, GpuCard> Of(EstateSpec estate, IEnumerable<HostSpec> localHosts, Observed observed)
    {
        if (estate.Hosts.Count == 0)
        {
            return observed.Gpus.OrderBy(g => g.Index)
                .ToLookup(_ => (HostName?)null, g => new GpuCard(null, g.Index, g.Model, g.Memory, g.Uuid, g));
        }

        var free = observed.Gpus.OrderBy(g => g.Index).ToList();
        var declared = localHosts.DistinctBy(h => h.Name).OrderBy(h => h.Name.Value, StringComparer.Ordinal)
            .SelectMany(h => h.Gpus.Select((gpu, index) => (h.Name, Gpu: gpu, Index: index)))
            .ToList();
        var real = new GpuFact?[declared.Count];

        // A pinned card may be nobody else's, so pins choose first.
        for (var i = 0; i < declared.Count; i++)
        {
            if (declared[i].Gpu.Uuid is { } uuid) real[i] = Take(free, f => string.Equals(f.Uuid, uuid, StringComparison.OrdinalIgnoreCase));
        }

        for (var i = 0; i < declared.Count; i++)
        {
            if (declared[i].Gpu.Uuid is null) real[i] = Take(free, f => GpuModelName.AreSame(f.Model, declared[i].Gpu.Model));
        }

        return declared
            .Select((d, i) => new GpuCard(d.Name, d.Index, d.Gpu.Model, d.Gpu.Memory ?? real[i]?.Memory, d.Gpu.Uuid ?? real[i]?.Uuid, real[i]))
            .ToLookup(c => c.Host);
    }

    private static GpuFact? Take(List<GpuFact> free, Predicate<GpuFact> wanted)
    {
        var at = free.FindIndex(wanted);
        if (at < 0) return null;
        var fact = free[at];
        free.RemoveAt(at);
        return fact;
    }
}
