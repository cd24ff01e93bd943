using Stoker.Daemon.Protocol;
using Stoker.Platform;

namespace Stoker.Daemon;

/// <summary>Requests about the estate as a whole and about the daemon itself.</summary>
internal static class DaemonEndpoints
{
    public static void Map(ControlTable routes, RunningDaemon daemon)
    {
        routes.Get(ControlRoutes.Daemon, exchange => exchange.AnswerAsync(StartDocuments.Write(Document(daemon))));
        routes.Get(ControlRoutes.Apply, exchange => FirstAsync(exchange, daemon));
        routes.Post(ControlRoutes.Apply, exchange => ApplyAsync(exchange, daemon, dryRun: false));
        routes.Post(ControlRoutes.Plan, exchange => ApplyAsync(exchange, daemon, dryRun: true));
        routes.Post(ControlRoutes.Down, async exchange =>
        {
            _ = await daemon.DownAsync("asked to");
            await AcceptAsync(exchange);
        });
        routes.Post(ControlRoutes.DaemonStop, exchange => StopAsync(exchange, daemon));
        routes.Post(ControlRoutes.DaemonUpgrade, exchange => UpgradeAsync(exchange, daemon));
    }

    public static DaemonDocument Document(RunningDaemon daemon) => new(
        HostEnvironment.ProcessId,
        ProgramVersion.Text,
        daemon.Options.Estate,
        daemon.Plan?.Host?.Value,
        daemon.Since,
        $"unix:{daemon.Options.State.ControlSocket}",
        daemon.Options.State.Path,
        daemon.Request?.Rehearse ?? false,
        daemon.Request?.Files ?? []);

    public static Task AcceptAsync(ControlExchange exchange) => exchange.AnswerAsync(new AcceptedDocument(true), ControlJson.Readable.AcceptedDocument);

    private static async Task FirstAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        if (await daemon.First is { } response) await exchange.AnswerAsync(StartDocuments.Write(response));
        else await exchange.AnswerAsync(404, ErrorCodes.UnknownPath, "the daemon was started without a wish");
    }

    private static async Task ApplyAsync(ControlExchange exchange, RunningDaemon daemon, bool dryRun)
    {
        if (await exchange.ReadAsync(ControlJson.Readable.ApplyRequest) is not { } request) return;
        if (await daemon.ApplyAsync(request, dryRun) is { } response) await exchange.AnswerAsync(StartDocuments.Write(response));
        else await exchange.AnswerAsync(409, ErrorCodes.Refused, "the daemon is about to end", "once more starts another one");
    }

    private static async Task StopAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        if (await exchange.ReadAsync(ControlJson.Readable.DaemonStopRequest) is not { } request) return;
        switch (request.Services)
        {
            case DaemonStopRequest.Stop:
                _ = await daemon.DownAsync("the daemon was asked to stop with its services");
                break;
            case DaemonStopRequest.Keep:
                daemon.Ending.TrySetResult(new DaemonEnd.LetGo());
                break;
            case DaemonStopRequest.Kill:
                _ = await daemon.DownAsync("the daemon was asked to kill its services");
                daemon.Supervisor.KillAll();
                break;
            default:
                await exchange.AnswerAsync(422, ErrorCodes.Invalid, $"`services` is `keep`, `stop` or `kill`, not `{request.Services}`");
                return;
        }

        await AcceptAsync(exchange);
    }

    private static async Task UpgradeAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        if (await exchange.ReadAsync(ControlJson.Readable.DaemonUpgradeRequest) is not { } request) return;
        var executable = request.Executable ?? HostEnvironment.ExecutablePath;
        if (Executables.Find(executable, null, "/") is null)
        {
            await exchange.AnswerAsync(422, ErrorCodes.Invalid, $"`{executable}` is not a program that can be run");
            return;
        }

        await AcceptAsync(exchange);
        daemon.Ending.TrySetResult(new DaemonEnd.Replaced(executable));
    }
}
