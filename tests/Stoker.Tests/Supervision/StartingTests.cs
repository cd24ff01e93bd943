using Stoker.Estates;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class StartingTests
{
    private static ServiceSpec Checked(ServiceSpec spec) => spec with { Healthcheck = FakeMachine.Check() };

    [Fact]
    public void A_service_without_a_healthcheck_is_running_once_it_is_alive()
    {
        var machine = new FakeMachine().Service("app").Up();

        Assert.Equal(ServiceState.Running, machine.State("app"));
        Assert.Single(machine.Pids("app"));
    }

    [Fact]
    public void What_starts_on_request_is_left_alone_until_it_is_asked_for_by_name()
    {
        var machine = new FakeMachine().Service("model", s => s with { StartsOnRequest = true }).Service("app").Up();
        Assert.Equal(ServiceState.Stopped, machine.State("model"));
        Assert.Equal("starts on request", machine.Reason("model"));

        machine.Ask("model", at => new ServiceFact.StartRequested(at, ByName: true));
        Assert.Equal(ServiceState.Running, machine.State("model"));

        machine.Ask("model", at => new ServiceFact.StartRequested(at, ByName: false));
        Assert.Single(machine.Pids("model"));
    }

    [Fact]
    public void What_starts_on_request_and_was_stopped_stays_so_when_the_estate_is_brought_up_again()
    {
        var machine = new FakeMachine().Service("model", s => s with { StartsOnRequest = true }).Up();
        machine.Ask("model", at => new ServiceFact.StartRequested(at, ByName: true)).Ask("model", at => new ServiceFact.StopRequested(at, new HashSet<ServiceName>(), Forget: false, "idle"));

        machine.Up();

        Assert.Equal(ServiceState.Stopped, machine.State("model"));
    }

    [Fact]
    public void A_dependent_starts_only_when_its_dependency_is_healthy()
    {
        var machine = new FakeMachine().Service("db", Checked).Service("app", dependsOn: ("db", DependencyCondition.Healthy)).Up();
        Assert.Equal(ServiceState.Waiting, machine.State("app"));
        Assert.Equal("waits for `db`, which is starting", machine.Reason("app"));

        machine.Probe("db", healthy: true);

        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    [Fact]
    public void A_dependent_on_completion_waits_for_success_and_is_not_opened_by_failure()
    {
        var machine = new FakeMachine().Service("migrate").Service("app", dependsOn: ("migrate", DependencyCondition.CompletedSuccessfully)).Up();
        Assert.Equal("waits for `migrate`, which has not completed yet", machine.Reason("app"));

        machine.Exit("migrate", code: 1);
        Assert.Equal(ServiceState.Failed, machine.State("migrate"));
        Assert.Equal("waits for `migrate`, which has failed", machine.Reason("app"));

        machine.Ask("migrate", at => new ServiceFact.StartRequested(at, ByName: true)).Exit("migrate");
        Assert.Equal(ServiceState.Completed, machine.State("migrate"));
        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    /// <summary>process-compose issue 544: a late dependent was skipped for good after a transient loss of readiness.</summary>
    [Fact]
    public void A_dependent_waits_again_when_its_dependency_loses_health_before_it_started()
    {
        var machine = new FakeMachine()
            .Service("db", Checked)
            .Service("slow", Checked)
            .Service("app", dependsOn: [("db", DependencyCondition.Healthy), ("slow", DependencyCondition.Healthy)])
            .Up()
            .Probe("db", healthy: true);
        Assert.Equal("waits for `slow`, which is starting", machine.Reason("app"));

        for (var i = 0; i < 3; i++) machine.Pass(TimeSpan.FromSeconds(10)).Probe("db", healthy: false);
        machine.Probe("slow", healthy: true);
        Assert.Equal(ServiceState.Waiting, machine.State("app"));
        Assert.Equal("waits for `db`, which is unhealthy", machine.Reason("app"));

        machine.Probe("db", healthy: true);
        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    /// <summary>process-compose issue 530: a restart while waiting wedged the process in Terminating and started it twice.</summary>
    [Fact]
    public void A_restart_while_waiting_neither_wedges_nor_starts_twice()
    {
        var machine = new FakeMachine().Service("db", Checked).Service("app", dependsOn: ("db", DependencyCondition.Healthy)).Up();

        machine.Ask("app", at => new ServiceFact.RestartRequested(at, "asked")).Ask("app", at => new ServiceFact.RestartRequested(at, "asked"));
        Assert.Equal(ServiceState.Waiting, machine.State("app"));

        machine.Probe("db", healthy: true);
        Assert.Equal(ServiceState.Running, machine.State("app"));
        Assert.Single(machine.Done, "app launch");
    }

    [Fact]
    public void A_stop_while_waiting_stops_at_once_and_the_gate_no_longer_matters()
    {
        var machine = new FakeMachine().Service("db", Checked).Service("app", dependsOn: ("db", DependencyCondition.Healthy)).Up();

        machine.Ask("app", at => new ServiceFact.StopRequested(at, new HashSet<ServiceName>(), Forget: false, "asked to stop")).Probe("db", healthy: true);

        Assert.Equal(ServiceState.Stopped, machine.State("app"));
        Assert.DoesNotContain("app launch", machine.Done);
    }

    [Fact]
    public void An_optional_dependency_that_failed_holds_nobody_up()
    {
        var optional = FakeMachine.Plan("app", dependsOn: [new(new ServiceName("cache"), DependencyCondition.Healthy, Restart: false, Required: false, Remote: false, "depends_on")]);
        var machine = new FakeMachine().Service("cache", Checked, new Behaviour { CannotStart = true }).Add(optional).Up();

        Assert.Equal(ServiceState.Failed, machine.State("cache"));
        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    [Fact]
    public void A_crashed_service_waits_for_its_dependency_to_be_healthy_again_before_it_restarts()
    {
        var machine = new FakeMachine()
            .Service("db", s => Checked(s) with { Restart = new RestartSpec(RestartMode.Always) })
            .Service("app", s => s with { Restart = new RestartSpec(RestartMode.Always) }, dependsOn: ("db", DependencyCondition.Healthy))
            .Up()
            .Probe("db", healthy: true);

        machine.Exit("db", code: 1);
        machine.Exit("app", code: 1);
        Assert.Equal(ServiceState.Waiting, machine.State("app"));

        machine.Probe("db", healthy: true);
        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    [Fact]
    public void A_dependent_that_says_restart_true_follows_a_restart_by_the_owner_but_not_a_crash()
    {
        var follower = FakeMachine.Plan("app", dependsOn: [new(new ServiceName("db"), DependencyCondition.Started, Restart: true, Required: true, Remote: false, "depends_on")]);
        var machine = new FakeMachine().Service("db", s => s with { Restart = new RestartSpec(RestartMode.Always) }).Add(follower).Up();
        var before = machine.Pids("app");

        machine.Exit("db", code: 1);
        Assert.Equal(before, machine.Pids("app"));

        machine.Ask("db", at => new ServiceFact.RestartRequested(at, "asked"));
        Assert.Equal(ServiceState.Running, machine.State("app"));
        Assert.NotEqual(before, machine.Pids("app"));
    }

    [Fact]
    public void A_second_up_starts_nothing_twice_and_does_not_repeat_a_completed_task()
    {
        var machine = new FakeMachine().Service("app").Service("once").Up().Exit("once");

        machine.Up();

        Assert.Single(machine.Done, "app launch");
        Assert.Single(machine.Done, "once launch");
        Assert.Equal(ServiceState.Completed, machine.State("once"));
    }

    [Fact]
    public void What_cannot_be_started_fails_with_the_reason_and_is_not_tried_for_ever()
    {
        var machine = new FakeMachine().Service("app", s => s with { Restart = new RestartSpec(RestartMode.Always) }, new Behaviour { CannotStart = true }).Up();

        machine.Pass(TimeSpan.FromMinutes(10));

        Assert.Equal(ServiceState.Failed, machine.State("app"));
        Assert.Equal("could not be started: no such file", machine.Reason("app"));
        Assert.Single(machine.Done, "app launch");
    }

    [Fact]
    public void Adopting_one_replica_does_not_start_its_siblings_that_are_about_to_be_adopted()
    {
        var machine = new FakeMachine().Service("app", replicas: 3);

        machine.Adopt("app", 1, 11).Adopt("app", 2, 12).Adopt("app", 3, 13).Up();

        Assert.Empty(machine.Done);
        Assert.Equal([11, 12, 13], machine.Pids("app").Order());
    }

    [Fact]
    public void Who_is_taken_over_has_been_what_it_is_since_before_this_daemon()
    {
        var machine = new FakeMachine().Service("app", replicas: 3);
        var before = machine.Now - TimeSpan.FromDays(5);

        machine.Adopt("app", 1, 11, last: (ServiceState.Running, before)).Adopt("app", 2, 12, last: (ServiceState.Unhealthy, before)).Adopt("app", 3, 13).Up();

        // The second is not any more what it was.
        Assert.Equal([before, machine.Now, machine.Now], machine.Life("app").Replicas.Select(r => r.Since));
    }

    [Fact]
    public void What_had_ended_has_ended_since_then()
    {
        var (now, before) = (DateTimeOffset.UnixEpoch.AddDays(9), DateTimeOffset.UnixEpoch);
        var life = ServicePolicy.Begin(FakeMachine.Plan("task", replicas: 3), now, new Dictionary<int, (ServiceState, DateTimeOffset?)> { [1] = (ServiceState.Completed, before), [2] = (ServiceState.Failed, null) });
        Assert.Equal([(ServiceState.Completed, before), (ServiceState.Failed, now), (ServiceState.Waiting, now)], life.Replicas.Select(r => (r.State, r.Since)));
    }
}
