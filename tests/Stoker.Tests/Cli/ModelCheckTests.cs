using System.Text.Json;
using Stoker.Cli;
using Stoker.Daemon.Protocol;
using Stoker.Models.Simulator;
using Stoker.Tests.Models.Simulator;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Cli;

/// <summary>`stoker model check` before real simulated servers.</summary>
public sealed class ModelCheckTests : IDisposable
{
    private readonly FakeWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task A_replica_that_answers_fast_enough_to_the_end_is_ok()
    {
        await using var bench = Steady();
        await using var daemon = await DaemonAsync(Model("phi", "loaded", Server(bench)));
        Assert.Equal(ExitCode.Done, Check("--floor", "0.01"));
        var replica = Assert.Single(Document().Replicas);
        Assert.Equal(("phi", 1, "ok"), (replica.Model, replica.Replica, replica.Result));
        Assert.Equal(0.01, replica.Floor);
        Assert.InRange(replica.Tokens!.Value, 8, 32);
        Assert.True(replica.TokensPerSecond > 0.01 && replica.FirstTokenSeconds > 0);
        Assert.Null(replica.Why);
    }

    [Fact]
    public async Task A_replica_below_the_floor_of_its_model_ends_with_1()
    {
        await using var bench = Steady();
        await using var daemon = await DaemonAsync(Model("phi", "loaded", Server(bench)) with { Floor = 1_000_000 });
        Assert.Equal(ExitCode.NotAsItShouldBe, Check());
        var replica = Assert.Single(Document().Replicas);
        Assert.Equal(("below", 1_000_000), (replica.Result, replica.Floor));
    }

    [Fact]
    public async Task Every_replica_is_asked_and_one_that_breaks_off_fails_for_itself()
    {
        await using var well = Steady();
        await using var broken = Steady();
        (await broken.Client.PostAsync("/admin/faults", new StringContent("""{"reset-after": 10}"""))).EnsureSuccessStatusCode();
        await using var daemon = await DaemonAsync(Model("phi", "loaded", Server(well), Server(broken, 2)));
        Assert.Equal(ExitCode.NotAsItShouldBe, Check("--floor", "0.01"));
        var replicas = Document().Replicas;
        Assert.Equal(["ok", "failed"], replicas.Select(r => r.Result));
        Assert.Matches("^the connection broke \\(.+\\), after [0-9]+ pieces of the answer$", replicas[1].Why);
    }

    [Fact]
    public async Task A_stream_that_ends_before_its_end_fails()
    {
        await using var bench = Steady();
        (await bench.Client.PostAsync("/admin/faults", new StringContent("""{"end-after": 10}"""))).EnsureSuccessStatusCode();
        await using var daemon = await DaemonAsync(Model("phi", "loaded", Server(bench)));
        Assert.Equal(ExitCode.NotAsItShouldBe, Check("--floor", "0.01"));
        Assert.StartsWith("the stream ended before its end, after ", Assert.Single(Document().Replicas).Why);
    }

    [Fact]
    public async Task A_server_elsewhere_gets_its_key_and_says_in_its_words_when_it_is_wrong()
    {
        await using var bench = Steady(o => o with { Keys = ["secret"] });
        _world.Write("key", "secret\n");
        var far = Model("far", "elsewhere", new ModelServer(1, $"http://{bench.Server.Address}/v1", null));
        await using (await DaemonAsync(far with { KeyFile = Path.Combine(_world.Directory, "key") })) Assert.Equal(ExitCode.Done, Check("--floor", "0.01"));
        await using (await DaemonAsync(far with { KeyVariable = "FAR_KEY" }))
        {
            Assert.Equal(ExitCode.NotAsItShouldBe, Check());
            Assert.Equal("its key is not in this environment: `FAR_KEY` is not set", Assert.Single(Document().Replicas).Why);
            _world.Variables["FAR_KEY"] = "wrong";
            Assert.Equal(ExitCode.NotAsItShouldBe, Check());
            Assert.StartsWith("answered 401: ", Assert.Single(Document().Replicas).Why);
        }
    }

    [Fact]
    public async Task What_nobody_answers_for_fails_with_the_reason()
    {
        using var nobody = new HeldPort();
        await using var daemon = await DaemonAsync(Model("phi", "loaded", new ModelServer(1, $"http://{nobody.Address}/v1", true)));
        Assert.Equal(ExitCode.NotAsItShouldBe, Check());
        Assert.Equal("cannot be asked: Connection refused", Assert.Single(Document().Replicas).Why);
    }

    [Fact]
    public async Task A_replica_that_says_nothing_fails_when_its_time_is_over()
    {
        await using var bench = Steady();
        (await bench.Client.PostAsync("/admin/faults", new StringContent("""{"stall-after": 10}"""))).EnsureSuccessStatusCode();
        await using var daemon = await DaemonAsync(Model("phi", "loaded", Server(bench)));
        Assert.Equal(ExitCode.NotAsItShouldBe, Check("--timeout", "700ms"));
        Assert.Matches("^no end within 0.7 s; [0-9]+ pieces of the answer until then$", Assert.Single(Document().Replicas).Why);
    }

    [Fact]
    public async Task What_is_not_loaded_is_said_and_left_alone_unless_it_was_named()
    {
        await using var bench = Steady();
        await using var daemon = await DaemonAsync(
            Model("phi", "loaded", Server(bench)), Model("large", "unloaded", new ModelServer(1, "http://127.0.0.1:1/v1", false)) with { Reason = "starts on request" });
        Assert.Equal(ExitCode.Done, Check("--floor", "0.01"));
        Assert.Equal("phi", Assert.Single(Document().Replicas).Model);
        Assert.Equal(new SkippedReplica("large", 1, "unloaded", "starts on request"), Assert.Single(Document().Skipped));
        Assert.Equal(ExitCode.NotAsItShouldBe, Check("large"));
        Assert.Empty(Document().Replicas);
    }

    [Fact]
    public async Task A_model_that_failed_is_told_without_asking_it()
    {
        await using var daemon = await DaemonAsync(Model("phi", "failed", new ModelServer(1, "http://127.0.0.1:1/v1", false)) with { Reason = "exited with 1" });
        Assert.Equal(ExitCode.NotAsItShouldBe, Check());
        Assert.Equal(("failed", "exited with 1"), (Document().Replicas[0].Result, Document().Replicas[0].Why));
    }

    [Fact]
    public async Task For_people_it_is_a_table_that_marks_stand_ins()
    {
        await using var bench = Steady();
        await using var daemon = await DaemonAsync(Model("phi", "loaded", Server(bench)) with { StandIn = "`vllm` is not installed" });
        Assert.Equal(ExitCode.Done, _world.Run("model", "check", "--floor", "0.01", "--tokens", "32"));
        Assert.Matches(
            "^MODEL  REPLICA  FIRST TOKEN  +TOKENS/S  FLOOR  RESULT  WHY\nphi          1  +[0-9]+(\\.[0-9])? m?s +[0-9.]+ +0  ok\\*     stand-in: `vllm` is not installed\n$",
            _world.Output.ToString());
    }

    /// <summary>A token every 2 ms at the fastest, so that no stream comes at once.</summary>
    private static Bench Steady(Func<SimulatorOptions, SimulatorOptions>? with = null) => Bench.Start(options =>
    {
        var steady = options with { Itl = new LatencySpec(Bench.Ms(2)), Mode = AnswerMode.Echo };
        return with is null ? steady : with(steady);
    });

    private static ModelServer Server(Bench bench, int index = 1) => new(index, $"http://{bench.Server.Address}/v1", true);

    private static ModelDocument Model(string key, string state, params ModelServer[] servers) =>
        new(key, key, "vllm", state) { Replicas = servers.Length, Loaded = servers.Count(s => s.Loaded == true), Servers = servers, UpstreamName = "m", Floor = 0.5 };

    private async Task<FakeDaemon> DaemonAsync(params ModelDocument[] models)
    {
        var daemon = await FakeDaemon.StartAsync(_world.State, Sample.Estate());
        daemon.Answers["GET /v1/models"] = (200, JsonSerializer.Serialize(new ModelsDocument("box", models), ControlJson.Readable.ModelsDocument));
        return daemon;
    }

    private ExitCode Check(params string[] words)
    {
        _world.Output.GetStringBuilder().Clear();
        return _world.Run(["model", "check", "--json", "--tokens", "32", .. words]);
    }

    private ModelCheckDocument Document() => JsonSerializer.Deserialize(_world.Output.ToString(), CliJson.Default.ModelCheckDocument)!;
}
