using System.Text.RegularExpressions;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Cli;

/// <summary><c>stoker status --watch</c> on a real terminal.</summary>
public sealed partial class WatchDrills
{
    [Fact]
    public void The_screen_shows_what_runs_follows_the_keys_and_leaves_the_terminal_as_it_was()
    {
        using var machine = new Machine("""
            name: watched
            services:
              app:
                command: sleep 100000
              task:
                command: "true"
            """);
        machine.Up();
        // A task that runs is up, too.
        machine.UntilState("task", "completed");
        using var terminal = new Terminal($"exec {Machine.Program} status --watch", machine.Directory, new Dictionary<string, string> { ["STOKER_STATE"] = machine.State, ["NO_COLOR"] = "1" }, rows: 8);

        terminal.Until("the services are there", () => terminal.Screen()[3].StartsWith("app", StringComparison.Ordinal));

        Assert.Equal(
            [
                "watched: 1 running, 1 completed hh:mm:ss",
                "",
                "NAME STATE FOR RESTARTS PID PORTS REASON",
                "app running time 0 pid",
                "task completed time 0",
                "",
                "",
                "↑↓ select enter logs w why r restart s stop / filter ? help q quit",
            ],
            terminal.Screen().Select(Timeless));

        terminal.Type("w");
        terminal.Until("it says why", () => terminal.Screen().Any(l => l.StartsWith("app is running for", StringComparison.Ordinal)));
        terminal.Type("\e");
        terminal.Until("the services are back", () => terminal.Screen()[3].StartsWith("app", StringComparison.Ordinal));
        machine.Run("stop", "app").Succeeded();
        terminal.Until("the stop is seen", () => terminal.Screen()[3].Contains("stopped", StringComparison.Ordinal));
        terminal.Type("q");

        Assert.Equal(0, terminal.End());
        Assert.Contains("\e[?1049l", terminal.Sent);
    }

    /// <summary>Times and pids have as many columns as they please; what stands around them does not.</summary>
    private static string Timeless(string line) =>
        Pid().Replace(Clock().Replace(Since().Replace(Blanks().Replace(line, " "), "${state} time "), "hh:mm:ss"), "0 pid");

    [GeneratedRegex("  +")]
    private static partial Regex Blanks();

    [GeneratedRegex("(?<state>running|completed) [0-9.hms]+ ")]
    private static partial Regex Since();

    [GeneratedRegex(@"\d\d:\d\d:\d\d$")]
    private static partial Regex Clock();

    [GeneratedRegex(@"0 \d+$")]
    private static partial Regex Pid();
}
