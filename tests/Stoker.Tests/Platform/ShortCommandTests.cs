using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class ShortCommandTests
{
    private static readonly string[] Forever = ["-c", "setsid sleep 1234567 & sleep 1234567"];

    [Fact]
    public async Task Its_output_its_last_words_and_its_end_are_told()
    {
        var ended = Assert.IsType<ShortCommandOutcome.Ended>(await Ask("-c", "echo one; echo two; echo first >&2; echo problem >&2; exit 3"));
        Assert.Equal(("one\ntwo\n", "problem", 3), (ended.Output, ended.LastError, ended.Status.Code));
        Assert.Equal("problem", ended.Words);
        Assert.Equal("exited with 4", (await Ask("-c", "exit 4")).Words);
        Assert.True((await Ask("-c", "true")).IsSuccess);
    }

    [Fact]
    public async Task Of_a_long_answer_the_end_is_kept_and_all_of_it_where_that_is_asked_for()
    {
        string[] count = ["-c", "seq 1 50000"];
        var whole = string.Concat(Enumerable.Range(1, 50000).Select(i => $"{i}\n"));
        var usual = Assert.IsType<ShortCommandOutcome.Ended>(await ShortCommand.RunAsync("/bin/sh", count, Workshop.PlainEnvironment, null));
        Assert.Equal(whole[^4096..], usual.Output);
        var all = Assert.IsType<ShortCommandOutcome.Ended>(await ShortCommand.RunAsync("/bin/sh", count, Workshop.PlainEnvironment, null, 1 << 20));
        Assert.Equal(whole, all.Output);
    }

    [Fact]
    public async Task One_that_takes_too_long_is_killed_with_all_that_it_started()
    {
        var outcome = await ShortCommand.RunAsync("/bin/sh", Forever, Workshop.PlainEnvironment, TimeSpan.FromMilliseconds(300));
        Assert.Equal("did not answer within 0.3 s", outcome.Words);
        Assert.DoesNotContain(ProcessTable.Take().Entries, e => ProcessTable.EnvironmentVariable(e.Pid, ProcessTree.MarkerVariable)?.StartsWith($"short-{HostEnvironment.ProcessId}-", StringComparison.Ordinal) == true
            && ProcessTable.CommandLine(e.Pid).Contains("1234567"));
    }

    [Fact]
    public async Task One_that_is_given_up_is_killed_too()
    {
        using var cancel = new CancellationTokenSource();
        var running = ShortCommand.RunAsync("/bin/sh", Forever, Workshop.PlainEnvironment, null, cancel.Token);
        await cancel.CancelAsync();
        Assert.Equal("was cut short", (await running).Words);
    }

    [Fact]
    public async Task One_that_is_missing_says_so() => Assert.Contains(
        "/no/such", Assert.IsType<ShortCommandOutcome.NotStarted>(await ShortCommand.RunAsync("/no/such", [], Workshop.PlainEnvironment, null)).Message, StringComparison.Ordinal);

    private static Task<ShortCommandOutcome> Ask(params string[] arguments) => ShortCommand.RunAsync("/bin/sh", arguments, Workshop.PlainEnvironment, Workshop.Patience);
}
