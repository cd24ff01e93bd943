using FsCheck;
using FsCheck.Fluent;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

/// <summary>Services that leave the estate and come back to it, and estates that go down and up again, while what ran is still ending.</summary>
public sealed class ComingAndGoingTests : IDisposable
{
    private static readonly ServicePlan Web = FakeMachine.Plan("web", s => s with { Restart = new RestartSpec(RestartMode.Always) });
    private static readonly ServicePlan Db = FakeMachine.Plan("db");
    private static readonly ServicePlan Api = FakeMachine.Plan("api", dependsOn: [new DependencyPlan(new ServiceName("db"), DependencyCondition.Started, false, true, false, "depends_on")]);

    private readonly FakeHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task A_service_that_comes_back_while_it_stops_is_started_when_it_is_gone()
    {
        await StopsStubbornlyAsync(Web);

        _host.Apply(Web);
        Assert.Equal(ServiceState.Stopping, _host.State("web"));
        _host.Release();
        await _host.UntilAsync(() => _host.State("web") == ServiceState.Running);

        Assert.Equal(["web", "web"], _host.Launched);
        Assert.Empty(_host.Faults);
    }

    [Fact]
    public async Task What_had_failed_is_not_failed_any_more_when_a_second_up_is_answered()
    {
        for (var round = 1; round <= 50; round++)
        {
            await _host.ApplyAsync(Db);
            Assert.NotEqual(ServiceState.Failed, _host.State("db"));
            await _host.UntilAsync(() => _host.Living.Count == 1);
            _host.Exit("db", code: 1);
            await _host.UntilAsync(() => _host.State("db") == ServiceState.Failed);
            Assert.Equal(round, _host.Launched.Count);
        }
    }

    [Fact]
    public async Task A_bug_in_one_decision_is_told_and_costs_the_service_nothing_more()
    {
        _host.HasBug = true;
        _host.Apply(Web);
        await _host.UntilAsync(() => _host.Living.Count == 1 && !_host.HasBug);

        await FakeHost.OrHangsAsync(_host.Supervisor.Down("down"));
        Assert.Empty(_host.Living);
        Assert.Contains(_host.Journal, line => line.Contains("supervision_failed", StringComparison.Ordinal) && line.Contains("a bug of the test's", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_that_comes_back_as_it_retires_is_started()
    {
        for (var round = 0; round < 300; round++)
        {
            _host.Apply(Web);
            await _host.UntilAsync(() => _host.State("web") == ServiceState.Running);
            _host.Apply();
            if (round % 3 > 0) await _host.UntilAsync(() => _host.Living.Count == 0);
            if (round % 3 > 1) await _host.UntilAsync(() => _host.Status("web") is null);
        }

        _host.Apply(Web);
        await _host.UntilAsync(() => _host.State("web") == ServiceState.Running);
        Assert.Equal(301, _host.Launched.Count);
        Assert.Empty(_host.Faults);
    }

    [Fact]
    public async Task A_service_that_comes_and_goes_while_it_stops_is_not_started_in_between()
    {
        await StopsStubbornlyAsync(Web);

        _host.Apply(Web);
        _host.Apply();
        _host.Apply(Web);
        _host.Apply();
        _host.Release();

        await _host.UntilAsync(() => _host.Status("web") is null && _host.Living.Count == 0);
        await FakeHost.OrHangsAsync(_host.Supervisor.Down("down"));
        Assert.Equal(["web"], _host.Launched);
        Assert.True(_host.Supervisor.IsEmpty);
    }

    [Fact]
    public async Task What_is_leaving_can_neither_be_started_nor_scaled_but_by_an_up()
    {
        await StopsStubbornlyAsync(Web);

        var refused = Assert.IsType<RequestOutcome.Refused>(_host.Supervisor.Start(Web.Name));
        Assert.IsType<RequestOutcome.Refused>(_host.Supervisor.Scale(FakeMachine.Plan("web", replicas: 2)));
        Assert.Equal("service `web` is leaving the estate: it is being stopped for good", refused.Why);

        _host.Release();
        await FakeHost.OrHangsAsync(_host.Supervisor.Down("down"));
        Assert.Equal(["web"], _host.Launched);
    }

    [Fact]
    public async Task A_down_waits_for_what_was_leaving_before_it()
    {
        await StopsStubbornlyAsync(Web);

        var down = _host.Supervisor.Down("down");
        Assert.False(down.IsCompleted);
        Assert.False(_host.Supervisor.IsEmpty);
        _host.Release();

        await FakeHost.OrHangsAsync(down);
        Assert.True(_host.Supervisor.IsEmpty);
    }

    [Fact]
    public async Task An_up_in_the_middle_of_a_down_comes_up_when_that_is_done()
    {
        _host.IsStubborn = true;
        _host.Apply(Db, Api);
        await _host.UntilAsync(() => _host.Living.Count == 2);
        var down = _host.Supervisor.Down("down");

        _host.Apply(Db, Api);
        Assert.Equal(["db", "api"], _host.Launched);
        _host.Release();

        await FakeHost.OrHangsAsync(down);
        await _host.UntilAsync(() => _host.State("api") == ServiceState.Running);
        // The api that comes back waits for the db that comes back, not for the one that goes.
        Assert.Equal(["db", "api", "db", "api"], _host.Launched);
        Assert.False(_host.Supervisor.IsEmpty);
        Assert.Empty(_host.Faults);
    }

    [Fact]
    public async Task What_is_leaving_is_shown_as_stopping_at_once_also_while_it_waits_for_its_dependents()
    {
        _host.IsStubborn = true;
        _host.Apply(Db, Api);
        await _host.UntilAsync(() => _host.State("api") == ServiceState.Running);

        var down = _host.Supervisor.Down("down");
        Assert.Equal(ServiceState.Stopping, _host.State("db"));
        Assert.Equal(ServiceState.Stopping, _host.State("api"));
        await _host.UntilAsync(() => _host.Status("db")?.Reason == "stops after `api`");
        Assert.Equal(ServiceState.Stopping, _host.State("db"));

        _host.Release();
        await FakeHost.OrHangsAsync(down);
    }

    [Fact]
    public async Task A_daemon_that_lets_go_starts_nothing_that_was_to_come_back()
    {
        // Many, so that some are let go in the moment in which their earlier life ends by the same.
        List<ServicePlan> plans = [.. Enumerable.Range(0, 1000).Select(i => FakeMachine.Plan($"web{i:000}"))];
        _host.IsStubborn = true;
        await FakeHost.OrHangsAsync(_host.ApplyAsync(plans));
        await _host.UntilAsync(() => plans.TrueForAll(p => _host.State(p.Name.Value) == ServiceState.Running));
        _host.Apply();
        await _host.UntilAsync(() => plans.TrueForAll(p => _host.Status(p.Name.Value)?.Replicas is [{ State: ServiceState.Stopping }]));
        _host.Apply(plans);

        await FakeHost.OrHangsAsync(_host.Supervisor.LetGoAsync());

        Assert.Equal(plans.Select(p => p.Name.Value), _host.Launched.Order(StringComparer.Ordinal));
        Assert.Equal(plans.Select(p => $"{p.Name}.1"), _host.Living);
        Assert.Empty(_host.Faults);
    }

    [Theory]
    [InlineData(nameof(ServiceState.Waiting))]
    [InlineData(nameof(ServiceState.Starting))]
    [InlineData(nameof(ServiceState.Running))]
    [InlineData(nameof(ServiceState.Backoff))]
    [InlineData(nameof(ServiceState.Stopping))]
    [InlineData(nameof(ServiceState.Stopped))]
    [InlineData(nameof(ServiceState.Completed))]
    [InlineData(nameof(ServiceState.Failed))]
    public async Task A_down_ends_in_every_state_and_twice(string state)
    {
        await BringToAsync(Enum.Parse<ServiceState>(state));

        var first = _host.Supervisor.Down("down");
        var second = _host.Supervisor.Down("down");
        _host.Release();

        await FakeHost.OrHangsAsync(Task.WhenAll(first, second));
        Assert.True(_host.Supervisor.IsEmpty);
        Assert.Empty(_host.Living);
        Assert.Empty(_host.Doors.Board.Statuses);
    }

    [Fact]
    public async Task A_second_interrupt_kills_what_is_leaving_too()
    {
        await StopsStubbornlyAsync(Web);

        _host.Supervisor.KillAll();

        await FakeHost.OrHangsAsync(_host.Supervisor.Down("down"));
        Assert.Empty(_host.Living);
    }

    [Fact]
    public void After_any_sequence_of_ups_downs_and_deaths_the_last_wish_holds() =>
        Prop.ForAll(Gen.ListOf(Gen.Choose(0, 10_000)).ToArbitrary(), steps =>
        {
            using var host = new FakeHost { RetriesSoon = true };
            RunAsync(host, steps).GetAwaiter().GetResult();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150).WithEndSize(40));

    private static async Task RunAsync(FakeHost host, IEnumerable<int> steps)
    {
        ServicePlan[] wanted = [];
        var downs = new List<Task>();
        foreach (var step in steps)
        {
            switch (step % 8)
            {
                case 0 or 1 or 2:
                    wanted = Choose(step / 8);
                    host.Apply(wanted);
                    break;
                case 3:
                    wanted = [];
                    downs.Add(host.Supervisor.Down("down"));
                    break;
                case 4:
                    host.Exit(step / 8 % 2 == 0 ? "web" : "db", code: step / 16 % 2);
                    break;
                case 5:
                    host.IsStubborn = true;
                    break;
                case 6:
                    host.Release();
                    break;
                default:
                    await Task.Yield();
                    break;
            }
        }

        host.Release();
        await FakeHost.OrHangsAsync(Task.WhenAll(downs));
        var names = wanted.Select(p => p.Name.Value).ToHashSet();
        await host.UntilAsync(() => host.Doors.Board.Statuses.Keys.Select(n => n.Value).ToHashSet().SetEquals(names)
            && names.All(n => host.State(n) is ServiceState.Running or ServiceState.Completed));
        Assert.All(host.Living, key => Assert.Contains(key.Split('.')[0], names));
        Assert.Empty(host.Faults);
        await FakeHost.OrHangsAsync(host.Supervisor.Down("down"));
        Assert.True(host.Supervisor.IsEmpty);
        Assert.Empty(host.Living);
    }

    /// <summary>Any of them, sometimes changed; the api never without its db.</summary>
    private static ServicePlan[] Choose(int step)
    {
        var fingerprint = step / 4 % 3 == 0 ? "f2" : "f1";
        return (step % 4) switch
        {
            0 => [Web with { Fingerprint = fingerprint }],
            1 => [Web, Db with { Spec = Db.Spec with { Restart = new RestartSpec(RestartMode.Always) } }, Api],
            2 => [Db with { Fingerprint = fingerprint, Spec = Db.Spec with { Restart = new RestartSpec(RestartMode.Always) } }],
            _ => [],
        };
    }

    /// <summary>Runs the service and takes it out of the estate, which it does not leave before it is released.</summary>
    private async Task StopsStubbornlyAsync(ServicePlan plan)
    {
        _host.IsStubborn = true;
        _host.Apply(plan);
        await _host.UntilAsync(() => _host.State(plan.Name.Value) == ServiceState.Running);
        _host.Apply();
        await _host.UntilAsync(() => _host.Status(plan.Name.Value)?.Replicas is [{ State: ServiceState.Stopping }]);
    }

    private async Task BringToAsync(ServiceState state)
    {
        var restart = state == ServiceState.Backoff ? RestartMode.Always : RestartMode.No;
        var check = state == ServiceState.Starting ? FakeMachine.Check(startPeriod: TimeSpan.FromMinutes(1)) : null;
        var app = FakeMachine.Plan("web", s => s with { Restart = new RestartSpec(restart), Healthcheck = check });
        _host.IsStubborn = state == ServiceState.Stopping;
        if (state == ServiceState.Waiting)
        {
            var never = FakeMachine.Plan("db", s => s with { Healthcheck = FakeMachine.Check(startPeriod: TimeSpan.FromMinutes(1)) });
            _host.Apply(never, app with { Dependencies = [Api.Dependencies[0] with { Condition = DependencyCondition.Healthy }] });
        }
        else
        {
            _host.Apply(app);
            await _host.UntilAsync(() => _host.Living.Count == 1 && _host.State("web") is ServiceState.Running or ServiceState.Starting);
        }

        if (state is ServiceState.Stopping or ServiceState.Stopped) _host.Supervisor.Stop(app.Name);
        if (state is ServiceState.Completed or ServiceState.Failed) _host.Exit("web", state == ServiceState.Failed ? 1 : 0);
        while (state == ServiceState.Backoff && _host.State("web") != state)
        {
            _host.Exit("web", 1);
            await _host.UntilAsync(() => _host.State("web") is ServiceState.Running or ServiceState.Backoff);
        }

        await _host.UntilAsync(() => _host.State("web") == state);
    }
}
