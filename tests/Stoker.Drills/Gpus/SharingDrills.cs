using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Gpus;

/// <summary>One card for several services: by MPS with unequal shares, and what is done about one that takes more than it declared.</summary>
public sealed class SharingDrills : IDisposable
{
    private readonly Machine _machine = new("");
    private readonly StandInDriver _driver;

    public SharingDrills() => _driver = new StandInDriver(_machine);

    public void Dispose()
    {
        _driver.Write();
        _machine.Dispose();
    }

    [Fact]
    public void By_MPS_a_control_daemon_runs_as_a_service_beside_two_with_unequal_shares()
    {
        Declare("""
              llm: {<<: *client, gpu: {memory: 12GiB, share: mps}}
              vision: {<<: *client, gpu: {memory: 6GiB, share: mps}}
              web: {command: sleep 1000}
            """);
        _machine.Up();
        Assert.Equal("healthy", _machine.StateOf("gpu0-mps"));
        var daemon = Cuda("gpu0-mps");
        Assert.Equal("GPU-4090", daemon["CUDA_VISIBLE_DEVICES"]);
        Assert.Equal(("50", "0=12288M"), (Cuda("llm")["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"], Cuda("llm")["CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"]));
        Assert.Equal(("25", "0=6144M"), (Cuda("vision")["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"], Cuda("vision")["CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"]));
        Assert.Equal(daemon["CUDA_MPS_PIPE_DIRECTORY"], Cuda("llm")["CUDA_MPS_PIPE_DIRECTORY"]);
        Assert.Equal("Starting control daemon, devices GPU-4090\n", File.ReadAllText(Path.Combine(daemon["CUDA_MPS_LOG_DIRECTORY"], "control.log")));
        var (llm, vision, web) = (_machine.PidOf("llm"), _machine.PidOf("vision"), _machine.PidOf("web"));

        // What the server did for its clients ends with it.
        Machine.Kill(_machine.PidOf("gpu0-mps"));
        _machine.Until("its clients have started again", () => IsNew("llm", llm) && IsNew("vision", vision));
        _machine.UntilState("gpu0-mps", "healthy");
        Assert.Equal(web, _machine.PidOf("web"));
        Assert.Contains("llm restarts: `gpu0-mps` has ended", _machine.Run("why", "llm").Succeeded().Output, StringComparison.Ordinal);

        // Asked to stop, it is told to quit after its clients have ended.
        var pipe = Cuda("gpu0-mps")["CUDA_MPS_PIPE_DIRECTORY"];
        _machine.Run("down").Succeeded();
        Assert.False(File.Exists(Path.Combine(pipe, "pid")));
    }

    [Fact]
    public void Without_the_control_program_a_plan_is_refused_with_a_way_out()
    {
        Declare("  llm: {<<: *client, gpu: {memory: 12GiB, share: mps}}");
        File.Delete(Path.Combine(_machine.Directory, "bin", "nvidia-cuda-mps-control"));
        var refused = _machine.Run("up", "-d");
        Assert.Equal(4, refused.Code);
        Assert.Contains("`nvidia-cuda-mps-control` is not in any directory of PATH", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(4, _machine.Run("gpu", "plan").Code);
    }

    [Fact]
    public void Overuse_is_ended_where_it_is_declared_and_told_where_not()
    {
        Declare("""
              ended: {<<: *client, gpu: {memory: 4GiB, share: time, on_overuse: end}}
              told: {<<: *client, gpu: {memory: 4GiB, share: time}}
            """, bytes: 5L << 30);
        _machine.Up();
        var told = _machine.PidOf("told");
        _machine.UntilState("ended", "failed");
        Assert.Contains("ended uses 5 GiB of GPU 0 (NVIDIA GeForce RTX 4090) and declared 4 GiB (on_overuse: end)", _machine.Run("why", "ended").Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(("running", told), (_machine.StateOf("told"), _machine.PidOf("told")));
        _machine.Until("the ledger tells", () => _machine.Run("gpu", "ledger") is { Code: 1 } ledger && ledger.Output.Contains("uses 1 GiB more than it declared", StringComparison.Ordinal));
    }

    [Fact]
    public void Where_the_memory_is_taken_a_start_waits_and_says_by_whom()
    {
        using var stranger = System.Diagnostics.Process.Start("/bin/sleep", "1000");
        try
        {
            _driver.Add($"process 0 {stranger.Id} {20L << 30}");
            Declare("  llm: {<<: *client, gpu: {memory: 12GiB, share: time}}");
            using var up = _machine.Start("up", "-d");
            _machine.Until("it waits for room", () => _machine.Run("why", "llm") is { Code: 0 } why && why.Output.Contains($"pid {stranger.Id}, sleep (stranger) has 20 GiB", StringComparison.Ordinal));
            stranger.Kill();
            stranger.WaitForExit();
            _machine.UntilState("llm", "running");
            Assert.True(up.WaitForExit(TimeSpan.FromSeconds(30)));
        }
        finally
        {
            stranger.Kill();
        }
    }

    private void Declare(string services, long bytes = 1L << 30) => _machine.Write("stoker.yaml", $$"""
        name: shared
        hosts:
          box: {gpus: [{model: NVIDIA GeForce RTX 4090, memory: 24GiB}]}
        x-client: &client
          command: sh client.sh 0 {{bytes}}
          environment: {DRILL: {{_machine.Directory}}}
        services:
        {{services}}
        """);

    private bool IsNew(string service, int before) => _machine.Service(service)["pid"]?.GetValue<int>() is { } pid && pid != before;

    private Dictionary<string, string> Cuda(string service) =>
        File.ReadAllText($"/proc/{_machine.PidOf(service)}/environ").Split('\0').Where(v => v.StartsWith("CUDA_", StringComparison.Ordinal)).Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);
}
