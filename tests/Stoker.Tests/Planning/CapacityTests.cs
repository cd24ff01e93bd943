using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;
using static Stoker.Tests.Shared.EstateBuilder;

namespace Stoker.Tests.Planning;

public sealed class CapacityTests
{
    private static EstateBuilder Box(double gib = 16, double cpus = 4) => new EstateBuilder().Host("box", cpus: cpus, memory: GiB(gib));

    [Fact]
    public void Reservations_times_replicas_above_the_memory_are_refused_with_the_numbers()
    {
        var refused = Plans.Plan(Box().Service("a", s => s.Memory(reservation: GiB(4)).Replicas(3)).Service("b", s => s.Memory(reservation: GiB(6))))
            .Only(PlanDiagnostics.ReservationsExceedHost);
        Assert.Equal("services reserve 18 GiB of memory on host `box`, which has 16 GiB: `a` 3 × 4 GiB and `b` 6 GiB", refused.Message);
    }

    [Fact]
    public void Reservations_above_the_processors_are_refused() => Assert.Equal(
        "services reserve 5 processors on host `box`, which has 4 processors: `a` 2 × 2.5 processors",
        Plans.Plan(Box().Service("a", s => s.Cpus(reservation: 2.5).Replicas(2))).Only(PlanDiagnostics.ReservationsExceedHost).Message);

    [Fact]
    public void A_limit_above_the_memory_is_refused() => Assert.Equal(
        "stoker.yaml:14:5: error PLN041: service `a` is limited to 32 GiB of memory, and host `box` has 16 GiB",
        Plans.Plan(Box().Service("a", s => s.Memory(limit: GiB(32)))).Only(PlanDiagnostics.LimitAboveHost).ToString());

    [Fact]
    public void Limits_that_add_up_to_more_than_the_memory_are_a_warning_with_the_numbers()
    {
        var plan = Plans.Plan(Box().Service("a", s => s.Memory(limit: GiB(6)).Replicas(2)).Service("b", s => s.Memory(limit: GiB(5))));
        Assert.False(plan.IsRefused);
        Assert.Equal(
            "the memory limits on host `box` add up to 17 GiB, and it has 16 GiB: `a` 2 × 6 GiB and `b` 5 GiB",
            plan.Only(PlanDiagnostics.LimitsExceedHost).Message);
    }

    [Fact]
    public void A_processor_limit_above_the_host_is_a_warning() => Assert.Equal(
        "service `a` is limited to 8 processors, and host `box` has 4",
        Plans.Plan(Box().Service("a", s => s.Cpus(limit: 8))).Only(PlanDiagnostics.CpuLimitAboveHost).Message);

    [Fact]
    public void What_is_not_declared_is_taken_from_this_machine()
    {
        var estate = new EstateBuilder().Host("box").Service("a", s => s.Memory(reservation: GiB(65)));
        Assert.EndsWith("host `box`, which has 64 GiB: `a` 65 GiB", Plans.Plan(estate).Only(PlanDiagnostics.ReservationsExceedHost).Message);
    }

    [Fact]
    public void A_rehearsal_does_not_hold_this_machine_against_another_hosts_services() =>
        Plans.Plan(new EstateBuilder().Host("box").Service("a", s => s.Memory(reservation: GiB(65))), new PlanRequest { Rehearse = true }).IsClean();

    [Fact]
    public void Limits_that_cannot_be_enforced_are_said_for_each_service_and_warned_of_once()
    {
        var plan = Plans.Plan(
            new EstateBuilder().Service("a", s => s.Memory(limit: GiB(2))).Service("b", s => s.Cpus(limit: 2)).Service("c"),
            null,
            o => o with { CgroupControllers = Plans.Set(), CgroupProblem = "/sys/fs/cgroup is read-only" });
        Assert.Equal(["limit of 2 GiB of memory: /sys/fs/cgroup is read-only"], plan.Of("a").NotEnforced);
        Assert.Equal(["limit of 2 processors: /sys/fs/cgroup is read-only"], plan.Of("b").NotEnforced);
        Assert.Empty(plan.Of("c").NotEnforced);
        Assert.Equal(
            "the limits of `a` and `b` are not enforced here: /sys/fs/cgroup is read-only",
            plan.Only(PlanDiagnostics.LimitsNotEnforced).Message);
        Assert.False(plan.IsRefused);
    }

    [Fact]
    public void A_controller_that_is_there_is_used_though_another_is_missing()
    {
        var plan = Plans.Plan(
            new EstateBuilder().Service("a", s => s.Memory(limit: GiB(2)).Cpus(limit: 2)),
            null,
            o => o with { CgroupControllers = Plans.Set("memory"), CgroupProblem = "cpu is not delegated" });
        Assert.Equal(["limit of 2 processors: cpu is not delegated"], plan.Of("a").NotEnforced);
    }

    [Fact]
    public void What_only_root_may_do_is_said()
    {
        var estate = new EstateBuilder().Service("a", s => s.With(s.Spec with
        {
            User = new Positioned<string>("www-data", At(15)),
            Nice = -5,
            Ulimits = [new UlimitSpec("nofile", 1024, 65536, At(16)), new UlimitSpec("nproc", 10, 100, At(17)), new UlimitSpec("core", 0, -1, At(18))],
        }));
        var limits = new Dictionary<string, long> { ["nofile"] = 4096, ["nproc"] = 100 };
        var plan = Plans.Plan(estate, null, o => o with { IsRoot = false, HardLimits = limits });
        Assert.Equal(
            [
                "user www-data: only root may change the user",
                "nice -5: only root may set a negative nice",
                "ulimit nofile 65536: the daemon's own hard limit is 4096, and only root may raise it",
                "ulimit core unlimited: only root may raise a hard limit above the daemon's own",
            ],
            plan.Of("a").NotEnforced);
        Assert.Equal(["PLN061", "PLN062", "PLN063"], plan.Diagnostics.Select(d => d.Code.Id).Order());
        Plans.Plan(estate).IsClean();
    }
}
