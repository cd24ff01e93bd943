using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Planning;

/// <summary>A2: services on one host depend on services on the other.</summary>
public sealed class RemoteGateTests
{
    private static EstatePlan Plan(Func<ServiceDraft, ServiceDraft> redis, string? address = "10.0.0.1", DependencyCondition condition = DependencyCondition.Started) =>
        Plans.Plan(
            new EstateBuilder().Host("mainpc", address).Host("pc2")
                .Service("redis", s => redis(s).Host("mainpc"))
                .Service("vision", s => s.Host("pc2").DependsOn("redis", condition)).Service("speech", s => s.Host("pc2").DependsOn("redis", condition)),
            new PlanRequest { Host = new("pc2") });

    [Fact]
    public void A_healthcheck_by_tcp_or_http_can_be_asked_from_another_host()
    {
        var plan = Plan(s => s.Tcp(6379), condition: DependencyCondition.Healthy);
        plan.IsClean();
        Assert.True(Assert.Single(plan.Of("vision").Dependencies).Remote);
        Assert.Equal((false, "10.0.0.1"), (plan.Of("redis").IsLocal, plan.Of("redis").RemoteAddress));
        Plan(s => s.Healthcheck(new ProbeSpec.Http(new Uri("http://127.0.0.1:80/")))).IsClean();
    }

    [Fact]
    public void A_published_tcp_port_can_be_asked() => Plan(s => s.Port(6379)).IsClean();

    [Fact]
    public void A_dependency_without_a_question_is_refused_once_for_all_who_wait()
    {
        var refused = Plan(s => s.Port(53, protocol: "udp")).Only(PlanDiagnostics.RemoteUnreachable);
        Assert.Equal(
            "`speech` and `vision` wait for `redis` on host `mainpc`, which has neither an http or tcp healthcheck nor a published TCP port to ask at",
            refused.Message);
        Assert.Equal("give `redis` a healthcheck such as `{tcp: 6379}`, or publish the port it listens on", refused.Hint);
    }

    [Fact]
    public void A_host_without_an_address_cannot_be_asked()
    {
        var refused = Plan(s => s.Tcp(6379), address: null).Only(PlanDiagnostics.RemoteUnreachable);
        Assert.EndsWith("on host `mainpc`, which has no address", refused.Message);
        Assert.Equal("add `address:` to `hosts.mainpc`", refused.Hint);
    }

    [Fact]
    public void The_end_of_a_task_elsewhere_cannot_be_asked() => Assert.EndsWith(
        "and whether a task on another host has completed cannot be asked",
        Plan(s => s.Tcp(6379), condition: DependencyCondition.CompletedSuccessfully).Only(PlanDiagnostics.RemoteUnreachable).Message);
}
