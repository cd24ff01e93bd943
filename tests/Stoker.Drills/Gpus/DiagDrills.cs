using System.Diagnostics;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Gpus;

/// <summary>Diagnoses as they are called, on the simulated cards of a rehearsal.</summary>
public sealed class DiagDrills : IDisposable
{
    private readonly Machine _machine = new("""
        name: diagnosed
        hosts:
          box: {gpus: [{model: NVIDIA GeForce RTX 4090, memory: 24GiB}, {model: NVIDIA GeForce RTX 3060, memory: 12GiB}]}
        services:
          vision: {command: no-such-program, gpu: {memory: 6GiB, share: mps}}
        """);

    private static readonly TimeSpan Enough = TimeSpan.FromMinutes(2);

    private string Kept => Path.Combine(_machine.State, "gpu-diag.json");

    [Fact]
    public void Bad_memory_of_a_simulated_card_is_found_and_a_card_in_use_is_left_alone()
    {
        _machine.Up("--rehearse");
        _machine.Until("the service is on its card", () => Clients(0).Count == 1);
        var report = Diag(1, "--level", "2");
        Assert.All(Findings(report, 0, "memory_test", "copy_within"), f => Assert.StartsWith("in use by service `vision`", (string)f["found"]!, StringComparison.Ordinal));
        Assert.Equal("pass", (string)Findings(report, 1, "memory_test")[0]["verdict"]!);

        _machine.Run("gpu", "simulate", "1", "--memory-fault").Succeeded();
        _machine.Until("it is seen", () => _machine.Run("gpu", "list", "--json").Succeeded().Output.Contains("stuck_bit", StringComparison.Ordinal));
        var found = Findings(Diag(1, "--level", "2", "--in-use"), 1, "memory_test")[0];
        Assert.Equal("fail", (string)found["verdict"]!);
        Assert.Contains("bit 17", (string)found["found"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_run_that_is_killed_goes_on_and_one_that_is_interrupted_says_how_far_it_came()
    {
        _machine.Up("--rehearse");
        _machine.Until("the service is on its card", () => Clients(0).Count == 1);
        using (var killed = _machine.Start("gpu", "diag", "--for", "12s", "--in-use"))
        {
            _machine.Until("some of it is kept", () => Done() > 4, Enough);
            killed.Kill();
            killed.WaitForExit();
        }

        var whole = _machine.RunFor(TimeSpan.FromMinutes(3), "gpu", "diag", "--for", "12s", "--in-use", "--json");
        Assert.Contains("goes on with the run of ", whole.Errors, StringComparison.Ordinal);
        Assert.Equal("pass", (string)Findings(whole.Json, 0, "fp32_results")[0]["verdict"]!);
        Assert.True((bool)JsonNode.Parse(File.ReadAllText(Kept))!["finished"]!);

        using var interrupted = _machine.Start("gpu", "diag", "--for", "1h", "--in-use", "--json");
        _machine.Until("some of it is kept", () => JsonNode.Parse(File.ReadAllText(Kept))!["seconds"]!.GetValue<double>() > 3000 && Done() > 4, Enough);
        using (var kill = Process.Start("/bin/kill", ["-INT", $"{interrupted.Id}"])) kill.WaitForExit();
        var told = interrupted.StandardOutput.ReadToEnd();
        Assert.True(interrupted.WaitForExit(TimeSpan.FromSeconds(30)));
        Assert.Equal(130, interrupted.ExitCode);
        var report = JsonNode.Parse(told)!;
        Assert.True((bool)report["interrupted"]!);
        Assert.Matches("^it was interrupted after .* of 60 min; until then none wrong in ", (string)Findings(report, 0, "fp32_results")[0]["found"]!);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void A_network_trains_on_processors_with_two_workers_that_agree()
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/torch"), "python3-torch is not installed, with which it trains");
        var report = _machine.RunFor(TimeSpan.FromMinutes(8), "gpu", "diag", "--training", "--python", "/usr/bin/python3", "--json").Json;
        var found = report["training"]!.AsArray().ToDictionary(f => (string)f!["check"]!, f => f!);
        Assert.Equal(("pass", "pass"), ((string)found["training_runs"]["verdict"]!, (string)found["training_agrees"]["verdict"]!));
        Assert.Contains("on 2 processors, because no card is here", (string)found["training_runs"]["found"]!, StringComparison.Ordinal);
        Assert.Equal("unknown", (string)found["training_scaling"]["verdict"]!);
    }

    public void Dispose() => _machine.Dispose();

    private static List<JsonNode> Findings(JsonNode report, int gpu, params string[] checks) => [.. report["gpus"]![gpu]!["findings"]!.AsArray().Where(f => checks.Contains((string)f!["check"]!)).Select(f => f!)];

    private JsonNode Diag(int code, params string[] arguments)
    {
        var ran = _machine.RunFor(TimeSpan.FromMinutes(3), ["gpu", "diag", "--json", .. arguments]);
        Assert.Equal(code, ran.Code);
        return ran.Json;
    }

    private double Done() => File.Exists(Kept) ? JsonNode.Parse(File.ReadAllText(Kept))!["cards"]!.AsArray().Min(c => c!["totals"]!["seconds"]!.GetValue<double>()) : 0;

    private JsonArray Clients(int gpu) => JsonNode.Parse(_machine.Run("gpu", "list", "--json").Output)!["gpus"]!.AsArray() is var gpus && gpus.Count > gpu ? gpus[gpu]!["clients"]!.AsArray() : [];
}
