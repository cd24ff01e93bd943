using Stoker.Keys;
using Stoker.Planning;
using Stoker.Platform;

namespace Stoker.Streams;

/// <summary>What the daemon does for this host's streams at each apply, before anything starts.</summary>
internal static class StreamApply
{
    /// <summary>A stream of this host asks for keys, which are kept here.</summary>
    public static bool NeedsKeys(EstatePlan plan) => StreamPlan.Local(plan).Any(stream => stream.RequiresKeys);

    /// <summary>The keys that the file declares for single streams of this host.</summary>
    public static IReadOnlyList<DeclaredKeySpec> DeclaredKeys(EstatePlan plan) =>
        [.. StreamPlan.Local(plan).Where(stream => stream.RequiresKeys).SelectMany(stream => stream.Keys)];

    /// <summary>Writes the plans for the streams' processes, which read them at their start.</summary>
    /// <exception cref="IOException"/>
    public static void WritePlans(EstatePlan plan, string state)
    {
        foreach (var stream in StreamPlan.Of(plan))
        {
            var (path, json) = (StreamPlan.FileOf(state, stream.Name), stream.ToJson());
            Files.CreateDirectory(Path.GetDirectoryName(path)!);
            if (Files.ReadIfPresent(path) is not { } known || !known.AsSpan().SequenceEqual(json)) Files.Replace(path, json);
        }
    }
}
