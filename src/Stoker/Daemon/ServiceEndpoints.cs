using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>Requests about one service. Each answers when it is accepted, not when it is done.</summary>
internal static class ServiceEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, RunningDaemon daemon)
    {
        var supervisor = daemon.Supervisor;
        MapPost(routes, "start", name => supervisor.Start(name));
        MapPost(routes, "stop", name => supervisor.Stop(name));
        MapPost(routes, "restart", name => supervisor.Restart(name));
        MapPost(routes, "reload", name => supervisor.Reload(name));
        routes.MapPost($"{ControlRoutes.Services}/{{name}}/scale", context => ScaleAsync(context, daemon));
        routes.MapPost($"{ControlRoutes.Services}/{{name}}/probe", context => ProbeAsync(context, daemon));
        routes.MapGet($"{ControlRoutes.Services}/{{name}}/why", context => WhyAsync(context, daemon));
    }

    private static void MapPost(IEndpointRouteBuilder routes, string action, Func<ServiceName, RequestOutcome> ask) =>
        routes.MapPost($"{ControlRoutes.Services}/{{name}}/{action}", context => AnswerAsync(context, ask(NameIn(context))));

    private static ServiceName NameIn(HttpContext context) => new((string)context.Request.RouteValues["name"]!);

    private static Task AnswerAsync(HttpContext context, RequestOutcome outcome) => outcome switch
    {
        RequestOutcome.Accepted => DaemonEndpoints.AcceptAsync(context),
        RequestOutcome.UnknownService unknown => ControlServer.AnswerAsync(context, 404, ErrorCodes.UnknownService, $"there is no service `{NameIn(context)}` on this host", unknown.Suggestion),
        RequestOutcome.Refused refused => ControlServer.AnswerAsync(context, 409, ErrorCodes.Refused, refused.Why, refused.Hint),
        _ => throw new InvalidOperationException($"unknown outcome {outcome.GetType().Name}"),
    };

    private static async Task ScaleAsync(HttpContext context, RunningDaemon daemon)
    {
        if (await ControlServer.ReadAsync(context, ControlJson.Readable.ScaleRequest) is not { } request) return;
        if (request.Replicas is < 0 or > 10_000)
            await ControlServer.AnswerAsync(context, 422, ErrorCodes.Invalid, $"a service has 0 to 10000 replicas, not {request.Replicas}");
        else
            await AnswerAsync(context, daemon.Scale(NameIn(context), request.Replicas));
    }

    private static async Task ProbeAsync(HttpContext context, RunningDaemon daemon)
    {
        var name = NameIn(context);
        if (await daemon.Supervisor.ProbeAsync(name, context.RequestAborted) is not { } answers)
        {
            await AnswerAsync(context, daemon.Supervisor.Unknown(name));
            return;
        }

        var document = new ProbeDocument(name.Value, [.. answers.Select(a => new ProbeAnswer(a.Replica, a.Outcome, a.Detail, a.Took.TotalMilliseconds, a.Kind))]);
        await ControlServer.AnswerAsync(context, document, ControlJson.Readable.ProbeDocument);
    }

    private static async Task WhyAsync(HttpContext context, RunningDaemon daemon)
    {
        var name = NameIn(context);
        var statuses = daemon.Doors.Board.Statuses;
        if (!statuses.TryGetValue(name, out var status))
        {
            await AnswerAsync(context, daemon.Supervisor.Unknown(name));
            return;
        }

        var steps = Why.Explain(name, statuses, daemon.Doors.Journal.After(0).Lines, HolderOf, daemon.Doors.Clock.GetUtcNow());
        var document = new WhyDocument(name.Value, status.State, [.. steps.Select(s => new WhyLink(s.Text, s.Service.Value, s.At))]);
        await ControlServer.AnswerAsync(context, document, ControlJson.Readable.WhyDocument);
    }

    private static string? HolderOf(int port)
    {
        var sockets = SocketTable.Listening().Where(s => s.Port == port).ToList();
        var holders = SocketTable.Holders(sockets.Select(s => s.Inode).ToHashSet());
        return holders.Count == 0 ? null : $"pid {holders.Values.First().Pid}, {holders.Values.First().Command}";
    }
}
