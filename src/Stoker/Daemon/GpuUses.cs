using Stoker.Gpus;
using Stoker.Probes;

namespace Stoker.Daemon;

/// <summary>What the processes of a replica have on the cards that it was given, out of what was seen of all cards. Pure.</summary>
internal static class GpuUses
{
    /// <param name="given">Of <paramref name="gpus"/>.</param>
    public static GpuUse Of(GpusDocument gpus, IReadOnlyList<GpuDocument> given, string service, int replica)
    {
        var name = given.Count == 0 ? "the GPU it was given" : string.Join(" and ", given.Select(Name));
        if (given.Count == 0) return new GpuUse(name) { Problem = gpus.Problems is [var problem, ..] ? problem : "it was given no GPU that is here" };
        if (given.FirstOrDefault(g => g.Now is not { Lost: null }) is { } silent) return new GpuUse(name) { Problem = silent.Silent ?? "it does not answer" };
        var places = given.SelectMany(g => g.Clients.GroupBy(c => c.Instance).Select(p => new Place(g, p.Key, [.. p.Where(IsOwn)], p.All(IsOwn)))).Where(p => p.Own.Count > 0).ToList();
        List<GpuClientDocument> own = [.. places.SelectMany(p => p.Own)];
        return new GpuUse(name)
        {
            Processes = own.Count,
            Memory = own.Any(c => c.Memory is null) ? null : own.Sum(c => c.Memory),
            Percent = Sum(places.Select(PercentOf)),
            Elsewhere = [.. gpus.Gpus.Where(g => !given.Contains(g) && g.Clients.Any(IsOwn)).Select(Name)],
        };

        bool IsOwn(GpuClientDocument client) => client.Owner == "service" && client.Service == service && (client.Replica ?? 1) == replica;
    }

    private static string Name(GpuDocument gpu) => $"GPU {gpu.Index} ({gpu.Name})";

    /// <summary>Of the processes, as far as the driver tells, which of partitions it does not; then what a place did is what its only user did.</summary>
    private static int? PercentOf(Place place)
    {
        if (place.Own.Exists(c => c.GpuPercent > 0)) return place.Own.Sum(c => c.GpuPercent ?? 0);
        if (place.Own.TrueForAll(c => c.GpuPercent is 0)) return 0;
        if (!place.IsAlone) return null;
        var now = place.Gpu.Now!;
        var engine = place.Instance is { } instance ? now.Instances.FirstOrDefault(i => i.Id == instance)?.Activity?.Engine : now.Activity?.Engine;
        // However little it is, it is work.
        return engine is { } share ? (int)Math.Ceiling(share * 100) : place.Instance is null ? now.GpuPercent : null;
    }

    /// <summary>Null where nothing is told of any, or work of one may be hidden behind what is not told.</summary>
    private static int? Sum(IEnumerable<int?> percents)
    {
        List<int?> all = [.. percents];
        return all.Count > 0 && (all.Exists(p => p > 0) || all.TrueForAll(p => p is not null)) ? all.Sum(p => p ?? 0) : null;
    }

    /// <param name="Instance">Of MIG; null: the whole card.</param>
    /// <param name="IsAlone">Nobody else is there.</param>
    private sealed record Place(GpuDocument Gpu, int? Instance, List<GpuClientDocument> Own, bool IsAlone);
}
