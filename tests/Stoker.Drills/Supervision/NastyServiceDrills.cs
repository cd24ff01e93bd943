using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Supervision;

/// <summary>Services that do what they should not.</summary>
public sealed class NastyServiceDrills
{
    [Fact]
    public void What_ignores_its_stop_signal_is_killed_with_all_it_started()
    {
        using var machine = With("""
              command: [sh, -c, "trap '' TERM; setsid sh -c \"trap '' TERM; while true; do sleep 0.1; done\" & while true; do sleep 0.1; done"]
              stop_grace_period: 500ms
            """);
        machine.Up();
        machine.Until("both shells are there", () => machine.Processes()["bad"].Count() >= 2);

        machine.Run("stop", "bad").Succeeded();

        Assert.Empty(machine.Processes()["bad"]);
        Assert.Equal("stopped", machine.StateOf("bad"));
    }

    [Fact]
    public void What_a_crash_leaves_behind_is_gone_before_the_next_start()
    {
        using var machine = With("""
              command: [sh, -c, "setsid sleep 1000 & exec sleep 500"]
              restart: always
            """);
        machine.Up();
        machine.Until("both are there", () => machine.Processes()["bad"].Count() == 2);
        var before = machine.Processes()["bad"].ToList();

        Machine.Kill(machine.PidOf("bad"));

        machine.Until("a new pair is there", () => machine.Processes()["bad"].Count() == 2 && !machine.Processes()["bad"].Intersect(before).Any());
    }

    [Fact]
    public void What_exits_at_once_backs_off_and_why_says_so()
    {
        using var machine = With("""
              command: [sh, -c, "echo 'cannot open model' >&2; exit 3"]
              restart: always
            """);
        machine.Run("up", "-d", "--timeout", "3s");
        machine.UntilState("bad", "backoff");

        var why = machine.Run("why", "bad").Output;
        Assert.Contains("exited with 3", why);
        Assert.Contains("cannot open model", why);
        machine.Run("down").Succeeded();
        Assert.Empty(machine.Processes());
    }

    [Fact]
    public void A_port_held_by_a_stranger_is_named_with_its_holder()
    {
        using var stranger = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        stranger.Start();
        var port = ((System.Net.IPEndPoint)stranger.LocalEndpoint).Port;
        using var machine = With($$"""
              command: sleep 1000
              ports: ["{{port}}"]
            """);

        var up = machine.Run("up", "-d");

        Assert.Equal(4, up.Code);
        Assert.Contains($"port {port} of service `bad` is held by pid {Environment.ProcessId}", up.Errors);
    }

    [Fact]
    public void A_healthcheck_that_hangs_ends_at_its_timeout_and_leaves_nothing()
    {
        using var machine = With("""
              command: sleep 1000
              healthcheck: {test: [CMD-SHELL, "sleep 77 & sleep 77"], interval: 300ms, timeout: 200ms, retries: 2}
            """);
        machine.Run("up", "-d", "--timeout", "3s");
        machine.UntilState("bad", "unhealthy");

        machine.Run("stop", "bad").Succeeded();
        machine.Until("no sleep of the healthcheck is left", () => !machine.Processes()["bad"].Any());
    }

    [Fact]
    public void A_flood_of_output_delays_nobody_and_loses_nothing()
    {
        using var machine = With("""
              command: [sh, -c, "seq 1 200000; exec sleep 1000"]
              logging: {options: {max-size: 1m, max-file: "100"}}
            good:
              command: [sh, -c, "while true; do echo tick; sleep 0.1; done"]
            """);
        machine.Up();
        machine.Until("all is stored", () => machine.Run("logs", "bad", "--tail", "1").Output.TrimEnd().EndsWith("200000", StringComparison.Ordinal));

        var lines = machine.Run("logs", "bad").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => int.Parse(l[(l.LastIndexOf(' ') + 1)..])).ToList();
        Assert.Equal(Enumerable.Range(1, 200000), lines);
        Assert.Contains("tick", machine.Run("logs", "good").Output);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Millions_of_lines_at_once_are_all_there_once_and_the_other_service_stays_healthy()
    {
        const int lines = 3_000_000;
        using var machine = With($$$"""
              command: [sh, -c, "seq 1 {{{lines}}}; exec sleep 1000"]
              logging: {options: {max-size: 16m, max-file: "100"}}
            good:
              command: sleep 100000
              restart: always
              healthcheck: {test: "echo asked >>asked", interval: 100ms, timeout: 20s, retries: 1}
            """);
        machine.Up();
        var asked = Path.Combine(machine.Directory, "asked");
        var before = File.ReadAllLines(asked).Length;
        machine.Until("all is stored", () => machine.Run("logs", "bad", "--tail", "1").Output.TrimEnd().EndsWith($"{lines}", StringComparison.Ordinal), TimeSpan.FromMinutes(3));

        Assert.True(File.ReadAllLines(asked).Length > before);
        Assert.DoesNotContain("became_unhealthy", machine.Run("events", "--json").Output);
        Assert.Equal(0, (int)machine.Service("good")["restarts"]!);
        var expected = 0;
        foreach (var line in machine.RunFor(TimeSpan.FromMinutes(2), "logs", "bad").Output.AsSpan().EnumerateLines())
        {
            if (line.IsEmpty) continue;
            Assert.Equal(++expected, int.Parse(line[(line.LastIndexOf(' ') + 1)..]));
        }

        Assert.Equal(lines, expected);
    }

    [Fact]
    public void What_closes_its_output_goes_on()
    {
        using var machine = With("""
              command: [sh, -c, "exec >&- 2>&-; exec sleep 1000"]
            """);
        machine.Up();
        Assert.Equal("running", machine.StateOf("bad"));
    }

    private static Machine With(string service)
    {
        var machine = new Machine("name: nasty\nservices: {}\n");
        machine.Write("stoker.yaml", $"name: nasty\nx-drill: &drill {{DRILL: \"{machine.Directory}\"}}\nservices:\n  bad:\n    environment: *drill\n{Indent(service)}\n");
        return machine;
    }

    /// <summary>Keys of the service come in at two more blanks; a second service begins at the margin of the text.</summary>
    private static string Indent(string text) => string.Join('\n', text.Split('\n').Select(l => "  " + l));
}
