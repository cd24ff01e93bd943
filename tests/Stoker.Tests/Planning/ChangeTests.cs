using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Planning;

public sealed class ChangeTests
{
    private static EstateBuilder Estate() => new EstateBuilder().Service("a").Service("b", s => s.DependsOn("a"));

    /// <summary>All services of <paramref name="before"/> running as planned.</summary>
    private static Dictionary<ServiceName, ObservedService> Running(EstatePlan before, bool up = true) => before.Local.ToDictionary(
        s => s.Name, s => new ObservedService(s.Fingerprint, s.Replicas.Count, up) { Gpus = s.Gpus });

    private static EstatePlan Replan(EstateBuilder before, EstateBuilder after, PlanRequest? request = null, PlanRequest? earlier = null)
    {
        var running = Running(Plans.Plan(before, earlier));
        return Plans.Plan(after, request, o => o with { Running = running });
    }

    [Fact]
    public void What_is_not_running_is_started() => Assert.Equal(
        [new(new("a"), ChangeKind.Start, "is not running"), new(new("b"), ChangeKind.Start, "is not running")], Plans.Plan(Estate()).Changes);

    [Fact]
    public void What_is_unchanged_is_kept() => Assert.All(Replan(Estate(), Estate()).Changes, c => Assert.Equal(ChangeKind.Keep, c.Kind));

    [Fact]
    public void What_is_unchanged_but_down_is_started()
    {
        var running = Running(Plans.Plan(Estate()), up: false);
        Assert.Equal(
            new ServiceChange(new("a"), ChangeKind.Start, "is down"),
            Plans.Plan(Estate(), null, o => o with { Running = running }).Change("a"));
    }

    [Fact]
    public void A_changed_declaration_restarts_that_service_alone()
    {
        var plan = Replan(Estate(), new EstateBuilder().Service("a", s => s.Environment("LEVEL", "debug")).Service("b", s => s.DependsOn("a")));
        Assert.Equal(new ServiceChange(new("a"), ChangeKind.Restart, "its declaration changed"), plan.Change("a"));
        Assert.Equal(ChangeKind.Keep, plan.Change("b").Kind);
    }

    [Fact]
    public void A_dependent_that_says_so_restarts_with_its_dependency_and_so_on()
    {
        static EstateBuilder Chain(string level) => new EstateBuilder().Service("c", s => s.DependsOn("b", restart: true))
            .Service("b", s => s.DependsOn("a", restart: true)).Service("a", s => s.Environment("LEVEL", level));
        var plan = Replan(Chain("info"), Chain("debug"));
        Assert.Equal("`a` restarts, and `restart: true` says to follow it", plan.Change("b").Reason);
        Assert.Equal((ChangeKind.Restart, "`b` restarts, and `restart: true` says to follow it"), (plan.Change("c").Kind, plan.Change("c").Reason));
    }

    [Fact]
    public void Another_number_of_replicas_scales_without_a_restart() => Assert.Equal(
        new ServiceChange(new("a"), ChangeKind.Scale, "from 1 to 3 replicas"),
        Replan(Estate(), Estate(), new PlanRequest { Scale = new Dictionary<ServiceName, int> { [new("a")] = 3 } }).Change("a"));

    [Fact]
    public void What_the_file_no_longer_has_is_stopped() => Assert.Equal(
        new ServiceChange(new("b"), ChangeKind.Stop, "no longer in the file"), Replan(Estate(), new EstateBuilder().Service("a")).Change("b"));

    [Fact]
    public void What_is_no_longer_active_is_stopped_with_the_reason()
    {
        var estate = new EstateBuilder().Service("a").Service("debugger", s => s.Profiles("debug"));
        var plan = Replan(estate, estate, null, new PlanRequest { Profiles = Plans.Set("debug") });
        Assert.Equal(new ServiceChange(new("debugger"), ChangeKind.Stop, "its profile `debug` was not asked for"), plan.Change("debugger"));
    }

    [Fact]
    public void What_moved_to_another_host_is_stopped_here()
    {
        static EstateBuilder On(string host) => new EstateBuilder().Host("one", "10.0.0.1").Host("two", "10.0.0.2").Service("a", s => s.Host(host));
        var plan = Replan(On("one"), On("two"), new PlanRequest { Host = new("one") }, new PlanRequest { Host = new("one") });
        Assert.Equal(new ServiceChange(new("a"), ChangeKind.Stop, "it runs on another host now"), plan.Change("a"));
    }

    [Fact]
    public void Naming_services_stops_no_others() =>
        Assert.Equal(["a"], Replan(Estate(), Estate(), new PlanRequest { Names = Plans.Names("a") }).Changes.Select(c => c.Service.Value));

    [Fact]
    public void The_real_thing_takes_the_place_of_a_stand_in_once_it_is_installed()
    {
        var estate = new EstateBuilder().Service("a");
        var before = Planner.Plan(estate.Build(), new PlanRequest { Rehearse = true }, Plans.Machine(estate.Build(), "a"));
        var plan = Plans.Plan(estate, null, o => o with { Running = Running(before) });
        Assert.Equal(new ServiceChange(new("a"), ChangeKind.Restart, "the real thing takes the stand-in's place"), plan.Change("a"));
    }

    [Fact]
    public void A_running_service_stays_on_its_gpu_when_another_comes_before_it()
    {
        static Observed TwoCards(Observed o) => o with { Gpus = [Plans.Real(0, "NVIDIA L4", 24), Plans.Real(1, "NVIDIA L4", 24)] };
        var before = Plans.Plan(new EstateBuilder().Service("z", s => s.Gpu()), null, TwoCards);
        Assert.Equal(["GPU 0 (NVIDIA L4)"], before.Of("z").Gpus);
        var after = Plans.Plan(
            new EstateBuilder().Service("z", s => s.Gpu()).Service("a", s => s.Gpu()), null, o => TwoCards(o) with { Running = Running(before) });
        Assert.Equal(ChangeKind.Keep, after.Change("z").Kind);
        Assert.Equal(["GPU 1 (NVIDIA L4)"], after.Of("a").Gpus);
    }
}
