using Stoker.Estates;
using Stoker.Planning;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

/// <summary>A service with a GPU starts where there is room for it, and with it ends what it shares.</summary>
public sealed class RoomTests : IDisposable
{
    private static readonly ServicePlan Vision = FakeMachine.Plan("vision", s => s with { Restart = new RestartSpec(RestartMode.Always) }) with { Gpus = ["GPU 0 (RTX 4090)"] };

    private readonly FakeHost _host = new();
    private volatile StartRoom _room = new StartRoom.There();

    public RoomTests() => _host.Doors.Room = (_, _) => ValueTask.FromResult(_room);

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Without_room_it_waits_with_the_reason_and_starts_when_there_is_some()
    {
        _room = new StartRoom.NotNow("6 GiB on GPU 0: 2 GiB are free");
        _host.Apply(Vision);
        await _host.UntilAsync(() => _host.Status("vision")?.Reason == "waits for 6 GiB on GPU 0: 2 GiB are free");
        Assert.Equal(ServiceState.Waiting, _host.State("vision"));
        Assert.Empty(_host.Launched);
        _room = new StartRoom.NotNow("6 GiB on GPU 0: 3 GiB are free");
        await _host.UntilAsync(() => _host.Status("vision")?.Reason == "waits for 6 GiB on GPU 0: 3 GiB are free");

        _room = new StartRoom.There();
        await _host.UntilAsync(() => _host.State("vision") == ServiceState.Running);
        Assert.Single(_host.Journal, line => line.Contains("\"waiting\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_can_never_fit_has_failed_with_the_reason()
    {
        _room = new StartRoom.Never("it needs 40 GiB on GPU 0, which has 12 GiB");
        _host.Apply(Vision);
        await _host.UntilAsync(() => _host.State("vision") == ServiceState.Failed);
        Assert.Equal("it needs 40 GiB on GPU 0, which has 12 GiB", _host.Status("vision")!.Reason);
    }

    [Fact]
    public async Task Each_start_asks_and_a_stop_while_it_waits_holds()
    {
        _host.Apply(Vision);
        await _host.UntilAsync(() => _host.State("vision") == ServiceState.Running);
        _room = new StartRoom.NotNow("room");
        _host.Exit("vision", 1);
        await _host.UntilAsync(() => _host.Status("vision")?.Reason == "waits for room");
        _host.Supervisor.Stop(Vision.Name);
        await _host.UntilAsync(() => _host.State("vision") == ServiceState.Stopped);
        _room = new StartRoom.There();
        _host.Supervisor.Start(Vision.Name);
        await _host.UntilAsync(() => _host.State("vision") == ServiceState.Running);
        Assert.Equal(["vision", "vision"], _host.Launched);
    }

    [Fact]
    public async Task A_run_that_is_ended_for_its_overuse_comes_back_by_its_restart_policy()
    {
        _host.Apply(Vision);
        await _host.UntilAsync(() => _host.State("vision") == ServiceState.Running);
        _host.Supervisor.End(Vision.Name, 1, "vision uses 8 GiB of GPU 0 and declared 6 GiB (on_overuse: end)");
        await _host.UntilAsync(() => _host.Launched.Count == 2);
        Assert.Contains(_host.Journal, line => line.Contains("vision is ended: vision uses 8 GiB of GPU 0 and declared 6 GiB", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clients_restart_when_the_server_that_they_share_has_ended_and_wait_for_the_next_one()
    {
        var server = FakeMachine.Plan("gpu0-mps", s => s with { Restart = new RestartSpec(RestartMode.Always) });
        var client = Vision with { Dependencies = [new DependencyPlan(server.Name, DependencyCondition.Started, false, true, false, "shared") { Shared = true }] };
        var other = FakeMachine.Plan("other", dependsOn: [new DependencyPlan(server.Name, DependencyCondition.Started, false, true, false, "depends_on")]);
        _host.Apply(server, client, other);
        await _host.UntilAsync(() => _host.State("vision") == ServiceState.Running && _host.State("other") == ServiceState.Running);

        _host.Exit("gpu0-mps", 1);
        await _host.UntilAsync(() => _host.Launched.Count(n => n == "vision") == 2 && _host.State("vision") == ServiceState.Running);

        Assert.Equal(2, _host.Launched.Count(n => n == "gpu0-mps"));
        Assert.Single(_host.Launched, n => n == "other");
        Assert.True(_host.Launched.ToList().LastIndexOf("gpu0-mps") < _host.Launched.ToList().LastIndexOf("vision"));
        Assert.Contains(_host.Journal, line => line.Contains("`gpu0-mps` has ended", StringComparison.Ordinal));
    }
}
