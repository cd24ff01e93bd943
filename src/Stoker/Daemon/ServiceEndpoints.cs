using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>Requests about one service. Each answers when it is accepted, not when it is done.</summary>
internal static class ServiceEndpoints
{
    public static void Map(ControlTable routes, RunningDaemon daemon)
    {
        var supervisor = daemon.Supervisor;
        MapPost(routes, "start", name => supervisor.Start(name));
        MapPost(routes, "stop", name => supervisor.Stop(name));
        MapPost(routes, "restart", name => supervisor.Restart(name));
        MapPost(routes, "reload", name => supervisor.Reload(name));
        routes.Post($"{ControlRoutes.Services}/{{name}}/scale", exchange => ScaleAsync(exchange, daemon));
        routes.Post($"{ControlRoutes.Services}/{{name}}/probe", exchange => ProbeAsync(exchange, daemon));
        routes.Get($"{ControlRoutes.Services}/{{name}}/why", exchange => WhyAsync(exchange, daemon));
    }

    private static void MapPost(ControlTable routes, string action, Func<ServiceName, RequestOutcome> ask) =>
        routes.Post($"{ControlRoutes.Services}/{{name}}/{action}", exchange => AnswerAsync(exchange, ask(NameIn(exchange))));

    private static ServiceName NameIn(ControlExchange exchange) => new(exchange.Name);

    private static Task AnswerAsync(ControlExchange exchange, RequestOutcome outcome) => outcome switch
    {
        RequestOutcome.Accepted => DaemonEndpoints.AcceptAsync(exchange),
        RequestOutcome.UnknownService unknown => exchange.AnswerAsync(404, ErrorCodes.UnknownService, $"there is no service `{NameIn(exchange)}` on this host", unknown.Suggestion),
        RequestOutcome.Refused refused => exchange.AnswerAsync(409, ErrorCodes.Refused, refused.Why, refused.Hint),
        _ => throw new InvalidOperationException($"unknown outcome {outcome.GetType().Name}"),
    };

    private static async Task ScaleAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        if (await exchange.ReadAsync(ControlJson.Readable.ScaleRequest) is not { } request) return;
        if (request.Replicas is < 0 or > 10_000)
            await exchange.AnswerAsync(422, ErrorCodes.Invalid, $"a service has 0 to 10000 replicas, not {request.Replicas}");
        else
            await AnswerAsync(exchange, await daemon.ScaleAsync(NameIn(exchange), request.Replicas));
    }

    private static async Task ProbeAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        var name = NameIn(exchange);
        if (await daemon.Supervisor.ProbeAsync(name, exchange.Left) is not { } answers)
        {
            await AnswerAsync(exchange, daemon.Supervisor.Unknown(name));
            return;
        }

        var document = new ProbeDocument(name.Value, [.. answers.Select(a => new ProbeAnswer(a.Replica, a.Outcome, a.Detail, a.Took.TotalMilliseconds, a.Kind))]);
        await exchange.AnswerAsync(document, ControlJson.Readable.ProbeDocument);
    }

    private static async Task WhyAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        var name = NameIn(exchange);
        var statuses = daemon.Doors.Board.Statuses;
        if (!statuses.TryGetValue(name, out var status))
        {
            await AnswerAsync(exchange, daemon.Supervisor.Unknown(name));
            return;
        }

        var steps = Why.Explain(name, statuses, daemon.Doors.Journal.After(0).Lines, HolderOf, daemon.Doors.Clock.GetUtcNow());
        var document = new WhyDocument(name.Value, status.State, [.. steps.Select(s => new WhyLink(s.Text, s.Service.Value, s.At))]);
        await exchange.AnswerAsync(document, ControlJson.Readable.WhyDocument);
    }

    private static string? HolderOf(int port)
    {
        var sockets = SocketTable.Listening().Where(s => s.Port == port).ToList();
        var holders = SocketTable.Holders(sockets.Select(s => s.Inode).ToHashSet());
        return holders.Count == 0 ? null : $"pid {holders.Values.First().Pid}, {holders.Values.First().Command}";
    }
}
