using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class StoppingTests
{
    private static ServiceFact Stop(DateTimeOffset at) => new ServiceFact.StopRequested(at, new HashSet<ServiceName>(), Forget: false, "asked to stop");

    [Fact]
    public void The_main_process_is_asked_first_and_what_is_left_gets_the_same_signal()
    {
        var machine = new FakeMachine().Service("app").Up().Ask("app", Stop);

        Assert.Equal(["app launch", $"app signal {Signals.Terminate}", $"app sweep {Signals.Terminate}"], machine.Done);
        Assert.Equal(ServiceState.Stopped, machine.State("app"));
    }

    [Fact]
    public void What_ignores_its_stop_signal_is_killed_when_the_grace_is_over_and_not_before()
    {
        var machine = new FakeMachine().Service("app", s => s with { StopGracePeriod = TimeSpan.FromSeconds(4) }, new Behaviour { IgnoresTerm = true }).Up().Ask("app", Stop);

        machine.Pass(TimeSpan.FromSeconds(3.9));
        Assert.Equal(ServiceState.Stopping, machine.State("app"));
        Assert.Single(machine.Pids("app"));

        machine.Pass(TimeSpan.FromSeconds(0.2));
        Assert.Equal(ServiceState.Stopped, machine.State("app"));
        Assert.Empty(machine.Pids("app"));
        Assert.Contains("app did not end within 4 s of SIGTERM, and is killed", machine.Journal);
    }

    [Fact]
    public void Dependents_end_before_what_they_depend_on()
    {
        var machine = new FakeMachine()
            .Service("db")
            .Service("api", behaviour: new Behaviour { IgnoresTerm = true }, dependsOn: ("db", DependencyCondition.Started))
            .Service("web", dependsOn: ("api", DependencyCondition.Started))
            .Up()
            .Down();
        Assert.Equal(ServiceState.Running, machine.State("db"));
        Assert.Equal("stops after `api`", machine.Reason("db"));

        machine.Pass(TimeSpan.FromSeconds(11));

        Assert.Empty(machine.Processes);
        Assert.Equal(3, machine.Retired.Count);
        Assert.True(machine.Done.IndexOf("web signal 15") < machine.Done.IndexOf("api signal 15"));
        Assert.True(machine.Done.LastIndexOf("api sweep 9") < machine.Done.IndexOf("db signal 15"));
    }

    [Fact]
    public void A_start_while_it_stops_starts_it_again_when_it_is_gone()
    {
        var machine = new FakeMachine().Service("app", behaviour: new Behaviour { IgnoresTerm = true }).Up().Ask("app", Stop);

        machine.Ask("app", at => new ServiceFact.StartRequested(at, ByName: true)).Pass(TimeSpan.FromSeconds(11));

        Assert.Equal(ServiceState.Running, machine.State("app"));
        Assert.Single(machine.Pids("app"));
    }

    [Fact]
    public void A_down_in_the_middle_of_an_up_leaves_nothing()
    {
        var machine = new FakeMachine()
            .Service("db", s => s with { Healthcheck = FakeMachine.Check() })
            .Service("app", dependsOn: ("db", DependencyCondition.Healthy))
            .Up()
            .Down()
            .Probe("db", healthy: true);

        Assert.Empty(machine.Processes);
        Assert.Equal(2, machine.Retired.Count);
        Assert.DoesNotContain("app launch", machine.Done);
    }

    [Fact]
    public void Pre_stop_runs_before_the_signal()
    {
        var hook = new HookSpec(["drain"], null, null, new Dictionary<string, string>(), SourcePosition.Whole("stoker.yaml"));
        var machine = new FakeMachine().Service("app", s => s with { PreStop = [hook] }).Up().Ask("app", Stop);

        Assert.Equal(["app launch", "app hook PreStop", "app signal 15", "app sweep 15"], machine.Done);
    }

    [Fact]
    public void Scaling_down_ends_the_last_replicas_and_keeps_the_first()
    {
        var machine = new FakeMachine().Service("app", replicas: 3).Up();
        var first = machine.Pids("app")[0];

        machine.Ask("app", at => new ServiceFact.PlanChanged(at, FakeMachine.Plan("app", replicas: 1)));

        Assert.Equal([first], machine.Pids("app"));
        Assert.Single(machine.Life("app").Replicas);
    }

    [Fact]
    public void Scaling_to_nothing_and_back_starts_afresh()
    {
        var machine = new FakeMachine().Service("app").Up();

        machine.Ask("app", at => new ServiceFact.PlanChanged(at, FakeMachine.Plan("app", replicas: 0)));
        Assert.Empty(machine.Processes);
        Assert.Equal("scaled to 0", machine.Reason("app"));

        machine.Ask("app", at => new ServiceFact.PlanChanged(at, FakeMachine.Plan("app", replicas: 2)));
        Assert.Equal(2, machine.Pids("app").Count);
    }

    [Fact]
    public void A_changed_declaration_restarts_and_a_changed_healthcheck_does_not()
    {
        var machine = new FakeMachine().Service("app").Up();
        var first = machine.Pids("app");

        machine.Ask("app", at => new ServiceFact.PlanChanged(at, FakeMachine.Plan("app", s => s with { Healthcheck = FakeMachine.Check() })));
        Assert.Equal(first, machine.Pids("app"));

        machine.Ask("app", at => new ServiceFact.PlanChanged(at, FakeMachine.Plan("app", fingerprint: "f2")));
        Assert.NotEqual(first, machine.Pids("app"));
        Assert.Single(machine.Pids("app"));
        Assert.Contains("app is stopped: its declaration changed", machine.Journal);
    }
}
