using Xunit;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;

namespace Stoker.Tests.Planning;

public sealed class HostChoiceTests
{
    private static EstateBuilder TwoHosts() => new EstateBuilder()
        .Host("mainpc", "192.168.1.10").Host("pc2", "192.168.1.11")
        .Service("redis", s => s.Host("mainpc").Tcp(6379)).Service("vision", s => s.Host("pc2"));

    [Fact]
    public void Without_hosts_everything_is_local()
    {
        var plan = Plans.Plan(new EstateBuilder().Service("a").Service("b"));
        plan.IsClean();
        Assert.Null(plan.Host);
        Assert.Equal(2, plan.Local.Count());
    }

    [Fact]
    public void The_host_asked_for_is_taken_before_what_the_machine_says_of_itself()
    {
        var plan = Plans.Plan(TwoHosts(), new PlanRequest { Host = new HostName("pc2") }, o => o with { Identities = ["mainpc"] });
        Assert.Equal("pc2", plan.Host?.Value);
        Assert.Equal(["vision"], plan.Local.Select(s => s.Name.Value));
        Assert.Equal("192.168.1.10", plan.Of("redis").RemoteAddress);
    }

    [Fact]
    public void The_only_host_is_taken_whatever_the_machine_is_called() =>
        Assert.Equal("box", Plans.Plan(new EstateBuilder().Host("box").Service("a"), null, o => o with { Identities = ["laptop"] }).Host?.Value);

    [Theory]
    [InlineData("PC2")]
    [InlineData("192.168.1.11")]
    public void Among_several_hosts_the_machine_finds_itself_by_name_or_address(string identity)
    {
        var plan = Plans.Plan(TwoHosts(), null, o => o with { Identities = ["localhost", identity] });
        plan.IsClean();
        Assert.Equal("pc2", plan.Host?.Value);
    }

    [Fact]
    public void A_rehearsal_on_a_machine_that_is_none_of_them_runs_all_hosts_here()
    {
        var plan = Plans.Plan(TwoHosts(), new PlanRequest { Rehearse = true });
        plan.IsClean();
        Assert.Null(plan.Host);
        Assert.All(plan.Services.Values, s => Assert.True(s.IsLocal));
        Assert.Equal("mainpc", plan.Of("redis").Host?.Value);
    }

    [Fact]
    public void A_machine_that_is_none_of_several_hosts_is_refused_with_the_list_and_a_way_out()
    {
        var refused = Plans.Plan(TwoHosts()).Only(PlanDiagnostics.NoHostChosen);
        Assert.Equal("none of the hosts `mainpc` and `pc2` is this machine", refused.Message);
        Assert.Equal("say which one it is: `--host mainpc`, or rehearse all of them here: `--rehearse`", refused.Hint);
    }

    [Fact]
    public void A_machine_that_is_two_of_the_hosts_is_refused() =>
        Assert.Equal(
            "several hosts are this machine: `mainpc` and `pc2`",
            Plans.Plan(TwoHosts(), null, o => o with { Identities = ["mainpc", "pc2"] }).Only(PlanDiagnostics.NoHostChosen).Message);

    [Fact]
    public void An_unknown_host_is_refused_with_the_nearest_name()
    {
        var refused = Plans.Plan(TwoHosts(), new PlanRequest { Host = new HostName("mainpx") }).Only(PlanDiagnostics.UnknownHost);
        Assert.Equal("stoker.yaml: error PLN001: host `mainpx` is not declared", refused.ToString());
        Assert.Equal("did you mean `mainpc`?", refused.Hint);
    }

    [Fact]
    public void A_service_takes_its_own_host_before_its_groups()
    {
        var plan = Plans.Plan(
            new EstateBuilder().Host("one").Host("two").Group("g", "one")
                .Service("a", s => s.Group("g")).Service("b", s => s.Group("g").Host("two")),
            new PlanRequest { Host = new HostName("one") });
        plan.IsClean();
        Assert.Equal(("one", "two"), (plan.Of("a").Host?.Value, plan.Of("b").Host?.Value));
    }

    [Fact]
    public void A_service_without_a_host_among_several_is_refused()
    {
        var refused = Plans.Plan(new EstateBuilder().Host("one").Host("two").Service("a"), new PlanRequest { Host = new HostName("one") })
            .Only(PlanDiagnostics.ServiceWithoutHost);
        Assert.Equal("stoker.yaml:10:3: error PLN003: service `a` names no host, and the estate has several: `one` and `two`", refused.ToString());
        Assert.Equal("add `host: one` to it, or put it in a group that has one", refused.Hint);
    }
}
