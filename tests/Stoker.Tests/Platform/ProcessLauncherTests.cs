using System.Text;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class ProcessLauncherTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task Arguments_environment_and_directory_arrive_as_they_were_given()
    {
        var request = new LaunchRequest(
            "/bin/sh", ["-c", "printf '%s|' \"$@\" \"$WORD\"; pwd; env | wc -l", "sh", "two words", "", "é*\n"],
            new Dictionary<string, string> { ["WORD"] = "a=b ü" }, _workshop.Root);

        var text = await _workshop.Output(request);

        // The shell adds PWD, and OLDPWD or _ in some; nothing of the daemon's own environment is there.
        Assert.StartsWith($"two words||é*\n|a=b ü|{_workshop.Root}\n", text);
        Assert.DoesNotContain("DOTNET", await _workshop.Output(new LaunchRequest("/usr/bin/env", [], new Dictionary<string, string>(), "/")));
    }

    [Fact]
    public async Task A_child_leads_its_own_session()
    {
        var process = _workshop.Launch("sleep 100");
        var entry = ProcessTable.Find(process.Pid)!.Value;

        Assert.Equal((process.Pid, process.Pid), (entry.SessionId, entry.GroupId));
        Assert.Equal(process.StartTicks, entry.StartTicks);
        process.Signal(Signals.Kill);
        await Workshop.End(process);
    }

    [Fact]
    public async Task A_child_has_three_descriptors_and_no_more()
    {
        using var open = File.OpenRead("/proc/self/status");
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0);
        var fifo = _workshop.PathOf("held");
        Files.MakeFifo(fifo);
        using var held = new FifoReader(fifo);

        var text = await _workshop.Output(new LaunchRequest("/bin/ls", ["/proc/self/fd"], Workshop.PlainEnvironment, "/"));

        // 3 is ls reading the directory.
        Assert.Equal(["0", "1", "2", "3"], text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Input_is_empty_and_outputs_without_a_path_go_nowhere()
    {
        Assert.Equal("/dev/null\n", await _workshop.Output("readlink /proc/self/fd/0"));
        var file = _workshop.NewFile();
        var request = Workshop.Shell($"readlink /proc/$$/fd/2 >> {file}") with { Output = file };
        await Workshop.End(_workshop.Launch(request));
        Assert.Equal("/dev/null\n", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task No_signal_is_blocked_or_ignored_in_a_child()
    {
        // The runtime ignores SIGPIPE in this process and blocks signals in some threads.
        var status = await _workshop.Output(new LaunchRequest("/bin/cat", ["/proc/self/status"], Workshop.PlainEnvironment, "/"));

        Assert.Contains("SigBlk:\t0000000000000000", status);
        Assert.Contains("SigIgn:\t0000000000000000", status);
        Assert.Contains("SigCgt:\t0000000000000000", status);
    }

    [Fact]
    public async Task Output_goes_on_through_a_pipe_whose_reader_has_closed_it()
    {
        var path = _workshop.PathOf("pipe");
        Files.MakeFifo(path);
        var reader = new FifoReader(path);
        var go = _workshop.PathOf("go");
        var process = _workshop.Launch(Workshop.Shell($"echo one; while [ ! -e {go} ]; do sleep 0.01; done; echo two; echo three", path));
        Assert.Equal("one\n", await ReadFrom(reader));

        reader.Dispose();
        await File.WriteAllTextAsync(go, "");

        // Nobody reads, nobody but the child holds the pipe open, and the child ends well. While it lives the text waits.
        Assert.Equal(ExitStatus.Exited(0), await Workshop.End(process));
    }

    [Fact]
    public async Task A_new_reader_finds_what_was_written_while_there_was_none()
    {
        var path = _workshop.PathOf("pipe");
        Files.MakeFifo(path);
        var written = _workshop.PathOf("written");
        var process = _workshop.Launch(Workshop.Shell($"echo kept; touch {written}; sleep 100", path));
        await Workshop.Until(() => File.Exists(written));

        using var reader = new FifoReader(path);

        Assert.Equal("kept\n", await ReadFrom(reader));
        process.Signal(Signals.Kill);
    }

    [Theory]
    [InlineData("exit 0", "exited with 0")]
    [InlineData("exit 3", "exited with 3")]
    [InlineData("exit 255", "exited with 255")]
    [InlineData("kill -9 $$", "killed by SIGKILL")]
    [InlineData("kill -SEGV $$", "killed by SIGSEGV")]
    public async Task The_end_is_told_exactly(string script, string expected) =>
        Assert.Equal(expected, (await _workshop.Run(script)).ToString());

    [Fact]
    public async Task A_signal_reaches_the_child_and_after_its_end_nobody()
    {
        var process = _workshop.Launch("sleep 100");

        Assert.True(process.Signal(Signals.Terminate));
        Assert.Equal(ExitStatus.Killed(Signals.Terminate), await Workshop.End(process));
        Assert.False(process.Signal(Signals.Terminate));
        Assert.Null(ProcessTable.Find(process.Pid));
    }

    [Fact]
    public async Task Launches_from_many_threads_each_get_their_own_end()
    {
        var codes = await Task.WhenAll(Enumerable.Range(0, 200).Select(number => Task.Run(async () =>
        {
            var launched = (LaunchOutcome.Launched)ProcessLauncher.Launch(Workshop.Shell($"exit {number}"));
            return (await Workshop.End(launched.Process)).Code;
        })));

        Assert.Equal(Enumerable.Range(0, 200).Select(number => (int?)number), codes);
    }

    [Fact]
    public async Task An_ended_child_whose_owner_has_lost_interest_is_reaped_all_the_same()
    {
        var process = _workshop.Launch("sleep 100");
        process.Dispose();

        process.Signal(Signals.Kill);

        await Workshop.Until(() => ProcessTable.Find(process.Pid) is null);
    }

    private static async Task<string> ReadFrom(FifoReader reader)
    {
        var buffer = new byte[4096];
        var count = 0;
        await Workshop.Until(() => (count = reader.Read(buffer)) > 0);
        return Encoding.UTF8.GetString(buffer, 0, count);
    }
}
