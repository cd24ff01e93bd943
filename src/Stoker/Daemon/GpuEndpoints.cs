using System.Text.Json;
using Stoker.Daemon.Protocol;
using Stoker.Gpus;
using Stoker.Platform;

namespace Stoker.Daemon;

/// <summary>The GPUs: how they are, each second for whom follows; whose memory is whose; and what a simulated one is to suffer.</summary>
internal static class GpuEndpoints
{
    public static void Map(ControlTable routes, RunningDaemon daemon)
    {
        routes.Get(ControlRoutes.Gpus, exchange => AnswerAsync(exchange, daemon));
        routes.Get(ControlRoutes.GpuLedger, async exchange => await exchange.AnswerAsync(daemon.Gpus.LedgerOf(await daemon.Gpus.ReadAsync()), GpuJson.Readable.LedgerDocument));
        routes.Get(ControlRoutes.GpuMetrics, exchange => MetricsAsync(exchange, daemon));
        routes.Post(ControlRoutes.GpuSimulate, exchange => SimulateAsync(exchange, daemon));
    }

    private static async Task AnswerAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        if (exchange.Query("follow") != "true")
        {
            await exchange.AnswerAsync(await daemon.Gpus.ReadAsync(), GpuJson.Readable.GpusDocument);
            return;
        }

        exchange.BeginStream();
        while (!exchange.Left.IsCancellationRequested)
        {
            await exchange.WriteLineAsync(JsonSerializer.SerializeToUtf8Bytes(await daemon.Gpus.ReadAsync(), GpuJson.Readable.GpusDocument));
            await exchange.FlushAsync();
            await Task.Delay(GpusModule.Pace, daemon.Doors.Clock, exchange.Left);
        }
    }

    private static async Task MetricsAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        using var page = GpuMetricsPage.Write(await daemon.Gpus.ReadAsync(), HostEnvironment.HostName);
        await exchange.AnswerTextAsync(page.Memory);
    }

    private static async Task SimulateAsync(ControlExchange exchange, RunningDaemon daemon)
    {
        if (await exchange.ReadAsync(GpuJson.Readable.GpuSimulationRequest) is not { } request) return;
        if (request.Load is < 0 or > 1 || request.Cooling is < 0 or > 1 || request.Xid is < 1 or > 1000 || request.Work is < 0 or > 60)
            await exchange.AnswerAsync(422, ErrorCodes.Invalid, "load and cooling are from 0 to 1, an Xid from 1 to 1000, work lasts from 0 to 60 seconds");
        else if (daemon.Gpus.Simulate(request) is { } refusal)
            await exchange.AnswerAsync(409, ErrorCodes.Refused, refusal, "only cards that a rehearsal simulates can be made to fail");
        else
            await DaemonEndpoints.AcceptAsync(exchange);
    }
}
