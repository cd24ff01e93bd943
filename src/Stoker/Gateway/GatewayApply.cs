using Stoker.Keys;
using Stoker.Planning;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>What the daemon does for the gateway at each apply, before anything starts.</summary>
internal static class GatewayApply
{
    /// <summary>This host's gateway asks for keys that are kept here.</summary>
    public static bool NeedsKeys(EstatePlan plan) => GatewayPlanner.Of(plan) is not null;

    /// <summary>The keys that the file declares for the gateway; where that is another host's, those of them that are for streams.</summary>
    public static IReadOnlyList<DeclaredKeySpec> DeclaredKeys(EstatePlan plan) =>
        [.. (plan.Estate.Part<GatewaySpec>()?.Keys ?? []).Where(key => NeedsKeys(plan) || key.Terms.Has(KeyScopes.Ingest))];

    /// <summary>The gateway reads it at its start, and again whenever it changes.</summary>
    public static void WritePlan(EstatePlan plan, string directory)
    {
        if (GatewayPlanner.Of(plan) is not { } gateway) return;
        var (path, json) = (Path.Combine(directory, GatewayProcess.PlanFile), gateway.ToJson());
        if (Files.ReadIfPresent(path) is { } known && known.AsSpan().SequenceEqual(json)) return;
        Files.Replace(path, json);
    }
}
