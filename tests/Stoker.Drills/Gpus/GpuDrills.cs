using System.Diagnostics;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Gpus;

/// <summary>The daemon as it runs, on simulated cards, and on those of a management library that stands in for the driver's: what happens to that is written into a file.</summary>
public sealed class GpuDrills : IDisposable
{
    private Machine? _machine;
    private StandInDriver? _driver;

    [Fact]
    public void A_simulated_card_falls_off_the_bus_and_why_says_so()
    {
        _machine = new Machine("""
            name: falling
            hosts:
              box: {gpus: [{model: NVIDIA GeForce RTX 4090, memory: 24GiB}]}
            services:
              vision: {command: no-such-program, gpu: {memory: 6GiB, share: mps}}
              speech: {command: no-such-program, gpu: {memory: 4GiB, share: mps}}
              other: {command: no-such-program}
            """).Up("--rehearse");
        _machine.Until("the services are on the card", () => Clients().Count == 2);
        var gpu = Gpus()[0]!;
        Assert.True((bool)gpu["simulated"]!);
        Assert.Equal(["speech", "vision"], gpu["services"]!.AsArray().Select(s => (string)s!));
        Assert.Equal(0, _machine.Run("gpu", "ledger").Code);
        Assert.Contains("DCGM_FI_DEV_FB_USED{gpu=\"0\"", _machine.Run("gpu", "metrics").Succeeded().Output, StringComparison.Ordinal);

        _machine.Run("gpu", "simulate", "0", "--xid", "79").Succeeded();
        _machine.UntilState("vision", "stopped");
        _machine.UntilState("speech", "stopped");
        Assert.Contains("Xid 79 (GPU has fallen off the bus) on GPU 0 (NVIDIA GeForce RTX 4090, simulated)", _machine.Run("why", "vision").Succeeded().Output, StringComparison.Ordinal);
        _machine.Until("the loss is told", () => _machine.Run("gpu", "list").Output.Contains("GPU is lost", StringComparison.Ordinal));
        Assert.Equal("running", _machine.StateOf("other"));
    }

    [Fact]
    public void Through_the_drivers_library_processes_find_their_services_and_a_hang_does_not_reach_the_daemon()
    {
        _machine = new Machine("""
            name: driven
            hosts:
              box: {gpus: [{model: NVIDIA GeForce RTX 4090, memory: 24GiB}, {model: NVIDIA A100-SXM4-40GB}]}
            services:
              vision:
                command: sleep 1000
                gpu: {memory: 4GiB, share: mps}
                healthcheck: {gpu: {memory: ">2GiB"}, interval: 1s, start_interval: 300ms}
            """);
        _driver = new StandInDriver(_machine);
        using var up = _machine.Start("up", "-d");
        _machine.Until("the daemon is there", () => _machine.Run("status", "--json") is { Code: 0 } status && status.Json["services"]!.AsArray().Count == 2);
        _machine.Until("the probe finds no process", () => _machine.Service("vision")["replicas"]![0]!["last_probe"]?.ToString().Contains("no process of it is on GPU 0 (NVIDIA GeForce RTX 4090)", StringComparison.Ordinal) == true);

        using var stranger = Process.Start("/bin/sleep", "1000");
        try
        {
            _driver.Write($"process 0 {_machine.PidOf("vision")} {5L << 30}", $"process 0 {stranger.Id} {1L << 30}");
            _machine.UntilState("vision", "healthy");
            Assert.True(up.WaitForExit(TimeSpan.FromSeconds(30)));
            var ledger = _machine.Run("gpu", "ledger", "--json");
            Assert.Equal(1, ledger.Code);
            Assert.Equal(["over", "idle", "stranger"], ledger.Json["gpus"]![0]!["entries"]!.AsArray().Select(e => (string)e!["state"]!));
            Assert.Equal(["GPU-4090", "GPU-a100"], Gpus().Select(g => (string)g!["device"]!["uuid"]!));

            _driver.Write($"process 0 {_machine.PidOf("vision")} {5L << 30}", "hang");
            _machine.Until("the hang is told", () => _machine.Run("gpu", "list").Errors.Contains("the driver does not answer", StringComparison.Ordinal));
            _machine.Run("status").Succeeded();

            _driver.Write($"process 0 {_machine.PidOf("vision")} {5L << 30}");
            _machine.Until("the driver answers again", () => _machine.Run("gpu", "list").Code == 0);
            var before = _machine.PidOf("vision");
            _driver.Write($"process 0 {before} {5L << 30}", "xid 0 31");
            _machine.Until("the service was restarted for the fault", () => _machine.Service("vision")["pid"]?.GetValue<int>() is { } pid && pid != before);
            Assert.Contains("Xid 31 (GPU memory page fault)", _machine.Run("why", "vision").Succeeded().Output, StringComparison.Ordinal);
        }
        finally
        {
            stranger.Kill();
            stranger.WaitForExit();
        }
    }

    public void Dispose()
    {
        if (_machine is null) return;
        // Nothing may hang when everything is to end.
        _driver?.Write();
        _machine.Dispose();
    }

    private JsonArray Gpus() => JsonNode.Parse(_machine!.Run("gpu", "list", "--json").Output)!["gpus"]!.AsArray();

    private JsonArray Clients() => Gpus() is [{ } gpu, ..] ? gpu["clients"]!.AsArray() : [];
}
