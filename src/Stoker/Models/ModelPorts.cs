using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Models;

/// <summary>
/// Gives each model that declares no <c>port</c> a block of twenty, from 8100 to 8899. Which one follows from its key, not from its place
/// in the file, so that a model that is added or taken away does not restart the others.
/// </summary>
internal static class ModelPorts
{
    public const int First = 8100, Last = 8899, Block = 20;

    private const int Blocks = (Last - First + 1) / Block;

    /// <returns>The first port of each supervised model, by its key; a model without one was reported.</returns>
    public static IReadOnlyDictionary<string, int> Of(IReadOnlyList<ModelSpec> models, IEnumerable<ServiceSpec> services, DiagnosticBag bag)
    {
        var supervised = models.Where(m => m.IsSupervised).ToList();
        var ports = new Dictionary<string, int>();
        var taken = TakenBlocks(services);
        foreach (var model in supervised)
        {
            if (model.Port is not { } port) continue;
            if (ports.FirstOrDefault(p => p.Value == port.Value) is { Key: { } other })
                bag.Add(ModelDiagnostics.PortTaken, port.Where, $"model `{model.Key}` has port {port.Value}, which model `{other}` has too", "leave `port` out: each model gets its own");
            ports[model.Key] = port.Value;
            Take(taken, port.Value, port.Value + Block - 1);
        }

        foreach (var model in supervised.Where(m => m.Port is null))
        {
            if (Free(taken, model.Key) is not { } block)
            {
                bag.Add(ModelDiagnostics.NoPortLeft, model.Where, $"model `{model.Key}` gets no port: all from {First} to {Last} are given out", "give it a `port`");
                continue;
            }

            taken.Add(block);
            ports[model.Key] = First + (block * Block);
        }

        return ports;
    }

    private static HashSet<int> TakenBlocks(IEnumerable<ServiceSpec> services)
    {
        var taken = new HashSet<int>();
        foreach (var service in services)
        {
            foreach (var port in service.Ports)
            {
                if (port.Published is { } first) Take(taken, first, port.PublishedEnd ?? (first + service.Replicas - 1));
            }
        }

        return taken;
    }

    private static void Take(HashSet<int> taken, int first, int last)
    {
        for (var block = Math.Max(0, (first - First) / Block); block < Blocks && First + (block * Block) <= last; block++)
        {
            if (first <= First + (block * Block) + Block - 1) taken.Add(block);
        }
    }

    private static int? Free(HashSet<int> taken, string key)
    {
        // FNV-1a: the same on every machine and in every version.
        var hash = 2166136261u;
        foreach (var letter in key) hash = (hash ^ letter) * 16777619u;
        for (var i = 0u; i < Blocks; i++)
        {
            var block = (int)((hash + i) % Blocks);
            if (!taken.Contains(block)) return block;
        }

        return null;
    }
}
