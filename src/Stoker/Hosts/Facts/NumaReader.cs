namespace Stoker.Hosts.Facts;

/// <summary>Which processors and how much memory are near to each other: <c>/sys/devices/system/node</c>.</summary>
internal static class NumaReader
{
    private const string Place = "/sys/devices/system/node";

    public static IReadOnlyList<NumaNode> Read(FactSource source)
    {
        var nodes = new List<NumaNode>();
        foreach (var name in source.List(Place))
        {
            if (TextFields.Index(name, "node") is not { } index) continue;
            var distances = source.Text($"{Place}/{name}/distance")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            nodes.Add(new NumaNode(index, source.Text($"{Place}/{name}/cpulist") ?? "", Memory(source, name), [.. distances.Select(d => int.TryParse(d, out var distance) ? distance : 0)]));
        }

        if (nodes.Count == 0) source.Note("numa", "the kernel knows no nodes");
        return [.. nodes.OrderBy(n => n.Node)];
    }

    /// <summary><c>Node 0 MemTotal:       24682416 kB</c></summary>
    private static long? Memory(FactSource source, string node)
    {
        foreach (var line in (source.Text($"{Place}/{node}/meminfo") ?? "").Split('\n'))
        {
            var colon = line.IndexOf("MemTotal:", StringComparison.Ordinal);
            if (colon >= 0) return TextFields.Kibibytes(line[(colon + 9)..].Trim());
        }

        return null;
    }
}
