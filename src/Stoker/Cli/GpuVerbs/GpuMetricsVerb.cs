using System.CommandLine;
using System.Net;
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
        }.With(listen).Does(run => run.Get(listen) is { } text ? Serve(run, Address(text)!) : Print(run));
    }

    private static ExitCode Print(Invocation run)
    {
        var gpus = GpuSource.Look(run);
        run.Output.Write(GpuMetricsPage.Write(gpus, HostEnvironment.HostName));
        foreach (var problem in gpus.Problems) run.Report.Error(problem);
        return gpus.Problems.Count == 0 ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    private static ExitCode Serve(Invocation run, IPEndPoint address)
    {
        using var interrupts = run.World.Interrupts();
        using var local = new LocalGpus(run);
        try
        {
            using var server = new GpuMetricsServer(address, async () => GpuMetricsPage.Write(await LookAsync(run, local), HostEnvironment.HostName), run.Report.Say);
            run.Report.Say($"the GPUs' metrics are at http://{server.Address}/metrics");
            interrupts.First.WaitHandle.WaitOne();
            return ExitCode.Interrupted;
        }
        catch (IOException refused)
        {
            run.Report.Error(refused.Message, "another exporter may have the port: choose another one");
            return ExitCode.NotAsItShouldBe;
        }
    }

    private static async Task<GpusDocument> LookAsync(Invocation run, LocalGpus local) =>
        run.Quiet().State is { } state && run.World.Control(state).Gpus() is Daemon.Protocol.ControlReply<GpusDocument>.Answered { Document: var answered } ? answered : await local.LookAsync();

    private static IPEndPoint? Address(string text) => IPEndPoint.TryParse(text, out var address) && IPAddress.IsLoopback(address.Address) && text.Contains(':', StringComparison.Ordinal) ? address : null;
}
