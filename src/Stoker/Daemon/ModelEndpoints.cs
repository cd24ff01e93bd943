using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Models;
using Stoker.Planning;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>The models of the plan that is being carried out. They are loaded and unloaded by starting and stopping their services.</summary>
internal static class ModelEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, RunningDaemon daemon) =>
        routes.MapGet(ControlRoutes.Models, context => ControlServer.AnswerAsync(
            context, Document(daemon.Options.Estate, daemon.Plan, daemon.Doors.Board.Statuses), ControlJson.Readable.ModelsDocument));

    /// <param name="plan">Null: nothing has been applied yet.</param>
    public static ModelsDocument Document(string estate, EstatePlan? plan, IReadOnlyDictionary<ServiceName, ServiceStatus> statuses) =>
        new(estate, plan is null ? [] : [.. ModelPlan.Of(plan).Select(model => Document(model, plan, statuses))]);

    private static ModelDocument Document(ModelPlan model, EstatePlan plan, IReadOnlyDictionary<ServiceName, ServiceStatus> statuses)
    {
        var status = model.Service is { } service ? statuses.GetValueOrDefault(service) : null;
        return new ModelDocument(model.Key, model.Name, ModelKeys.Engines[(int)model.Engine], StateOf(model, status))
        {
            Aliases = model.Aliases,
            Loaded = status?.Replicas.Count(r => r.State is ServiceState.Healthy or ServiceState.Running) ?? 0,
            Replicas = model.Replicas.Count,
            Urls = [.. model.Replicas.Select(r => r.Url)],
            ContextSize = model.ContextSize,
            Gpus = model.Service is { } name ? plan.Services[name].Gpus : [],
            Load = model.Load.Policy == LoadPolicy.OnRequest ? "on_request" : "start",
            StandIn = status?.StandIn ?? model.StandIn,
            Reason = status?.Reason,
        };
    }

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
