using FsCheck;
using FsCheck.Fluent;
using Stoker.Estates;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

/// <summary>Whatever is asked and whatever happens, in whatever order, some things never do.</summary>
public sealed class RandomFactsTests
{
    private static readonly string[] Names = ["db", "cache", "api", "web"];

    [Fact]
    public void No_sequence_of_requests_and_deaths_starts_twice_or_wedges() =>
        Prop.ForAll(Gen.ListOf(Gen.Choose(0, 10_000)).ToArbitrary(), steps =>
        {
            var machine = Estate().Up();
            foreach (var step in steps)
            {
                Take(machine, step);
                AssertSound(machine);
            }

            AssertRecovers(machine);
            AssertEnds(machine);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(60));

    private static FakeMachine Estate() => new FakeMachine()
        .Service("db", s => s with { Healthcheck = FakeMachine.Check(), Restart = new RestartSpec(RestartMode.Always) })
        .Service("cache", s => s with { Healthcheck = FakeMachine.Left(), Restart = new RestartSpec(RestartMode.OnFailure, 3) }, new Behaviour { IgnoresTerm = true })
        .Service("api", s => s with { Healthcheck = FakeMachine.Check(), Restart = new RestartSpec(RestartMode.Always) }, replicas: 2,
            dependsOn: [("db", DependencyCondition.Healthy), ("cache", DependencyCondition.Started)])
        .Service("web", s => s with { Restart = new RestartSpec(RestartMode.UnlessStopped) }, new Behaviour { LeavesBehind = 1 }, dependsOn: ("api", DependencyCondition.Healthy));

    private static void Take(FakeMachine machine, int step)
    {
        var name = Names[step % 4];
        var replica = name == "api" && step % 8 >= 4 && machine.Life("api").Replicas.Count > 1 ? 2 : 1;
        var known = machine.Life(name).Replicas.Any(r => r.Index == replica);
        switch (step / 16 % 11)
        {
            case 0:
                machine.Ask(name, at => new ServiceFact.StartRequested(at, ByName: step % 3 == 0));
                break;
            case 1:
                machine.Ask(name, at => new ServiceFact.StopRequested(at, new HashSet<ServiceName>(), Forget: false, "asked to stop"));
                break;
            case 2:
                machine.Ask(name, at => new ServiceFact.RestartRequested(at, "asked to restart"));
                break;
            case 3 when known:
                machine.Probe(name, healthy: true, replica);
                break;
            case 4 when known && name is "db" or "api":
                machine.Probe(name, healthy: false, replica);
                break;
            case 5 or 6 when machine.Processes.Values.Any(p => p.Service.Value == name && p.Replica == replica):
                machine.Exit(name, code: step % 2, replica: replica);
                break;
            case 7:
                machine.Pass(TimeSpan.FromMilliseconds(step % 15_000));
                break;
            case 8:
                machine.Ask(name, at => new ServiceFact.PlanChanged(at, machine.Life(name).Plan with { Fingerprint = $"f{step % 3}" }));
                break;
            case 10 when name == "cache" && known:
                machine.ReadImage(name, step % 3 == 0 ? ImageHealthcheck.None : new ImageHealthcheck(["well"]));
                break;
            case 9 when name == "api":
                machine.Ask(name, at => new ServiceFact.PlanChanged(at, machine.Life(name).Plan with { Replicas = FakeMachine.Plan("api", replicas: step % 4).Replicas }));
                break;
        }
    }

    private static void AssertSound(FakeMachine machine)
    {
        foreach (var name in Names)
        {
            var life = machine.Life(name);
            foreach (var replica in life.Replicas)
            {
                var processes = machine.Processes.Where(p => p.Value.Service.Value == name && p.Value.Replica == replica.Index).ToList();
                Assert.True(processes.Count <= 1, $"{name}.{replica.Index} runs {processes.Count} times");
                if (replica.IsUp) Assert.Equal(replica.Pid, Assert.Single(processes).Key);
                if (replica.State is ServiceState.Waiting or ServiceState.Backoff or ServiceState.Stopped or ServiceState.Completed or ServiceState.Failed)
                    Assert.Empty(processes);
                if (replica.State == ServiceState.Backoff) Assert.NotNull(replica.RetryAt);
            }

            Assert.Equal(life.Replicas.Select(r => r.Index), life.Replicas.Select(r => r.Index).Distinct());
            Assert.DoesNotContain(machine.Processes.Values, p => p.Service.Value == name && life.Replicas.All(r => r.Index != p.Replica));
        }
    }

    /// <summary>From anywhere, asking for everything and letting it be healthy brings everything up.</summary>
    private static void AssertRecovers(FakeMachine machine)
    {
        foreach (var name in Names) machine.Ask(name, at => new ServiceFact.StartRequested(at, ByName: true));
        for (var round = 0; round < 8; round++)
        {
            machine.Pass(TimeSpan.FromMinutes(2));
            foreach (var replica in machine.Life("api").Replicas.ToList()) machine.Probe("api", healthy: true, replica.Index);
            machine.Probe("db", healthy: true).ReadImage("cache", ImageHealthcheck.None).Probe("cache", healthy: true);
        }

        if (machine.Life("api").Replicas.Count == 0) return;
        Assert.All(Names, name => Assert.True(machine.State(name) is ServiceState.Healthy or ServiceState.Running or ServiceState.Completed, $"{name} is {machine.State(name)}: {machine.Reason(name)}"));
    }

    private static void AssertEnds(FakeMachine machine)
    {
        machine.Down().Pass(TimeSpan.FromMinutes(2));
        Assert.Empty(machine.Processes);
        Assert.Equal(4, machine.Retired.Count);
    }
}
