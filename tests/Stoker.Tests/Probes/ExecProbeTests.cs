using Stoker.Estates;
using Stoker.Platform;
using Stoker.Probes;
using Xunit;

namespace Stoker.Tests.Probes;

public sealed class ExecProbeTests
{
    private static readonly ProbeTarget Target = ProbeTarget.Here with
    {
        Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["WHO"] = "vision" },
        WorkingDirectory = "/usr",
    };

    [Fact]
    public async Task Success_is_exit_code_zero_with_the_last_line()
    {
        var outcome = await Ask("echo first; echo \"$WHO in $PWD\"; echo");
        Assert.IsType<ProbeOutcome.Healthy>(outcome);
        Assert.EndsWith("succeeded: vision in /usr", outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failure_says_the_code_and_the_last_line_of_either_stream()
    {
        var outcome = await Ask("echo fine; echo no response >&2; exit 3");
        Assert.EndsWith("` exited with 3: no response", Assert.IsType<ProbeOutcome.Unhealthy>(outcome).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_named()
    {
        var outcome = await ProbeTests.Ask(new ProbeSpec.Exec(["pg_isready_nowhere", "-q"]), Target);
        Assert.Equal("`pg_isready_nowhere -q` cannot run: `pg_isready_nowhere` is not installed", outcome.Detail);
    }

    [Fact]
    public async Task A_flood_of_output_neither_blocks_nor_is_kept()
    {
        var outcome = await Ask("head -c 3000000 /dev/zero | tr '\\0' 'x'; echo; echo the end");
        Assert.EndsWith("succeeded: the end", Assert.IsType<ProbeOutcome.Healthy>(outcome).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_that_hangs_leaves_nothing_behind_not_even_what_left_its_session()
    {
        var mark = $"{Guid.NewGuid():N}";
        var hangs = new ProbeSpec.Exec(["sh", "-c", $"setsid sh -c 'sleep 1000; : {mark}' & (sleep 1000; : {mark}) & echo hanging; wait"]);
        var (late, _) = await ProbeTests.AskTooLateAsync(hangs, TimeSpan.FromMilliseconds(400), ": hanging", Target);
        Assert.Matches("did not end within [0-9.]+ m?s: hanging$", late.Detail);
        Assert.DoesNotContain(CommandLines(), line => line.Contains(mark, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Killing_a_check_does_not_touch_the_service_whose_environment_it_has()
    {
        var environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", [ProcessTree.MarkerVariable] = "service-run" };
        var launched = Assert.IsType<LaunchOutcome.Launched>(ProcessLauncher.Launch(new LaunchRequest("/bin/sleep", ["1000"], environment, "/")));
        using var service = launched.Process;
        await ProbeTests.Ask(new ProbeSpec.Exec(["sleep", "1000"]), Target with { Environment = environment }, TimeSpan.FromMilliseconds(50));
        Assert.False(service.Exit.IsCompleted);
        Assert.True(service.Signal(9));
        await service.Exit;
    }

    [Fact]
    public async Task Many_at_once_are_kept_apart()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Ask($"echo number {i}; exit {i % 2}")));
        for (var i = 0; i < outcomes.Length; i++)
        {
            Assert.Equal(i % 2 == 0, outcomes[i].IsHealthy);
            Assert.EndsWith($": number {i}", outcomes[i].Detail, StringComparison.Ordinal);
        }
    }

    private static Task<ProbeOutcome> Ask(string script, TimeSpan? timeout = null) =>
        ProbeTests.Ask(new ProbeSpec.Exec(["sh", "-c", script]), Target, timeout);

    private static IEnumerable<string> CommandLines()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            string line;
            try
            {
                line = File.ReadAllText($"{directory}/cmdline");
            }
            catch (IOException)
            {
                continue;
            }

            yield return line;
        }
    }
}
