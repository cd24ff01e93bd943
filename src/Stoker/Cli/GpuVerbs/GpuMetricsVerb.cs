using System.CommandLine;
using System.Net;
using System.Text;
using Stoker.Daemon.Protocol;
using Stoker.Gpus;
using Stoker.Platform;

namespace Stoker.Cli.GpuVerbs;

internal static class GpuMetricsVerb
{
    public static Verb Create()
    {
        var listen = Parameters.Text("--listen", "ADDRESS:PORT", "serve it at http://ADDRESS:PORT/metrics, of this machine, until ended; 127.0.0.1:9400 is where dashboards look");
        listen.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && Address(text) is null) result.AddError($"`{text}` is not a loopback address with a port, as in 127.0.0.1:9400");
        });
        return new Verb("metrics", "the GPUs in Prometheus' text format, by the names and labels of dcgm-exporter, with the services on each")
        {
            Example = "stoker gpu metrics --listen 127.0.0.1:9400",
            Remarks =
            [
                "Sampled each second. As a service of the estate: `command: stoker gpu metrics --listen 127.0.0.1:9400`. Only loopback addresses are listened on: the page tells what runs here.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.Interrupted],
        }.With(listen).Does(run => run.Get(listen) is { } text ? ServeAsync(run, Address(text)!) : PrintAsync(run));
    }

    private static async Task<ExitCode> PrintAsync(Invocation run)
    {
        using var local = new LocalGpus(run);
        var answer = await PageAsync(run, local);
        var text = Encoding.UTF8.GetString(answer.Text.Span);
        if (answer.Status == 200)
        {
            run.Output.Write(text);
            return ExitCode.Done;
        }

        run.Report.Error(text.TrimEnd());
        return ExitCode.NotAsItShouldBe;
    }

    private static async Task<ExitCode> ServeAsync(Invocation run, IPEndPoint address)
    {
        using var interrupts = run.World.Interrupts();
        using var local = new LocalGpus(run);
        try
        {
            using var server = new GpuMetricsServer(address, () => PageAsync(run, local), run.Report.Say);
            run.Report.Say($"the GPUs' metrics are at http://{server.Address}/metrics");
            await Task.Delay(Timeout.InfiniteTimeSpan, interrupts.First).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return ExitCode.Interrupted;
        }
        catch (IOException refused)
        {
            run.Report.Error(refused.Message, "another exporter may have the port: choose another one");
            return ExitCode.NotAsItShouldBe;
        }
    }

    private static async Task<MetricsAnswer> PageAsync(Invocation run, LocalGpus local)
    {
        if (run.Quiet().State is { } state && run.World.Control(state).GpuMetrics() is ControlReply<ReadOnlyMemory<byte>>.Answered { Document: var page }) return new MetricsAnswer(200, page);
        var seen = await local.LookAsync();
        // A page without cards would say that there are none.
        return seen.Gpus.Count == 0 && seen.Problems.Count > 0
            ? new MetricsAnswer(503, Encoding.UTF8.GetBytes($"{string.Join("; ", seen.Problems)}\n"))
            : new MetricsAnswer(200, GpuMetricsPage.Bytes(seen, HostEnvironment.HostName));
    }

    private static IPEndPoint? Address(string text) =>
        IPEndPoint.TryParse(text, out var address) && IPAddress.IsLoopback(address.Address) && text.Contains(':', StringComparison.Ordinal) ? address : null;
}
