using Stoker.Models;
using Stoker.Planning;

namespace Stoker.Gateway;

/// <summary>From the estate's plan to what the gateway's process is to do. Pure.</summary>
internal static class GatewayPlanner
{
    /// <summary>Null: the estate has no gateway, or it is another host's.</summary>
    public static GatewayPlan? Of(EstatePlan plan)
    {
        if (plan.Estate.Part<GatewaySpec>() is not { } spec || plan.Services.GetValueOrDefault(GatewaySpec.Service) is not { IsLocal: true }) return null;
        var models = ModelPlan.Of(plan);
        return new GatewayPlan(plan.Estate.Name, [.. spec.Listen.Select(l => l.Value.ToString())], spec.RequiresKeys)
        {
            Routes = [.. models.Select(m => RouteOf(m, models, spec))],
            CorsOrigins = spec.CorsOrigins,
            MaxBody = spec.MaxBody.Bytes,
            Times = spec.Times,
            LedgerDays = (int)Math.Ceiling(spec.KeepLedger.TotalDays),
            LogDecisions = spec.LogDecisions,
            Limits = spec.Limits,
        };
    }

    private static RoutePlan RouteOf(ModelPlan model, IReadOnlyList<ModelPlan> models, GatewaySpec spec) => new(model.Name, ModelKeys.Engines[(int)model.Engine])
    {
        Aliases = model.Aliases,
        UpstreamNames = model.UpstreamNames,
        Service = model.Service?.Value,
        Replicas = [.. ReplicasOf(model, null), .. models.Where(m => m.CanaryOf == model.Name).SelectMany(c => ReplicasOf(c, c.CanaryShare / Math.Max(1, c.Replicas.Count)))],
        ContextSize = model.ContextSize,
        MaxConcurrency = model.MaxConcurrency,
        Fallbacks = model.Fallbacks,
        SessionHeader = spec.SessionHeader,
        LoadsOnRequest = model.Load.Policy == LoadPolicy.OnRequest,
        LoadTimeout = (long)model.Load.Timeout.TotalMilliseconds,
        UnloadAfter = (long?)model.UnloadAfter?.TotalMilliseconds,
        KeyFile = model.ApiKey?.File,
        KeyVariable = model.ApiKey?.EnvironmentVariable,
        Connect = (long?)model.Timeouts.Connect?.TotalMilliseconds,
        FirstByte = (long?)model.Timeouts.FirstByte?.TotalMilliseconds,
        BetweenChunks = (long?)model.Timeouts.BetweenChunks?.TotalMilliseconds,
        Total = (long?)model.Timeouts.Total?.TotalMilliseconds,
        StandIn = model.StandIn,
    };

    private static IEnumerable<ReplicaAddress> ReplicasOf(ModelPlan model, double? share) => model.Replicas.Select(r => new ReplicaAddress(model.Key, r.Index, r.Address, r.Port)
    {
        Path = r.Path,
        Tls = r.Tls,
        Weight = r.Weight,
        CanaryShare = share,
        UpstreamNames = share is null ? null : model.UpstreamNames,
    });
}
