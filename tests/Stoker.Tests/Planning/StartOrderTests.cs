using Xunit;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;

namespace Stoker.Tests.Planning;

public sealed class StartOrderTests
{
    [Fact]
    public void Services_start_in_waves_after_what_they_depend_on()
    {
        var plan = Plans.Plan(new EstateBuilder()
            .Service("ui", s => s.DependsOn("api").DependsOn("db")).Service("api", s => s.DependsOn("db")).Service("db").Service("cache"));
        plan.IsClean();
        Assert.Equal("cache db | api | ui", plan.WavesText());
        Assert.Equal(["cache", "db", "api", "ui"], plan.Services.Keys.Select(k => k.Value));
    }

    [Fact]
    public void Every_service_of_a_group_waits_for_every_service_of_the_groups_it_depends_on()
    {
        var plan = Plans.Plan(new EstateBuilder().Group("infra").Group("vision", dependsOn: ["infra"])
            .Service("redis", s => s.Group("infra").Tcp(6379)).Service("logger", s => s.Group("infra"))
            .Service("see", s => s.Group("vision")).Service("look", s => s.Group("vision")));
        Assert.Equal("logger redis | look see", plan.WavesText());
        Assert.Equal(
            [
                new DependencyPlan(new("logger"), DependencyCondition.Started, false, true, false, "group `vision` depends on `infra`"),
                new DependencyPlan(new("redis"), DependencyCondition.Healthy, false, true, false, "group `vision` depends on `infra`"),
            ],
            plan.Of("see").Dependencies);
    }

    [Fact]
    public void Of_a_group_with_containers_is_waited_for_the_health_that_their_images_may_ask()
    {
        var plan = Plans.Plan(
            new EstateBuilder().Group("infra").Group("apps", dependsOn: ["infra"])
                .Service("redis", s => s.Group("infra").Image("redis:7")).Service("db", s => s.Group("infra").Image("postgres:17"))
                .Service("app", s => s.Group("apps").DependsOn("db", DependencyCondition.Healthy)),
            observed: o => o with { ContainerTool = new ContainerTool("podman", "/usr/bin/podman") });
        Assert.Equal(
            [("db", DependencyCondition.Healthy, false), ("redis", DependencyCondition.Healthy, true)],
            plan.Of("app").Dependencies.Select(d => (d.Service.Value, d.Condition, d.OrRunning)));
    }

    [Fact]
    public void A_dependency_named_twice_keeps_the_strictest_condition_and_restart()
    {
        var plan = Plans.Plan(new EstateBuilder().Group("infra").Group("apps", dependsOn: ["infra"])
            .Service("redis", s => s.Group("infra").Tcp(6379))
            .Service("task", s => s.Group("infra"))
            .Service("app", s => s.Group("apps")
                .DependsOn("redis", restart: true)
                .DependsOn("task", DependencyCondition.CompletedSuccessfully, required: false)));
        Assert.Equal(
            [
                new DependencyPlan(new("redis"), DependencyCondition.Healthy, true, true, false, "group `apps` depends on `infra`"),
                new DependencyPlan(new("task"), DependencyCondition.CompletedSuccessfully, false, true, false, "depends_on"),
            ],
            plan.Of("app").Dependencies);
    }

    [Fact]
    public void Services_of_other_hosts_take_no_wave_but_keep_the_order_of_what_is_around_them()
    {
        var plan = Plans.Plan(
            new EstateBuilder().Host("here", "10.0.0.1").Host("there", "10.0.0.2")
                .Service("first", s => s.Host("here").Port(1000))
                .Service("middle", s => s.Host("there").Port(2000).DependsOn("first"))
                .Service("last", s => s.Host("here").DependsOn("middle")),
            new PlanRequest { Host = new("here") });
        plan.IsClean();
        Assert.Equal("first | last", plan.WavesText());
        Assert.True(Assert.Single(plan.Of("last").Dependencies).Remote);
        Assert.Equal("first → middle → last", plan.PathText());
    }

    [Fact]
    public void Without_known_times_the_critical_path_is_the_longest_chain() => Assert.Equal(
        "a → b → c",
        Plans.Plan(new EstateBuilder().Service("c", s => s.DependsOn("b")).Service("b", s => s.DependsOn("a")).Service("a")
            .Service("z", s => s.DependsOn("a"))).PathText());

    [Fact]
    public void With_known_times_the_critical_path_is_the_chain_that_ends_last()
    {
        var estate = new EstateBuilder()
            .Service("a").Service("b", s => s.DependsOn("a")).Service("c", s => s.DependsOn("b"))
            .Service("model", s => s.Tcp(1)).Service("chat", s => s.DependsOn("model", DependencyCondition.Healthy));
        var plan = Plans.Plan(estate, null, o => o with { StartTimes = new Dictionary<ServiceName, TimeSpan> { [new("model")] = TimeSpan.FromSeconds(90) } });
        Assert.Equal("model → chat", plan.PathText());
        Assert.Equal(
            [new(new("model"), DependencyCondition.Healthy, TimeSpan.FromSeconds(90)), new(new("chat"), DependencyCondition.Started, null)],
            plan.CriticalPath);
    }

    [Fact]
    public void Who_waits_only_for_a_start_does_not_wait_for_the_time_until_health()
    {
        var estate = new EstateBuilder()
            .Service("slow", s => s.Tcp(1)).Service("impatient", s => s.DependsOn("slow"))
            .Service("quick", s => s.Tcp(2)).Service("patient", s => s.DependsOn("quick", DependencyCondition.Healthy));
        var plan = Plans.Plan(estate, null, o => o with
        {
            StartTimes = new Dictionary<ServiceName, TimeSpan>
            {
                [new("slow")] = TimeSpan.FromSeconds(9), [new("impatient")] = TimeSpan.FromSeconds(2),
                [new("quick")] = TimeSpan.FromSeconds(5), [new("patient")] = TimeSpan.FromSeconds(5),
            },
        });
        Assert.Equal("quick → patient", plan.PathText());
    }

    [Fact]
    public void A_cycle_is_reported_whole_and_in_order_with_the_place_of_each_step()
    {
        var plan = Plans.Plan(new EstateBuilder().Service("a", s => s.DependsOn("b")).Service("b", s => s.DependsOn("c"))
            .Service("c", s => s.DependsOn("a")).Service("behind", s => s.DependsOn("a")).Service("free"));
        var cycle = plan.Only(PlanDiagnostics.Cycle);
        Assert.Equal("stoker.yaml:12:7: error PLN010: services wait for each other: a → b → c → a", cycle.ToString());
        Assert.Equal("take one of these out: a → b (stoker.yaml:12:7), b → c (stoker.yaml:22:7) and c → a (stoker.yaml:32:7)", cycle.Hint);
        Assert.Equal("free", plan.WavesText());
        Assert.Equal(5, plan.Services.Count);
    }

    [Fact]
    public void Cycles_that_share_a_service_are_each_reported_once()
    {
        var plan = Plans.Plan(new EstateBuilder().Service("a", s => s.DependsOn("b").DependsOn("c"))
            .Service("b", s => s.DependsOn("a")).Service("c", s => s.DependsOn("a"))
            .Service("x", s => s.DependsOn("y")).Service("y", s => s.DependsOn("x")));
        Assert.Equal(
            ["services wait for each other: a → b → a", "services wait for each other: a → c → a", "services wait for each other: x → y → x"],
            plan.Diagnostics.Where(d => d.Code == PlanDiagnostics.Cycle).Select(d => d.Message));
    }

    [Fact]
    public void The_shortest_cycle_through_the_first_service_is_the_one_shown() => Assert.Equal(
        "services wait for each other: a → d → a",
        Plans.Plan(new EstateBuilder().Service("a", s => s.DependsOn("b").DependsOn("d")).Service("b", s => s.DependsOn("c"))
            .Service("c", s => s.DependsOn("d")).Service("d", s => s.DependsOn("a"))).Only(PlanDiagnostics.Cycle).Message);

    [Fact]
    public void A_cycle_through_groups_names_the_groups_once_however_many_services_they_have()
    {
        var estate = new EstateBuilder().Group("x", dependsOn: ["y"]).Group("y", dependsOn: ["x"]);
        for (var i = 1; i <= 20; i++) estate.Service($"x{i:00}", s => s.Group("x")).Service($"y{i:00}", s => s.Group("y"));
        var cycle = Plans.Plan(estate).Only(PlanDiagnostics.Cycle);
        Assert.Equal("services wait for each other: x01 → y01 → x01", cycle.Message);
        Assert.Equal(
            "take one of these out: x01 → y01 (group `x` depends on `y`, stoker.yaml:11:18) and y01 → x01 (group `y` depends on `x`, stoker.yaml:21:18)",
            cycle.Hint);
    }

    [Fact]
    public void A_group_that_depends_on_itself_is_a_cycle() => Assert.Equal(
        "service `a` waits for itself: group `x` depends on `x`",
        Plans.Plan(new EstateBuilder().Group("x", dependsOn: ["x"]).Service("a", s => s.Group("x")).Service("b", s => s.Group("x")))
            .Only(PlanDiagnostics.Cycle).Message);

    [Fact]
    public void A_cycle_across_hosts_is_found_on_each_of_them()
    {
        var estate = new EstateBuilder().Host("one", "10.0.0.1").Host("two", "10.0.0.2")
            .Service("a", s => s.Host("one").Port(1).DependsOn("b")).Service("b", s => s.Host("two").Port(2).DependsOn("a"));
        foreach (var host in new[] { "one", "two" })
            Assert.EndsWith("a → b → a", Plans.Plan(estate, new PlanRequest { Host = new(host) }).Only(PlanDiagnostics.Cycle).Message);
    }
}
