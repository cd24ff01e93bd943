using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Planning;

public sealed class RuntimeTests
{
    private static readonly PlanRequest Rehearsal = new() { Rehearse = true };

    private static Func<Observed, Observed> Missing(params string[] commands) => o => o with
    {
        Executables = o.Executables.ToDictionary(e => e.Key, e => commands.Contains(e.Key) ? null : e.Value),
    };

    [Fact]
    public void An_installed_command_runs_as_a_process_by_its_path()
    {
        var service = Plans.Plan(new EstateBuilder().Service("redis", s => s.Command("redis-server", "--port", "6379"))).Of("redis");
        Assert.Equal((RuntimeKind.Process, "/usr/bin/redis-server", null), (service.Runtime, service.Executable, service.StandIn));
    }

    [Fact]
    public void The_entry_point_comes_before_the_command()
    {
        var estate = new EstateBuilder().Service("a", s => s.With(s.Spec with { Entrypoint = ["tini", "--"], Command = ["serve"] }));
        Assert.Equal(["tini"], CommandWords.ToLookUp(estate.Build()));
        Assert.Equal("/usr/bin/tini", Plans.Plan(estate).Of("a").Executable);
    }

    [Fact]
    public void A_command_that_is_not_installed_is_refused()
    {
        var refused = Plans.Plan(new EstateBuilder().Service("redis", s => s.Command("redis-server")), null, Missing("redis-server"))
            .Only(PlanDiagnostics.NotInstalled);
        Assert.Equal(
            "stoker.yaml:19:5: error PLN021: service `redis` runs `redis-server`, which is not in any directory of PATH",
            refused.ToString());
        Assert.Equal("install it, or add its directory to PATH, or rehearse without it: `--rehearse`", refused.Hint);
    }

    [Fact]
    public void A_rehearsal_stands_in_for_a_command_that_is_not_installed_and_for_nothing_else()
    {
        var plan = Plans.Plan(new EstateBuilder().Service("redis").Service("python3"), Rehearsal, Missing("redis"));
        plan.IsClean();
        Assert.Equal((RuntimeKind.StandIn, "`redis` is not installed"), (plan.Of("redis").Runtime, plan.Of("redis").StandIn));
        Assert.Equal((RuntimeKind.Process, null), (plan.Of("python3").Runtime, plan.Of("python3").StandIn));
    }

    [Fact]
    public void A_command_that_nobody_looked_up_is_a_mistake_of_the_caller() => Assert.Throws<ArgumentException>(
        () => Planner.Plan(new EstateBuilder().Service("a").Build(), new PlanRequest(), new Observed()));

    [Fact]
    public void An_image_runs_by_the_container_tool()
    {
        var plan = Plans.Plan(
            new EstateBuilder().Service("web", s => s.Image("nginx:1.25")), null, o => o with { ContainerTool = new("podman", "/usr/bin/podman") });
        plan.IsClean();
        Assert.Equal((RuntimeKind.Container, "/usr/bin/podman"), (plan.Of("web").Runtime, plan.Of("web").Executable));
    }

    [Fact]
    public void An_external_secret_is_refused_with_docker_and_not_with_podman()
    {
        var estate = new EstateBuilder().Secret("token").Service("web", s => s.With(s.Image("nginx:1.25").Spec with { Secrets = [new("token", null, null, null, null, EstateBuilder.At(9))] }));
        var refused = Plans.Plan(estate, null, o => o with { ContainerTool = new("docker", "/usr/bin/docker") }).Only(PlanDiagnostics.ExternalWithDocker);
        Assert.Equal("stoker.yaml:9:5: error PLN023: service `web` uses external secret `token`, and Docker keeps secrets for a swarm only", refused.ToString());
        Plans.Plan(estate, null, o => o with { ContainerTool = new("podman", "/usr/bin/podman") }).IsClean();
    }

    [Fact]
    public void An_image_without_a_container_tool_is_refused()
    {
        var refused = Plans.Plan(new EstateBuilder().Service("web", s => s.Image("nginx:1.25"))).Only(PlanDiagnostics.NoContainerTool);
        Assert.Equal("service `web` runs in a container (image nginx:1.25), and no container tool is installed", refused.Message);
        Assert.Equal("install podman or docker, or rehearse without it: `--rehearse`", refused.Hint);
    }

    [Fact]
    public void An_image_is_refused_with_the_reason_why_an_installed_tool_cannot_be_used()
    {
        var refused = Plans.Plan(new EstateBuilder().Service("web", s => s.Image("nginx:1.25")), null, o => o with { ContainerToolProblem = "docker is installed, but its engine does not answer" })
            .Only(PlanDiagnostics.NoContainerTool);
        Assert.Equal("service `web` runs in a container (image nginx:1.25), and docker is installed, but its engine does not answer", refused.Message);
        Assert.Equal("put it in order, or install podman, which needs no engine, or rehearse without it: `--rehearse`", refused.Hint);
    }

    [Fact]
    public void A_rehearsal_stands_in_for_an_image_without_a_container_tool() => Assert.Equal(
        "no container tool is installed (image nginx:1.25)",
        Plans.Plan(new EstateBuilder().Service("web", s => s.Image("nginx:1.25")), Rehearsal).Of("web").StandIn);

    [Fact]
    public void A_declared_gpu_that_is_not_in_this_machine_is_refused_once_for_each_card()
    {
        var estate = new EstateBuilder().Host("box", gpus: EstateBuilder.Gpu("NVIDIA GeForce RTX 4090", EstateBuilder.GiB(24)))
            .Service("a", s => s.Gpu(memory: EstateBuilder.GiB(4), share: "mps")).Service("b", s => s.Gpu(memory: EstateBuilder.GiB(4), share: "mps"));
        Assert.Equal(
            "GPU 0 (NVIDIA GeForce RTX 4090) of host `box` is not in this machine, and `a` and `b` ask for it",
            Plans.Plan(estate).Only(PlanDiagnostics.GpuAbsent).Message);
        Assert.Equal(
            "GPU 0 (NVIDIA GeForce RTX 4090) of host `box` cannot be found, and `a` and `b` ask for it: the driver does not answer (for 15 s)",
            Plans.Plan(estate, observed: o => o with { GpuProblem = "the driver does not answer (for 15 s)" }).Only(PlanDiagnostics.GpuAbsent).Message);
    }

    [Fact]
    public void A_rehearsal_stands_in_for_who_asks_for_a_missing_gpu_and_runs_the_rest()
    {
        var estate = new EstateBuilder().Host("box", gpus: EstateBuilder.Gpu("NVIDIA GeForce RTX 4090", EstateBuilder.GiB(24)))
            .Service("vision", s => s.Gpu()).Service("logger");
        var plan = Plans.Plan(estate, Rehearsal);
        plan.IsClean();
        Assert.Equal("GPU 0 (NVIDIA GeForce RTX 4090) is not in this machine", plan.Of("vision").StandIn);
        Assert.Equal(["GPU 0 (NVIDIA GeForce RTX 4090)"], plan.Of("vision").Gpus);
        Assert.Equal(RuntimeKind.Process, plan.Of("logger").Runtime);
    }

    [Fact]
    public void Everything_that_is_missing_is_named_in_the_reason() => Assert.Equal(
        "`vision` is not installed; asks for a GPU, and this machine has none",
        Plans.Plan(new EstateBuilder().Service("vision", s => s.Gpu()), Rehearsal, Missing("vision")).Of("vision").StandIn);

    [Fact]
    public void A_declared_gpu_is_found_among_the_real_ones_by_model_and_given_by_uuid()
    {
        var estate = new EstateBuilder().Host("box", gpus: [EstateBuilder.Gpu("RTX 3060"), EstateBuilder.Gpu("NVIDIA GeForce RTX 4090")])
            .Service("vision", s => s.Gpu(ids: "1"));
        var plan = Plans.Plan(estate, null, o => o with
        {
            Gpus = [Plans.Real(0, "NVIDIA GeForce RTX 4090", 24), Plans.Real(1, "NVIDIA GeForce RTX 3060", 12)],
        });
        plan.IsClean();
        Assert.Equal(["GPU-0"], Assert.Single(plan.Of("vision").Replicas).GpuUuids);
        Assert.Equal(["GPU 1 (NVIDIA GeForce RTX 4090)"], plan.Of("vision").Gpus);
    }

    [Fact]
    public void One_real_card_is_not_two_declared_ones()
    {
        var estate = new EstateBuilder().Host("box", gpus: [EstateBuilder.Gpu("RTX 3060"), EstateBuilder.Gpu("RTX 3060")])
            .Service("a", s => s.Gpu()).Service("b", s => s.Gpu());
        var plan = Plans.Plan(estate, Rehearsal, o => o with { Gpus = [Plans.Real(0, "NVIDIA GeForce RTX 3060", 12)] });
        Assert.Equal((RuntimeKind.Process, RuntimeKind.StandIn), (plan.Of("a").Runtime, plan.Of("b").Runtime));
    }
}
