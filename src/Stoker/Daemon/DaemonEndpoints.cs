using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoker.Daemon.Protocol;
using Stoker.Platform;

namespace Stoker.Daemon;

/// <summary>Requests about the estate as a whole and about the daemon itself.</summary>
internal static class DaemonEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, RunningDaemon daemon)
    {
        routes.MapGet(ControlRoutes.Daemon, context => ControlServer.AnswerAsync(context, Document(daemon), ControlJson.Readable.DaemonDocument));
        routes.MapPost(ControlRoutes.Apply, context => ApplyAsync(context, daemon, dryRun: false));
        routes.MapPost(ControlRoutes.Plan, context => ApplyAsync(context, daemon, dryRun: true));
        routes.MapPost(ControlRoutes.Down, async context =>
        {
            _ = await daemon.DownAsync("asked to");
            await AcceptAsync(context);
        });
        routes.MapPost(ControlRoutes.DaemonStop, context => StopAsync(context, daemon));
        routes.MapPost(ControlRoutes.DaemonUpgrade, context => UpgradeAsync(context, daemon));
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

    public static Task AcceptAsync(HttpContext context) => ControlServer.AnswerAsync(context, new AcceptedDocument(true), ControlJson.Readable.AcceptedDocument);

    private static async Task ApplyAsync(HttpContext context, RunningDaemon daemon, bool dryRun)
    {
        if (await ControlServer.ReadAsync(context, ControlJson.Readable.ApplyRequest) is not { } request) return;
        if (await daemon.ApplyAsync(request, dryRun) is { } response) await ControlServer.AnswerAsync(context, response, ControlJson.Readable.ApplyResponse);
        else await ControlServer.AnswerAsync(context, 409, ErrorCodes.Refused, "the daemon is about to end", "once more starts another one");
    }

    private static async Task StopAsync(HttpContext context, RunningDaemon daemon)
    {
        if (await ControlServer.ReadAsync(context, ControlJson.Readable.DaemonStopRequest) is not { } request) return;
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
                await ControlServer.AnswerAsync(context, 422, ErrorCodes.Invalid, $"`services` is `keep`, `stop` or `kill`, not `{request.Services}`");
                return;
        }

        await AcceptAsync(context);
    }

    private static async Task UpgradeAsync(HttpContext context, RunningDaemon daemon)
    {
        if (await ControlServer.ReadAsync(context, ControlJson.Readable.DaemonUpgradeRequest) is not { } request) return;
        var executable = request.Executable ?? HostEnvironment.ExecutablePath;
        if (Executables.Find(executable, null, "/") is null)
        {
            await ControlServer.AnswerAsync(context, 422, ErrorCodes.Invalid, $"`{executable}` is not a program that can be run");
            return;
        }

        await AcceptAsync(context);
        daemon.Ending.TrySetResult(new DaemonEnd.Replaced(executable));
    }
}
