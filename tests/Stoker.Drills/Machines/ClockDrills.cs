using System.Globalization;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Machines;

/// <summary>A machine whose clock is set to another day while services run, wait and end.</summary>
[Trait("Category", "Slow")]
public sealed class ClockDrills(VirtualMachine vm) : IClassFixture<VirtualMachine>
{
    /// <summary>
    /// <c>asked</c> is probed every second, <c>failing</c> waits twenty minutes for its second try, <c>tries</c> tries again every second or two,
    /// <c>stubborn</c> has half an hour to end and ends when a file tells it to.
    /// </summary>
    private const string Estate = """
        name: clock
        services:
          asked:
            command: sleep 100000
            healthcheck: {test: [CMD-SHELL, "echo >>/root/clock/asked"], interval: 1s, timeout: 50s, retries: 2}
            restart: always
          failing:
            command: "false"
            restart: always
            restart_policy: {delay: 1200s, max_delay: 1200s}
          tries:
            command: "false"
            restart: always
            restart_policy: {delay: 1s, max_delay: 2s}
          stubborn:
            command: [sh, -c, "trap '' TERM; until [ -e /root/clock/end ]; do sleep 0.2; done"]
            stop_grace_period: 1800s
        """;

    [Fact]
    public void A_clock_that_jumps_a_day_forth_and_back_restarts_nothing_and_ends_no_wait()
    {
        Assert.SkipWhen(VirtualMachine.Missing is not null, VirtualMachine.Missing ?? "");
        vm.Write("/root/clock/stoker.yaml", Estate);
        vm.Run("cd /root/clock; stoker up -d --timeout 2s");
        vm.Until("it is asked", "[ $(wc -l </root/clock/asked) -ge 2 ]");
        vm.Run("cd /root/clock; setsid stoker stop stubborn >/dev/null 2>&1 </dev/null &");
        vm.Until("it is stopping", "cd /root/clock; stoker status | grep -q 'stubborn *stopping'");
        var before = Statuses();
        var today = long.Parse(vm.Run("date +%s").Output, CultureInfo.InvariantCulture);

        Jump("+1 day", before);
        Jump("-2 days", before);

        vm.Run("touch /root/clock/end; cd /root/clock");
        vm.Until("it has stopped by itself", "cd /root/clock; stoker status | grep -q 'stubborn *stopped'");
        AssertEvents(today);
        vm.Run("cd /root/clock; stoker down").Succeeded();
    }

    private void Jump(string by, IReadOnlyDictionary<string, JsonNode> before)
    {
        vm.Run($"date -s '{by}'; rm -f /root/clock/asked; cd /root/clock; stoker events | grep -c 'tries' >/root/clock/seen").Succeeded();
        vm.Until("health is asked on", "[ $(wc -l </root/clock/asked) -ge 4 ]");
        vm.Until("short waits end", "cd /root/clock; [ $(stoker events | grep -c tries) -gt $(cat seen) ]");
        var now = Statuses();
        Assert.Equal(("healthy", 0), ((string)now["asked"]["state"]!, (int)now["asked"]["restarts"]!));
        Assert.Equal((int)before["asked"]["pid"]!, (int)now["asked"]["pid"]!);
        Assert.Equal(("backoff", (int)before["failing"]["restarts"]!), ((string)now["failing"]["state"]!, (int)now["failing"]["restarts"]!));
        Assert.Equal(("stopping", (int)before["stubborn"]["pid"]!), ((string)now["stubborn"]["state"]!, (int)now["stubborn"]["pid"]!));
    }

    /// <summary>Each has the time that the clock showed, and they stay in the order in which one followed from the other.</summary>
    private void AssertEvents(long today)
    {
        var events = vm.Run("cd /root/clock; stoker events --json").Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToList();
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => (int)e["sequence"]!));
        Assert.All(events.Where(e => e["cause"] is not null), e => Assert.True((int)e["cause"]! < (int)e["sequence"]!));
        var days = events.Select(e => (int)Math.Round((((DateTimeOffset)e["at"]!).ToUnixTimeSeconds() - today) / 86400.0)).ToList();
        Assert.Equal([0, 1, -1], days.Where((day, i) => i == 0 || days[i - 1] != day));
        Assert.DoesNotContain(events, e => (string?)e["kind"] is "killed" or "became_unhealthy");
    }

    private IReadOnlyDictionary<string, JsonNode> Statuses() =>
        vm.Run("cd /root/clock; stoker status --json").Json["services"]!.AsArray().ToDictionary(s => (string)s!["name"]!, s => s!);
}
