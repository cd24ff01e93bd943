using System.Diagnostics;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Gpus;

/// <summary>An A100 that is divided by MIG, by the daemon as it runs, through a library that stands in for the driver's; programs that are on it say so themselves.</summary>
public sealed class PartitionDrills : IDisposable
{
    private const string Gib4 = "{memory: 4GiB, share: mig}", Gib9 = "{memory: 9GiB, share: mig}", Gib19 = "{memory: 19GiB, share: mig}";

    private readonly Machine _machine = new("");
    private readonly StandInDriver _driver;

    public PartitionDrills() => _driver = new StandInDriver(_machine);

    public void Dispose()
    {
        _driver.Write();
        _machine.Dispose();
    }

    [Fact]
    public void A_change_stops_those_whom_it_concerns_and_nobody_else()
    {
        Declare(("medium", Gib9), ("left", Gib4), ("right", Gib4));
        _machine.Up();
        Assert.Equal((2, 3, 4), (Slots("medium").Size, Slots("right").Start, Slots("medium").Start));
        var (medium, left, right) = (_machine.PidOf("medium"), _machine.PidOf("left"), _machine.PidOf("right"));

        // Twenty gigabytes stand only where the medium one and the left one are.
        Declare(("medium", Gib9), ("left", Gib4), ("right", Gib4), ("large", Gib19));
        var plan = _machine.Run("gpu", "plan").Succeeded().Output;
        Assert.True(plan.Contains("left, medium must stop for it", StringComparison.Ordinal), plan);
        Assert.Contains("1g.5gb at slice 3, which is there", plan, StringComparison.Ordinal);
        _machine.Up();
        foreach (var service in (string[])["medium", "left", "right", "large"]) _machine.UntilState(service, "running");
        Assert.Equal((4, 4), Slots("large"));
        Assert.Equal(right, _machine.PidOf("right"));
        Assert.NotEqual(medium, _machine.PidOf("medium"));
        Assert.NotEqual(left, _machine.PidOf("left"));
        Assert.Equal(4, new[] { "medium", "left", "right", "large" }.Select(s => Partition(s)).Distinct().Count());
        Assert.Contains("left stops while GPU 1 (NVIDIA A100-SXM4-40GB) is divided anew", _machine.Run("why", "left").Succeeded().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("to divide", _machine.Run("gpu", "plan").Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_strangers_process_is_named_and_when_it_has_ended_the_card_is_divided()
    {
        using var stranger = Process.Start("/bin/sleep", "1000");
        try
        {
            _driver.Add($"process 1 {stranger.Id} {1L << 30}");
            Declare(("large", Gib19));
            using var up = _machine.Start("up", "-d");
            _machine.Until("the stranger is named", () => _machine.Run("why", "large") is { Code: 0 } why && why.Output.Contains($"pid {stranger.Id}, sleep (stranger) is on it, and none of this estate", StringComparison.Ordinal));
            Assert.False(stranger.HasExited);
            Assert.Equal("waiting", _machine.StateOf("large"));
            stranger.Kill();
            stranger.WaitForExit();
            _machine.UntilState("large", "running");
            Assert.True(up.WaitForExit(TimeSpan.FromSeconds(30)));
            Assert.Equal("MIG-a100-0", Partition("large"));
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public void A_change_that_fails_half_way_is_taken_back_and_everybody_is_where_he_was()
    {
        Declare(("medium", Gib9), ("left", Gib4), ("right", Gib4));
        _machine.Up();
        var before = Divided();
        var right = _machine.PidOf("right");
        _driver.Add("refuse 1 9");
        Declare(("medium", Gib9), ("left", Gib4), ("right", Gib4), ("large", Gib19));
        using var up = _machine.Start("up", "-d");
        _machine.Until("the change is taken back", () => _machine.Run("events").Output.Contains("it is as it was before", StringComparison.Ordinal));
        // It is tried again half a minute later, and taken back again.
        _machine.Until("everybody is where he was", () => _machine.StateOf("medium") == "running" && _machine.StateOf("left") == "running" && Divided() == before);
        Assert.Equal(right, _machine.PidOf("right"));
        Assert.Equal("waiting", _machine.StateOf("large"));
        _machine.Until("why says so", () => _machine.Run("why", "large").Succeeded().Output.Contains("3g.20gb at slice 4 could not be made: Insufficient Resources (code 23)", StringComparison.Ordinal));
        up.Kill();
    }

    [Fact]
    public void After_a_restart_of_the_machine_they_are_made_again_before_any_client_starts()
    {
        Declare(("medium", Gib9), ("left", Gib4));
        _machine.Up();
        var before = Divided();
        _driver.Restart();
        Assert.Equal("", Divided());
        _machine.Up();
        // A client that comes before its partition ends with 3, and restarts are not declared.
        foreach (var service in (string[])["medium", "left"]) _machine.UntilState(service, "running");
        Assert.Equal(before, Divided());
        Assert.Contains("its partitions did not survive the restart of the machine", _machine.Run("events").Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("MIG is turned on", _machine.Run("events").Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_daemon_that_is_killed_leaves_the_partitions_and_their_clients_as_they_are()
    {
        Declare(("medium", Gib9), ("left", Gib4));
        _machine.Up();
        var (medium, left, before) = (_machine.PidOf("medium"), _machine.PidOf("left"), Divided());
        _machine.KillDaemon();
        _machine.Up();
        Assert.Equal((medium, left, before), (_machine.PidOf("medium"), _machine.PidOf("left"), Divided()));
    }

    private void Declare(params (string Service, string Gpu)[] services) => _machine.Write("stoker.yaml", $$"""
        name: divided
        hosts:
          box: {gpus: [{model: NVIDIA GeForce RTX 4090, memory: 24GiB}, {model: NVIDIA A100-SXM4-40GB}]}
        x-client: &client
          command: sh client.sh 1 1073741824
          environment: {DRILL: {{_machine.Directory}}}
        services:
        {{string.Join('\n', services.Select(s => $"  {s.Service}: {{<<: *client, gpu: {s.Gpu}}}"))}}
        """);

    /// <summary>What CUDA is told in the service's process.</summary>
    private string Partition(string service)
    {
        const string name = "CUDA_VISIBLE_DEVICES=";
        string? told = null;
        // Nothing is to be read there while the client's shell becomes the client.
        _machine.Until($"the environment of {service} is there", () =>
        {
            told = File.ReadAllText($"/proc/{_machine.PidOf(service)}/environ").Split('\0').FirstOrDefault(v => v.StartsWith(name, StringComparison.Ordinal));
            return told is not null;
        });
        return told![name.Length..];
    }

    /// <summary>Of the partition that a service is in, as the card has it.</summary>
    private (int Start, int Size) Slots(string service)
    {
        var index = Partition(service)["MIG-a100-".Length..];
        var words = Divided().Split('\n').Select(l => l.Split(' ')).First(w => w[0] == "instance" && w[2] == index);
        return (int.Parse(words[4]), int.Parse(words[5]));
    }

    private string Divided()
    {
        var file = Path.Combine(_machine.Directory, "nvml.txt.mig");
        return File.Exists(file) ? File.ReadAllText(file) : "";
    }
}
