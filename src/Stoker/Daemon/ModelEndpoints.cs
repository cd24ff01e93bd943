using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Gateway;
using Stoker.Models;
using Stoker.Planning;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>The models of the plan that is being carried out. They are loaded and unloaded by starting and stopping their services.</summary>
internal static class ModelEndpoints
{
    public static void Map(ControlTable routes, RunningDaemon daemon) =>
        routes.Get(ControlRoutes.Models, async exchange =>
        {
            var plan = daemon.Plan;
            var gateway = plan is not null && GatewayPlanner.Of(plan) is not null ? await GatewayStatus.AskAsync(daemon.Options.State, exchange.Left) : null;
            await exchange.AnswerAsync(Document(daemon.Options.Estate, plan, daemon.Doors.Board.Statuses, gateway), ControlJson.Readable.ModelsDocument);
        });

    /// <param name="plan">Null: nothing has been applied yet.</param>
    /// <param name="gateway">Null: none answers.</param>
    public static ModelsDocument Document(string estate, EstatePlan? plan, IReadOnlyDictionary<ServiceName, ServiceStatus> statuses, GatewayStatus? gateway) =>
        new(estate, plan is null ? [] : [.. ModelPlan.Of(plan).Select(model => Document(model, plan, statuses, gateway))]);

    private static ModelDocument Document(ModelPlan model, EstatePlan plan, IReadOnlyDictionary<ServiceName, ServiceStatus> statuses, GatewayStatus? gateway)
    {
        var servers = model.Replicas.Select(replica => Server(model, replica, statuses, gateway)).ToList();
        var status = model.Service is { } service ? statuses.GetValueOrDefault(service) : null;
        return new ModelDocument(model.Key, model.Name, ModelKeys.Engines[(int)model.Engine], StateOf(model, status))
        {
            Aliases = model.Aliases,
            Loaded = status?.Replicas.Count(r => IsLoaded(r.State)) ?? 0,
            Replicas = model.Replicas.Count,
            Servers = servers,
            InFlight = gateway is null ? null : servers.Sum(s => s.InFlight ?? 0),
            Waiting = gateway?.Models.FirstOrDefault(m => m.Name == model.Name)?.Waiting,
            UpstreamName = model.UpstreamNames[0],
            KeyFile = model.ApiKey?.File,
            KeyVariable = model.ApiKey?.EnvironmentVariable,
            Floor = model.Floor,
            ContextSize = model.ContextSize,
            Gpus = model.Service is { } name ? plan.Services[name].Gpus : [],
            Load = model.Load.Policy == LoadPolicy.OnRequest ? "on_request" : "start",
            StandIn = status?.StandIn ?? model.StandIn,
            Reason = status?.Reason,
        };
    }

    private static ModelServer Server(ModelPlan model, ModelReplica replica, IReadOnlyDictionary<ServiceName, ServiceStatus> statuses, GatewayStatus? gateway)
    {
        var status = model.Service is { } service ? statuses.GetValueOrDefault(service) : null;
        // Of another host's replicas only the service as a whole is known.
        var state = status?.Replicas.FirstOrDefault(r => r.Index == replica.Index)?.State ?? status?.State;
        var routed = gateway?.Models.SelectMany(m => m.Replicas.Where(r => r.Service == model.Key && r.Index == replica.Index).Select(r => (Own: m.Name == model.Name, Replica: r))).ToList() ?? [];
        // A canary works for two models; what is thought of it is told by its own.
        var own = routed.Where(r => r.Own).Select(r => r.Replica).FirstOrDefault();
        return new ModelServer(replica.Index, replica.Url, model.Service is null ? null : state is { } known && IsLoaded(known))
        {
            InFlight = gateway is null ? null : routed.Sum(r => r.Replica.InFlight),
            Mode = own?.Mode,
            Health = own?.Health,
        };
    }

    private static bool IsLoaded(ServiceState state) => state is ServiceState.Healthy or ServiceState.Running;

    /// <summary>A model with a healthcheck is loaded when it is healthy; one whose healthcheck the owner took away, when it is alive.</summary>
    private static string StateOf(ModelPlan model, ServiceStatus? status) => model.Service is null ? "elsewhere" : (status?.State ?? ServiceState.Waiting) switch
    {
        ServiceState.Waiting or ServiceState.Starting => "loading",
        ServiceState.Healthy or ServiceState.Running => "loaded",
        ServiceState.Stopping => "unloading",
        ServiceState.Stopped or ServiceState.Completed => "unloaded",
        ServiceState.Unhealthy or ServiceState.Backoff or ServiceState.Failed => "failed",
    };
}
