using Xunit;
using Stoker.Planning;
using Stoker.Tests.Shared;

namespace Stoker.Tests.Planning;

public sealed class ServiceSelectionTests
{
    private static IEnumerable<string> Chosen(EstatePlan plan) => plan.Services.Keys.Select(s => s.Value).Order();

    private static EstateBuilder Profiled() => new EstateBuilder()
        .Service("web").Service("db").Service("debugger", s => s.Profiles("debug").DependsOn("db")).Service("tracer", s => s.Profiles("debug", "trace"));

    [Fact]
    public void Services_with_profiles_are_inactive_unless_asked_for()
    {
        Assert.Equal(["db", "web"], Chosen(Plans.Plan(Profiled())));
        Assert.Equal(["db", "tracer", "web"], Chosen(Plans.Plan(Profiled(), new PlanRequest { Profiles = Plans.Set("trace") })));
        Assert.Equal(["db", "debugger", "tracer", "web"], Chosen(Plans.Plan(Profiled(), new PlanRequest { Profiles = Plans.Set("*") })));
    }

    [Fact]
    public void Naming_a_service_activates_its_profiles_and_brings_its_dependencies_alone() =>
        Assert.Equal(["db", "debugger"], Chosen(Plans.Plan(Profiled(), new PlanRequest { Names = Plans.Names("debugger") })));

    [Fact]
    public void A_named_service_brings_the_groups_that_its_group_depends_on()
    {
        var estate = new EstateBuilder().Group("infra").Group("apps", dependsOn: ["infra"])
            .Service("redis", s => s.Group("infra")).Service("app", s => s.Group("apps")).Service("other", s => s.Group("apps"));
        Assert.Equal(["app", "redis"], Chosen(Plans.Plan(estate, new PlanRequest { Names = Plans.Names("app") })));
    }

    [Fact]
    public void An_unknown_name_is_refused_with_the_nearest_one()
    {
        var refused = Plans.Plan(Profiled(), new PlanRequest { Names = Plans.Names("webb") }).Only(PlanDiagnostics.UnknownName);
        Assert.Equal(("there is no service `webb`", "did you mean `web`?"), (refused.Message, refused.Hint));
    }

    [Fact]
    public void An_unknown_profile_is_warned_of()
    {
        var plan = Plans.Plan(Profiled(), new PlanRequest { Profiles = Plans.Set("debgu") });
        Assert.False(plan.IsRefused);
        Assert.Equal("did you mean `debug`?", plan.Only(PlanDiagnostics.UnknownProfile).Hint);
    }

    [Fact]
    public void A_dependency_on_an_inactive_service_is_refused()
    {
        var refused = Plans.Plan(new EstateBuilder().Service("db", s => s.Profiles("data")).Service("web", s => s.DependsOn("db")))
            .Only(PlanDiagnostics.InactiveDependency);
        Assert.Equal(
            "stoker.yaml:22:7: error PLN006: service `web` depends on `db`, which is not active: its profile `data` was not asked for",
            refused.ToString());
        Assert.Equal("activate it with `--profile data`", refused.Hint);
    }

    [Fact]
    public void An_optional_dependency_on_an_inactive_service_is_a_warning_and_no_gate()
    {
        var plan = Plans.Plan(new EstateBuilder().Service("db", s => s.Profiles("data")).Service("web", s => s.DependsOn("db", required: false)));
        Assert.False(plan.IsRefused);
        Assert.EndsWith("was not asked for; it starts without it", plan.Only(PlanDiagnostics.OptionalDependencyMissing).Message);
        Assert.Empty(plan.Of("web").Dependencies);
    }

    [Fact]
    public void A_named_service_of_another_host_is_warned_of()
    {
        var plan = Plans.Plan(
            new EstateBuilder().Host("one").Host("two").Service("a", s => s.Host("two")),
            new PlanRequest { Host = new("one"), Names = Plans.Names("a") });
        Assert.Equal("service `a` runs on host `two`, not here", plan.Only(PlanDiagnostics.RunsElsewhere).Message);
    }

    [Fact]
    public void References_to_nothing_are_refused_with_the_nearest_name()
    {
        var estate = new EstateBuilder().Host("mainpc").Group("infra")
            .Service("redis", s => s.Group("infr")).Service("vision", s => s.Host("mainpx").DependsOn("rediss"));
        Assert.Equal(
            [
                ("service `redis` is in unknown group `infr`", "did you mean `infra`?"),
                ("service `vision` depends on unknown service `rediss`", "did you mean `redis`?"),
                ("service `vision` runs on unknown host `mainpx`", "did you mean `mainpc`?"),
            ],
            Plans.Plan(estate).Diagnostics.Where(d => d.Code == PlanDiagnostics.UnknownReference).Select(d => (d.Message, d.Hint!)));
    }
}
