using System.Text.Json;
using Stoker.Cli;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Platform;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class UpTests : IDisposable
{
    private const string Estate = """
        name: ai-system
        services:
          redis: {command: redis-server}
          vision: {command: python3 vision.py, depends_on: [redis]}
        """;

    private readonly FakeWorld _world = new();

    public UpTests() => _world.Write("stoker.yaml", Estate);

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task In_the_background_it_starts_a_daemon_with_the_wish_and_waits_until_every_service_is_up()
    {
        FakeDaemon? daemon = null;
        _world.Daemons.OnStart = started =>
        {
            // The daemon shows services as it comes to know them, and answers before all are up.
            daemon = FakeDaemon.StartAsync(_world.State, Sample.Estate()).GetAwaiter().GetResult();
            daemon.Answers["GET /v1/daemon"] = (200, Json(Document, ControlJson.Readable.DaemonDocument));
            daemon.Answers["GET /v1/apply"] = (200, """{"accepted":true,"plan":null,"diagnostics":[],"comes_up":["redis","vision"]}""");
            daemon.OnAsked = asked =>
            {
                if (asked != "GET /v1/status") return;
                daemon.Become(Both(ServiceState.Healthy, ServiceState.Starting));
                daemon.Become(Both(ServiceState.Healthy, ServiceState.Running));
            };
            return null;
        };

        var code = _world.Run("up", "-d", "--rehearse", "--profile", "gpu");

        Assert.Equal(ExitCode.Done, code);
        Assert.Equal("ai-system is up: 1 healthy, 1 running in 0 ms\n", _world.Output.ToString());
        Assert.Equal(
            ["daemon", "run", "--state", _world.State.Path, "--name", "ai-system", "--apply", "--file", Path.Combine(_world.Directory, "stoker.yaml"), "--rehearse", "--profile", "gpu"],
            Assert.Single(_world.Daemons.Started).Arguments);
        await daemon!.DisposeAsync();
    }

    [Fact]
    public async Task One_service_that_failed_ends_the_wait_with_what_is_not_well()
    {
        await using var daemon = await RunningAsync(Both(ServiceState.Failed, ServiceState.Waiting) with
        {
            Services = [Sample.Service("redis", ServiceState.Failed) with { Reason = "exited with 1: no such file" }, Sample.Service("vision", ServiceState.Waiting) with { WaitsFor = ["redis"] }],
        });

        var code = _world.Run("up", "-d");

        Assert.Equal(ExitCode.NotAsItShouldBe, code);
        Assert.Equal("ai-system is not up: 1 waiting, 1 failed after 0 ms\n", _world.Output.ToString());
        Assert.Contains("  `redis` is failed: exited with 1: no such file\n  `vision` is waiting: for redis\n", _world.Error.ToString());
    }

    [Fact]
    public async Task A_service_that_keeps_ending_is_not_waited_for_for_ever()
    {
        await using var daemon = await RunningAsync(Sample.Estate(
            Sample.Service("redis", ServiceState.Backoff) with { Restarts = 5 }, Sample.Service("vision", ServiceState.Waiting)));

        Assert.Equal(ExitCode.NotAsItShouldBe, _world.Run("up", "-d"));
    }

    [Fact]
    public async Task A_daemon_that_refuses_the_file_ends_it_as_refused_with_the_reason()
    {
        await using var daemon = await RunningAsync(Both(ServiceState.Healthy, ServiceState.Healthy));
        daemon.Answers["POST /v1/apply"] = (200, """
            {"accepted":false,"plan":{"estate":"ai-system","refused":true},"diagnostics":[{"code":"PLN030","severity":"error","file":"stoker.yaml","line":3,"column":3,"message":"port 6379 is taken","hint":"free it"}]}
            """);

        Assert.Equal(ExitCode.Refused, _world.Run("up", "-d"));
        Assert.Equal("stoker.yaml:3:3: error PLN030: port 6379 is taken\n  hint: free it\n", _world.Error.ToString());
    }

    [Fact]
    public void A_file_that_the_new_daemon_refuses_is_told_with_its_lines_and_not_the_daemons_end()
    {
        _world.Write("stoker.yaml", Estate.Replace("[redis]", "[rediss]"));
        _world.Daemons.Exit.SetResult(ExitStatus.Exited(1));

        Assert.Equal(ExitCode.EstateIsWrong, _world.Run("up", "-d"));
        Assert.StartsWith("stoker.yaml:4:", _world.Error.ToString());
        Assert.DoesNotContain("ended before it answered", _world.Error.ToString());
    }

    [Fact]
    public async Task Warnings_of_the_new_daemon_are_told()
    {
        FakeDaemon? daemon = null;
        _world.Daemons.OnStart = started =>
        {
            daemon = FakeDaemon.StartAsync(_world.State, Both(ServiceState.Healthy, ServiceState.Running)).GetAwaiter().GetResult();
            daemon.Answers["GET /v1/daemon"] = (200, Json(Document, ControlJson.Readable.DaemonDocument));
            daemon.Answers["GET /v1/apply"] = (200, """
                {"accepted":true,"plan":null,"comes_up":["redis"],
                 "diagnostics":[{"code":"PLN050","severity":"warning","file":"stoker.yaml","line":3,"column":3,"message":"no limit of memory can be held to here","hint":null}]}
                """);
            return null;
        };

        Assert.Equal(ExitCode.Done, _world.Run("up", "-d"));
        Assert.StartsWith("stoker.yaml:3:3: warning PLN050: no limit of memory can be held to here\n", _world.Error.ToString());
        await daemon!.DisposeAsync();
    }

    [Fact]
    public async Task Ctrl_C_at_somebody_elses_daemon_only_stops_watching()
    {
        await using var daemon = await RunningAsync(Both(ServiceState.Healthy, ServiceState.Healthy));
        daemon.OnAsked = asked =>
        {
            if (asked == "GET /v1/status") _world.Interrupts.Press();
        };

        Assert.Equal(ExitCode.Done, _world.Run("up"));
        Assert.EndsWith("no longer watching; the daemon (pid 700) goes on, `stoker down` stops it\n", _world.Error.ToString());
        Assert.DoesNotContain(daemon.Asked, asked => asked.Contains("/down", StringComparison.Ordinal));
    }

    [Fact]
    public void In_the_foreground_the_first_Ctrl_C_stops_in_order_and_the_second_kills()
    {
        FakeDaemon? daemon = null;
        var ended = new TaskCompletionSource<int>();
        _world.Daemons.OnRun = async (options, _) =>
        {
            daemon = await FakeDaemon.StartAsync(_world.State, Both(ServiceState.Healthy, ServiceState.Healthy), made =>
            {
                made.Answers["GET /v1/daemon"] = (200, Json(Document, ControlJson.Readable.DaemonDocument));
                made.Answers["POST /v1/down"] = (200, """{"accepted":true}""");
                made.Answers["POST /v1/daemon/stop"] = (200, """{"accepted":true}""");
                made.OnAsked = asked =>
                {
                    // Once while it is looked at, once while it stops.
                    if (asked == "GET /v1/status") _world.Interrupts.Press();
                    if (asked == "POST /v1/daemon/stop") ended.SetResult(0);
                };
            });
            Assert.NotNull(options.First);
            var code = await ended.Task;
            await daemon.DisposeAsync();
            return code;
        };

        var code = _world.Run("up");

        Assert.Equal(ExitCode.Done, code);
        Assert.Contains("stopping everything in order; once more to kill it\n", _world.Error.ToString());
        Assert.Equal(
            ["POST /v1/down {}", """POST /v1/daemon/stop {"services":"kill"}"""],
            daemon!.Asked.Where(a => a.StartsWith("POST", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_daemon_that_cannot_be_started_is_said()
    {
        _world.Daemons.OnStart = _ => "/usr/local/bin/stoker is not there";

        Assert.Equal(ExitCode.NotAsItShouldBe, _world.Run("up", "-d"));
        Assert.Equal("stoker: the daemon could not be started: /usr/local/bin/stoker is not there\n", _world.Error.ToString());
    }

    private static DaemonDocument Document { get; } = new(700, "0.1.0", "ai-system", null, Sample.Ago(60), "unix:x", "/state", false, []);

    private async Task<FakeDaemon> RunningAsync(StatusDocument status)
    {
        var daemon = await FakeDaemon.StartAsync(_world.State, status);
        daemon.Answers["GET /v1/daemon"] = (200, Json(Document, ControlJson.Readable.DaemonDocument));
        daemon.Answers["POST /v1/apply"] = (200, """
            {"accepted":true,"plan":{"estate":"ai-system","changes":[{"service":"redis","change":"start","reason":""},{"service":"vision","change":"keep","reason":""},{"service":"old","change":"stop","reason":""}]},"diagnostics":[],"comes_up":["redis","vision"]}
            """);
        return daemon;
    }

    private static StatusDocument Both(ServiceState redis, ServiceState vision) => Sample.Estate(Sample.Service("redis", redis), Sample.Service("vision", vision));

    private static string Json<T>(T document, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.Serialize(document, type);
}
