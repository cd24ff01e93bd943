using System.Text.Json;
using Stoker.Cli;
using Stoker.Daemon.Protocol;
using Stoker.Platform;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class BackgroundStartTests : IDisposable
{
    private readonly FakeWorld _world = new();

    public BackgroundStartTests() => _world.Write("stoker.yaml", """
        name: ai-system
        services:
          redis: {command: redis-server}
        """);

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_daemon_that_ends_at_once_is_told_with_its_exit_its_last_lines_and_its_log()
    {
        var program = Path.Combine(_world.Directory, "daemon");
        File.WriteAllText(program, """
            #!/bin/sh
            echo "stoker: the journal is torn" >&2
            echo "  hint: mend it" >&2
            exit 7
            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Directory.CreateDirectory(_world.State.Path);
        File.WriteAllText(_world.State.DaemonLog, "of another day\n");
        _world.Variables["STOKER_STATE"] = _world.State.Path;

        var code = (ExitCode)CommandLine.Run(["up", "-d"], _world.Surroundings with { Daemons = new LocalDaemons(), Executable = program });

        Assert.Equal(ExitCode.NoDaemon, code);
        var said = _world.Error.ToString();
        Assert.Matches(@"^stoker: the daemon \(pid \d+\) ended before it answered: exited with 7\n", said);
        Assert.EndsWith($"\n  stoker: the journal is torn\n    hint: mend it\n  hint: all it wrote is in {_world.State.DaemonLog}\n", said);
        Assert.StartsWith("of another day\n", File.ReadAllText(_world.State.DaemonLog));
    }

    [Fact]
    public async Task A_daemon_that_lives_is_waited_for_longer_than_a_moment_and_a_person_is_told()
    {
        // Half a minute goes by between any two looks at the clock.
        _world.Clock.Step = TimeSpan.FromSeconds(30);
        FakeDaemon? daemon = null;
        _world.Clock.OnLook = () =>
        {
            if (_world.Error.ToString().Contains("waiting for it")) daemon ??= Start(700);
        };

        var code = _world.Run("up", "-d");

        Assert.Equal(ExitCode.Done, code);
        Assert.StartsWith("the daemon (pid 700) is starting and does not answer yet; waiting for it\n", _world.Error.ToString());
        await daemon!.DisposeAsync();
    }

    [Fact]
    public void A_daemon_that_lives_and_never_answers_is_given_up_in_the_end()
    {
        _world.Clock.Step = TimeSpan.FromSeconds(30);

        Assert.Equal(ExitCode.NoDaemon, _world.Run("up", "-d"));
        Assert.Contains("\nstoker: the daemon (pid 700) lives and gives no answer after 3 min: ", _world.Error.ToString());
        Assert.EndsWith($"all it writes is in {_world.State.DaemonLog}; `stoker daemon status` asks it again, `kill 700` ends it\n", _world.Error.ToString());
    }

    [Fact]
    public async Task Somebody_elses_daemon_that_was_faster_is_told_the_wish()
    {
        FakeDaemon? daemon = null;
        _world.Daemons.OnStart = _ =>
        {
            daemon = Start(812);
            _world.Daemons.Exit.SetResult(ExitStatus.Exited((int)ExitCode.Refused));
            return null;
        };

        Assert.Equal(ExitCode.Done, _world.Run("up", "-d"));
        Assert.Contains(daemon!.Asked, asked => asked.StartsWith("POST /v1/apply", StringComparison.Ordinal));
        await daemon.DisposeAsync();
    }

    [Fact]
    public async Task A_daemon_that_another_one_kept_out_while_it_ended_is_started_again()
    {
        FakeDaemon? daemon = null;
        _world.Daemons.OnStart = _ =>
        {
            _world.Daemons.Exit = new TaskCompletionSource<ExitStatus>();
            if (_world.Daemons.Started.Count < 3) _world.Daemons.Exit.SetResult(ExitStatus.Exited((int)ExitCode.Refused));
            else daemon = Start(700);
            return null;
        };

        Assert.Equal(ExitCode.Done, _world.Run("up", "-d"));
        Assert.Equal(3, _world.Daemons.Started.Count);
        await daemon!.DisposeAsync();
    }

    [Fact]
    public void Ctrl_C_while_ones_own_daemon_begins_ends_it()
    {
        _world.Daemons.OnRun = async (_, stop) =>
        {
            _world.Interrupts.Press();
            await Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            return 0;
        };

        Assert.Equal(ExitCode.Done, _world.Run("up"));
        Assert.Contains("stopping everything in order; once more to kill it\n", _world.Error.ToString());
    }

    private FakeDaemon Start(int pid)
    {
        var daemon = FakeDaemon.StartAsync(_world.State, Sample.Estate(Sample.Service("redis", ServiceState.Running))).GetAwaiter().GetResult();
        var document = new DaemonDocument(pid, "0.1.0", "ai-system", null, Sample.Ago(60), "unix:x", "/state", false, []);
        daemon.Answers["GET /v1/daemon"] = (200, JsonSerializer.Serialize(document, ControlJson.Readable.DaemonDocument));
        daemon.Answers["POST /v1/apply"] = daemon.Answers["GET /v1/apply"] = (200, """{"accepted":true,"plan":null,"diagnostics":[],"comes_up":["redis"]}""");
        return daemon;
    }
}
