using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Planning;

public sealed class PortTests
{
    private static int[] Published(ServicePlan plan) => [.. plan.Replicas.SelectMany(r => r.Ports).Select(p => p.Published)];

    [Fact]
    public void A_range_gives_one_port_to_each_replica() =>
        Assert.Equal([8000, 8001, 8002], Published(Plans.Plan(new EstateBuilder().Service("a", s => s.Port(8000, 8005).Replicas(3))).Of("a")));

    [Fact]
    public void A_single_port_of_a_process_counts_up_with_its_replicas()
    {
        var plan = Plans.Plan(new EstateBuilder().Service("a", s => s.Port(7300).Replicas(3)));
        plan.IsClean();
        Assert.Equal([7300, 7301, 7302], Published(plan.Of("a")));
        Assert.All(plan.Of("a").Replicas, r => Assert.Equal(7300, Assert.Single(r.Ports).Declared));
    }

    [Fact]
    public void A_process_without_a_published_port_listens_on_the_target() =>
        Assert.Equal([7300], Published(Plans.Plan(new EstateBuilder()
            .Service("a", s => s.With(s.Spec with { Ports = [new PortSpec(null, null, null, 7300, "tcp", EstateBuilder.At(1))] }))).Of("a")));

    [Fact]
    public void Scaling_by_hand_overrules_the_file_and_gives_ports_too() => Assert.Equal(
        [7300, 7301],
        Published(Plans.Plan(
            new EstateBuilder().Service("a", s => s.Port(7300)),
            new PlanRequest { Scale = new Dictionary<ServiceName, int> { [new("a")] = 2 } }).Of("a")));

    [Fact]
    public void A_container_with_one_fixed_port_cannot_have_two_replicas()
    {
        var refused = Plans.Plan(new EstateBuilder().Service("web", s => s.Image("nginx").Port(8080, target: 80).Replicas(2)), null, WithPodman)
            .Only(PlanDiagnostics.FixedPortOfReplicas);
        Assert.Equal(
            "stoker.yaml:11:13: error PLN032: service `web` has 2 replicas, and their containers cannot all publish port 8080",
            refused.ToString());
        Assert.Equal("publish a range, `8080-8081:80`, or only the container's port, `80`", refused.Hint);
    }

    [Fact]
    public void A_range_shorter_than_the_replicas_is_refused() => Assert.Equal(
        "service `a` has 3 replicas and only 2 ports, 8000-8001",
        Plans.Plan(new EstateBuilder().Service("a", s => s.Port(8000, 8001).Replicas(3))).Only(PlanDiagnostics.RangeTooShort).Message);

    [Fact]
    public void Counting_past_the_last_port_is_refused() => Assert.Equal(
        "replica 3 of service `a` would listen on port 65536",
        Plans.Plan(new EstateBuilder().Service("a", s => s.Port(65534).Replicas(4))).Only(PlanDiagnostics.PortOutOfRange).Message);

    [Fact]
    public void Two_services_on_one_port_clash_and_both_are_named_with_their_places()
    {
        var refused = Plans.Plan(new EstateBuilder().Service("b", s => s.Port(80)).Service("a", s => s.Port(80))).Only(PlanDiagnostics.PortClash);
        Assert.Equal("stoker.yaml:21:13: error PLN030: service `a` and service `b` (stoker.yaml:11:13) both take port 80", refused.ToString());
        Assert.Equal("give one of them another port", refused.Hint);
    }

    [Fact]
    public void Replicas_that_count_up_into_another_service_clash()
    {
        var refused = Plans.Plan(new EstateBuilder().Service("a", s => s.Port(7300).Replicas(3)).Service("b", s => s.Port(7302)))
            .Only(PlanDiagnostics.PortClash);
        Assert.Equal("service `b` and replica 3 of service `a` (stoker.yaml:11:13) both take port 7302", refused.Message);
    }

    [Theory]
    [InlineData(null, "127.0.0.1", true)]
    [InlineData("0.0.0.0", "::1", true)]
    [InlineData("::", "10.0.0.1", true)]
    [InlineData("127.0.0.1", "localhost", true)]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1", true)]
    [InlineData("127.0.0.1", "10.0.0.1", false)]
    public void Ports_clash_where_addresses_overlap(string? one, string? other, bool clash)
    {
        var plan = Plans.Plan(new EstateBuilder().Service("a", s => s.Port(80, ip: one)).Service("b", s => s.Port(80, ip: other)));
        Assert.Equal(clash, plan.IsRefused);
    }

    [Fact]
    public void The_same_number_in_another_protocol_is_another_port() =>
        Plans.Plan(new EstateBuilder().Service("a", s => s.Port(53)).Service("b", s => s.Port(53, protocol: "udp"))).IsClean();

    [Fact]
    public void The_same_port_on_two_hosts_clashes_only_when_both_are_rehearsed_here()
    {
        var estate = new EstateBuilder().Host("one", "10.0.0.1").Host("two", "10.0.0.2")
            .Service("a", s => s.Host("one").Port(9100)).Service("b", s => s.Host("two").Port(9100));
        Plans.Plan(estate, new PlanRequest { Host = new("one") }).IsClean();
        Assert.Equal(
            "service `b` and service `a` (stoker.yaml:11:13) both take port 9100: in this rehearsal the hosts `one` and `two` are one machine",
            Plans.Plan(estate, new PlanRequest { Rehearse = true }).Only(PlanDiagnostics.PortClash).Message);
    }

    [Fact]
    public void A_port_held_by_a_stranger_is_refused_and_the_holder_named()
    {
        var estate = new EstateBuilder().Service("redis", s => s.Port(6379));
        var refused = Plans.Plan(estate, null, o => o with { Listening = [new("0.0.0.0", 6379, "tcp", "pid 812, redis-server")] })
            .Only(PlanDiagnostics.PortHeld);
        Assert.Equal("port 6379 of service `redis` is held by pid 812, redis-server on 0.0.0.0", refused.Message);
    }

    [Fact]
    public void A_service_that_is_up_holds_its_ports_itself()
    {
        Plans.Plan(new EstateBuilder().Service("redis", s => s.Port(6379)), null, o => o with
        {
            Listening = [new("0.0.0.0", 6379, "tcp", null)],
            Running = new Dictionary<ServiceName, ObservedService> { [new("redis")] = new("x", 1, true) },
        }).HasNone(PlanDiagnostics.PortHeld);
    }

    [Fact]
    public void A_named_service_clashes_with_a_running_one_that_was_not_named()
    {
        var estate = new EstateBuilder().Service("a", s => s.Port(80)).Service("b", s => s.Port(80));
        var running = new Dictionary<ServiceName, ObservedService> { [new("a")] = new("x", 1, true) };
        Plans.Plan(estate, new PlanRequest { Names = Plans.Names("b") }).IsClean();
        Plans.Plan(estate, new PlanRequest { Names = Plans.Names("b") }, o => o with { Running = running }).Only(PlanDiagnostics.PortClash);
    }

    [Theory]
    [InlineData("--port=7300", true)]
    [InlineData("0.0.0.0:7300", true)]
    [InlineData("--port=$(PORT)", false)]
    [InlineData("--port=$(STOKER_PORT_7300)", false)]
    [InlineData("--size=173001", false)]
    public void Replicas_with_the_port_written_in_their_command_are_warned_of(string word, bool warned)
    {
        var plan = Plans.Plan(new EstateBuilder().Service("a", s => s.Command("serve", word).Port(7300).Replicas(2)));
        Assert.False(plan.IsRefused);
        Assert.Equal(warned ? 1 : 0, plan.Diagnostics.Count(d => d.Code == PlanDiagnostics.LiteralPort));
    }

    [Fact]
    public void All_ports_that_replicas_may_take_are_to_be_looked_up() => Assert.Equal(
        [53, 7300, 7301, 8000, 8001, 8002],
        ReplicaPorts.ToLookUp(
            new EstateBuilder().Service("a", s => s.Port(7300).Port(8000, 8002)).Service("b", s => s.Port(53)).Build(),
            new PlanRequest { Scale = new Dictionary<ServiceName, int> { [new("a")] = 2 } }).Order());

    private static Observed WithPodman(Observed observed) => observed with { ContainerTool = new ContainerTool("podman", "/usr/bin/podman") };
}
