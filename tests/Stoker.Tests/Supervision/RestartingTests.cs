using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class RestartingTests
{
    private static ServiceSpec Always(ServiceSpec spec) => spec with { Restart = new RestartSpec(RestartMode.Always) };

    private static ServiceSpec Checked(ServiceSpec spec) => Always(spec) with { Healthcheck = FakeMachine.Check() };

    [Fact]
    public void The_first_restart_is_immediate_and_the_next_ones_wait_longer_and_longer()
    {
        var spec = new RestartSpec(RestartMode.Always);

        Assert.Equal(TimeSpan.Zero, RestartPolicy.Delay(spec, attempt: 0, seed: 1));
        var delays = Enumerable.Range(1, 30).Select(n => RestartPolicy.Delay(spec, n, seed: 1)).ToList();
        Assert.InRange(delays[0].TotalMilliseconds, 90, 110);
        Assert.InRange(delays[3].TotalMilliseconds, 720, 880);
        Assert.All(delays, d => Assert.InRange(d.TotalSeconds, 0.09, 66));
        Assert.NotEqual(delays[3], RestartPolicy.Delay(spec, 4, seed: 2));
    }

    [Theory]
    [InlineData(RestartMode.No, 0, typeof(RestartVerdict.Complete))]
    [InlineData(RestartMode.No, 1, typeof(RestartVerdict.GiveUp))]
    [InlineData(RestartMode.OnFailure, 0, typeof(RestartVerdict.Complete))]
    [InlineData(RestartMode.OnFailure, 1, typeof(RestartVerdict.Again))]
    [InlineData(RestartMode.Always, 0, typeof(RestartVerdict.Again))]
    [InlineData(RestartMode.UnlessStopped, 137, typeof(RestartVerdict.Again))]
    public void Each_mode_means_what_compose_says(object mode, int code, Type verdict) =>
        Assert.IsType(verdict, RestartPolicy.Decide(new RestartSpec((RestartMode)mode), ExitStatus.Exited(code), attempt: 0, seed: 0));

    [Fact]
    public void An_exit_that_nobody_saw_is_not_taken_for_success() =>
        Assert.IsType<RestartVerdict.Again>(RestartPolicy.Decide(new RestartSpec(RestartMode.OnFailure), ExitStatus.Unknown, 0, 0));

    [Fact]
    public void On_failure_5_gives_up_after_five_restarts_in_a_row()
    {
        var machine = new FakeMachine().Service("app", s => s with { Restart = new RestartSpec(RestartMode.OnFailure, 5) }).Up();

        for (var i = 0; i < 6; i++) machine.Exit("app", code: 3, words: "boom").Pass(TimeSpan.FromSeconds(8));

        Assert.Equal(ServiceState.Failed, machine.State("app"));
        Assert.Equal("exited with 3: `boom`; 5 restarts in a row did not help", machine.Reason("app"));
        Assert.Equal(6, machine.Done.Count(d => d == "app launch"));
    }

    [Fact]
    public void A_stable_time_forgets_earlier_failures()
    {
        var machine = new FakeMachine().Service("app", s => s with { Restart = new RestartSpec(RestartMode.OnFailure, 2) }).Up();

        for (var i = 0; i < 10; i++) machine.Exit("app", code: 1).Pass(TimeSpan.FromSeconds(11));

        Assert.Equal(ServiceState.Running, machine.State("app"));
        Assert.Equal(10, machine.Life("app").Replicas[0].Restarts);
    }

    [Fact]
    public void Backoff_says_which_try_it_is_and_when()
    {
        var machine = new FakeMachine().Service("app", Always).Up().Exit("app", code: 1).Exit("app", code: 1, words: "bind: address already in use");

        Assert.Equal(ServiceState.Backoff, machine.State("app"));
        Assert.StartsWith("exited with 1: `bind: address already in use`; 2nd try in ", machine.Reason("app"));
    }

    [Fact]
    public void Who_asks_it_up_again_has_it_tried_at_once_and_counted_anew()
    {
        var machine = new FakeMachine().Service("app", Always).Up();
        for (var i = 0; i < 6; i++) machine.Exit("app", code: 1).Pass(TimeSpan.FromSeconds(9));
        machine.Exit("app", code: 1);
        Assert.Equal((ServiceState.Backoff, 7), (machine.State("app"), machine.Life("app").Replicas[0].Restarts));

        machine.Up();

        Assert.Equal((ServiceState.Running, 0), (machine.State("app"), machine.Life("app").Replicas[0].Restarts));
        Assert.StartsWith("exited with 1; 2nd try in ", machine.Exit("app", code: 1).Exit("app", code: 1).Reason("app"));
    }

    [Fact]
    public void What_a_crashed_process_left_behind_is_killed_before_the_next_start()
    {
        var machine = new FakeMachine().Service("app", Always, new Behaviour { LeavesBehind = 2 }).Up().Exit("app", code: 1);

        Assert.Equal(["app launch", "app sweep 9", "app launch"], machine.Done);
    }

    [Fact]
    public void It_becomes_unhealthy_after_its_retries_and_is_started_afresh()
    {
        var machine = new FakeMachine().Service("app", Checked).Up().Probe("app", healthy: true);
        var first = machine.Pids("app");

        for (var i = 0; i < 2; i++) machine.Pass(TimeSpan.FromSeconds(10)).Probe("app", healthy: false);
        Assert.Equal(ServiceState.Healthy, machine.State("app"));

        machine.Pass(TimeSpan.FromSeconds(10)).Probe("app", healthy: false);
        Assert.NotEqual(first, machine.Pids("app"));
        Assert.Contains(machine.Journal, l => l.StartsWith("app is stopped: it lost its health", StringComparison.Ordinal));
    }

    [Fact]
    public void What_has_never_been_healthy_is_left_alone_because_it_may_be_loading()
    {
        var machine = new FakeMachine().Service("model", Checked).Up();
        var first = machine.Pids("model");

        for (var i = 0; i < 20; i++) machine.Pass(TimeSpan.FromSeconds(10)).Probe("model", healthy: false);
        Assert.Equal(ServiceState.Unhealthy, machine.State("model"));
        Assert.Equal(first, machine.Pids("model"));

        machine.Probe("model", healthy: true);
        Assert.Equal(ServiceState.Healthy, machine.State("model"));
    }

    [Fact]
    public void Quick_probes_at_the_start_do_not_use_up_the_retries()
    {
        var machine = new FakeMachine().Service("app", Checked).Up();

        for (var i = 0; i < 50; i++) machine.Pass(TimeSpan.FromMilliseconds(5)).Probe("app", healthy: false);

        Assert.Equal(ServiceState.Starting, machine.State("app"));
    }

    [Fact]
    public void A_watchdog_that_is_not_fed_aborts_and_restarts()
    {
        var machine = new FakeMachine()
            .Service("app", s => Always(s) with { Healthcheck = FakeMachine.Check() with { Probe = new ProbeSpec.Notify(TimeSpan.FromSeconds(2)) } })
            .Up();
        var run = machine.Life("app").Replicas[0].Run;
        machine.Ask("app", at => new ServiceFact.Notified(at, 1, run) { Ready = true });
        Assert.Equal(ServiceState.Healthy, machine.State("app"));
        machine.Pass(TimeSpan.FromSeconds(1.5)).Ask("app", at => new ServiceFact.Notified(at, 1, run) { WatchdogAlive = true }).Pass(TimeSpan.FromSeconds(1.5));
        Assert.DoesNotContain("app signal 6", machine.Done);

        machine.Pass(TimeSpan.FromSeconds(1));

        Assert.Contains("app signal 6", machine.Done);
        Assert.Equal(2, machine.Done.Count(d => d == "app launch"));
    }

    [Fact]
    public void Extend_timeout_lengthens_the_grace_of_a_stop()
    {
        var machine = new FakeMachine().Service("app", behaviour: new Behaviour { IgnoresTerm = true }).Up();
        machine.Ask("app", at => new ServiceFact.StopRequested(at, new HashSet<ServiceName>(), false, "asked"));
        machine.Pass(TimeSpan.FromSeconds(9));
        machine.Ask("app", at => new ServiceFact.Notified(at, 1, 1) { ExtendTimeout = TimeSpan.FromSeconds(30) });

        machine.Pass(TimeSpan.FromSeconds(25));
        Assert.Single(machine.Pids("app"));
        machine.Pass(TimeSpan.FromSeconds(6));
        Assert.Empty(machine.Pids("app"));
    }

    [Fact]
    public void Facts_of_an_earlier_run_change_nothing()
    {
        var machine = new FakeMachine().Service("app", Always).Up().Exit("app", code: 1);
        var life = machine.Life("app");

        machine.Ask("app", at => new ServiceFact.Exited(at, 1, 1, ExitStatus.Exited(0), null));

        Assert.Equal(life.Replicas, machine.Life("app").Replicas);
    }
}
