using Stoker.Estates;
using Stoker.Planning;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

/// <summary>Containers that leave their healthcheck to their image, which is known when they run.</summary>
public sealed class ImageHealthTests
{
    private static readonly ImageHealthcheck Asks = new(["well"]) { Interval = TimeSpan.FromSeconds(2), Retries = 1 };

    private static ServiceSpec Left(ServiceSpec spec) => spec with { Image = "db:1", Healthcheck = FakeMachine.Left() };

    private static FakeMachine Pair(params string[] more)
    {
        var machine = new FakeMachine().Service("db", Left).Service("app", dependsOn: ("db", DependencyCondition.Healthy));
        foreach (var name in more) machine.Service(name);
        return machine.Up();
    }

    [Fact]
    public void It_is_starting_until_its_image_is_known_and_then_asked_as_that_says()
    {
        var machine = Pair();
        Assert.Equal((ServiceState.Starting, ServiceState.Waiting), (machine.State("db"), machine.State("app")));
        Assert.Equal(["db launch", "db read image"], machine.Done);

        machine.ReadImage("db", Asks);
        Assert.Equal(ServiceState.Starting, machine.State("db"));
        Assert.Equal("db ask", machine.Done[^1]);

        machine.Probe("db", healthy: true);
        Assert.Equal((ServiceState.Healthy, ServiceState.Running), (machine.State("db"), machine.State("app")));

        // The image asks for one failure, two seconds apart.
        machine.Pass(TimeSpan.FromSeconds(2)).Probe("db", healthy: false);
        Assert.Equal(ServiceState.Unhealthy, machine.State("db"));
    }

    [Fact]
    public void Without_a_healthcheck_in_the_image_it_is_running()
    {
        var machine = new FakeMachine().Service("db", Left).Service("app", dependsOn: ("db", DependencyCondition.Started)).Up();
        Assert.Equal(ServiceState.Running, machine.State("app"));

        machine.ReadImage("db", ImageHealthcheck.None);

        Assert.Equal(ServiceState.Running, machine.State("db"));
        Assert.DoesNotContain("db ask", machine.Done);
    }

    [Fact]
    public void Who_waits_for_health_that_nobody_asks_for_fails_and_says_what_to_do()
    {
        var machine = Pair().ReadImage("db", ImageHealthcheck.None);
        Assert.Equal("waits for `db`, which is running without a healthcheck", machine.Reason("app"));

        machine.Pass(TimeSpan.FromSeconds(1));

        const string why = "waits for `db` to be healthy, which has no healthcheck, neither in the file nor in its image: give it one, or wait for `service_started`";
        Assert.Equal((ServiceState.Failed, why), (machine.State("app"), machine.Reason("app")));
        Assert.Contains($"app failed: {why}", machine.Journal);
    }

    [Fact]
    public void What_is_about_to_have_a_healthcheck_is_waited_for()
    {
        var machine = Pair().ReadImage("db", ImageHealthcheck.None);

        machine.Ask("db", at => new ServiceFact.PlanChanged(at, FakeMachine.Plan("db", s => Left(s) with { Healthcheck = FakeMachine.Check() }))).Pass(TimeSpan.FromSeconds(5));
        Assert.Equal((ServiceState.Starting, ServiceState.Waiting), (machine.State("db"), machine.State("app")));

        machine.Probe("db", healthy: true);
        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    [Fact]
    public void A_dependent_that_gave_up_tries_again_when_it_is_asked_to()
    {
        var machine = Pair().ReadImage("db", ImageHealthcheck.None).Pass(TimeSpan.FromSeconds(1));
        machine.Ask("db", at => new ServiceFact.RestartRequested(at, "another image")).ReadImage("db", Asks).Probe("db", healthy: true);

        machine.Ask("app", at => new ServiceFact.StartRequested(at, ByName: false));

        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    [Fact]
    public void Who_does_not_require_its_health_goes_on_without()
    {
        DependencyPlan optional = new(new ServiceName("db"), DependencyCondition.Healthy, Restart: false, Required: false, Remote: false, "depends_on");
        var machine = new FakeMachine().Service("db", Left).Add(FakeMachine.Plan("app", dependsOn: [optional])).Up();
        Assert.Equal(ServiceState.Waiting, machine.State("app"));

        machine.ReadImage("db", ImageHealthcheck.None);

        Assert.Equal(ServiceState.Running, machine.State("app"));
    }

    [Fact]
    public void Whose_group_waits_for_it_waits_for_health_where_there_is_any_and_else_until_it_runs()
    {
        DependencyPlan through = new(new ServiceName("db"), DependencyCondition.Healthy, Restart: false, Required: true, Remote: false, "group `a` depends on `b`") { OrRunning = true };
        var without = new FakeMachine().Service("db", Left).Add(FakeMachine.Plan("app", dependsOn: [through])).Up();
        Assert.Equal(ServiceState.Waiting, without.State("app"));
        Assert.Equal(ServiceState.Running, without.ReadImage("db", ImageHealthcheck.None).State("app"));

        var with = new FakeMachine().Service("db", Left).Add(FakeMachine.Plan("app", dependsOn: [through])).Up().ReadImage("db", Asks);
        Assert.Equal(ServiceState.Waiting, with.State("app"));
        Assert.Equal(ServiceState.Running, with.Probe("db", healthy: true).State("app"));
    }

    [Fact]
    public void A_declared_test_is_asked_at_once_and_takes_from_the_image_the_times_it_does_not_say()
    {
        var declared = FakeMachine.Check(interval: TimeSpan.FromSeconds(10)) with { Probe = new ProbeSpec.Exec(["own"]), LeftToImage = HealthcheckTimes.Retries };
        var machine = new FakeMachine().Service("db", s => s with { Image = "db:1", Healthcheck = declared }).Up();
        Assert.Equal(["db launch", "db read image", "db ask"], machine.Done);

        machine.Probe("db", healthy: true).ReadImage("db", Asks);
        Assert.Equal(ServiceState.Healthy, machine.State("db"));
        Assert.Equal("db ask", machine.Done[^1]);

        machine.Pass(TimeSpan.FromSeconds(10)).Probe("db", healthy: false);
        Assert.Equal(ServiceState.Unhealthy, machine.State("db"));
    }

    [Fact]
    public void An_image_that_adds_nothing_to_a_declared_test_changes_nothing()
    {
        var declared = FakeMachine.Check() with { Probe = new ProbeSpec.Exec(["own"]), LeftToImage = HealthcheckTimes.StartInterval };
        var machine = new FakeMachine().Service("db", s => s with { Image = "db:1", Healthcheck = declared }).Up();

        machine.ReadImage("db", Asks);

        Assert.Single(machine.Done, "db ask");
    }

    [Fact]
    public void Each_start_reads_its_image_again()
    {
        var machine = new FakeMachine().Service("db", s => Left(s) with { Restart = new RestartSpec(RestartMode.Always) }).Up().ReadImage("db", ImageHealthcheck.None);

        machine.Exit("db", code: 1);
        Assert.Equal(ServiceState.Starting, machine.State("db"));

        machine.ReadImage("db", Asks).Probe("db", healthy: true);
        Assert.Equal(ServiceState.Healthy, machine.State("db"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_next_daemon_knows_what_the_image_says(bool asks)
    {
        var machine = new FakeMachine().Service("db", Left);

        machine.Adopt("db", 1, 11, asks ? Asks : ImageHealthcheck.None).Up();

        Assert.Equal(asks ? ServiceState.Healthy : ServiceState.Running, machine.State("db"));
        Assert.Equal(asks ? ["db ask"] : [], machine.Done);
    }

    [Fact]
    public void The_next_daemon_asks_for_the_image_when_the_last_one_did_not_come_to_know_it()
    {
        var machine = new FakeMachine().Service("db", Left).Adopt("db", 1, 11).Up();

        Assert.Equal(["db read image"], machine.Done);
        Assert.Equal(ServiceState.Running, machine.ReadImage("db", ImageHealthcheck.None).State("db"));
    }
}
