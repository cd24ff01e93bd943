using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;
using static Stoker.Tests.Shared.EstateBuilder;

namespace Stoker.Tests.Planning;

/// <summary>One control daemon for each GPU that is shared by MPS, and unequal shares.</summary>
public sealed class MpsDaemonTests
{
    private const string Rtx4090 = "NVIDIA GeForce RTX 4090";

    private static readonly EstateBuilder Two = new EstateBuilder().Host("box", gpus: [Gpu(Rtx4090, GiB(24)), Gpu(Rtx4090, GiB(24))])
        .Service("llm", s => s.Gpu(memory: GiB(18), share: "mps")).Service("vision", s => s.Gpu(memory: GiB(12), share: "mps")).Service("speech", s => s.Gpu(memory: GiB(1), share: "mps")).Service("web");

    [Fact]
    public void Each_card_has_its_own_and_its_clients_wait_for_it_and_share_unequally()
    {
        var plan = Plans.Plan(Two, null, Here);
        plan.IsClean();
        Assert.Equal("gpu0-mps gpu1-mps web | llm speech vision", plan.WavesText());
        var daemon = plan.Of("gpu0-mps");
        Assert.Equal((RuntimeKind.Process, "/usr/bin/nvidia-cuda-mps-control", "GPU-0"), (daemon.Runtime, daemon.Executable, daemon.MpsOf!.Uuid));
        Assert.Equal(["nvidia-cuda-mps-control", "-f"], daemon.Spec.Command);
        Assert.Equal(
            [("llm", "gpu0-mps", 75, 18L << 30), ("speech", "gpu0-mps", 10, 1L << 30), ("vision", "gpu1-mps", 50, 12L << 30)],
            plan.Services.Values.Where(s => s.Replicas[0].Mps is not null).OrderBy(s => s.Name).Select(s => (s.Name.Value, s.Replicas[0].Mps!.Daemon, s.Replicas[0].Mps!.ThreadPercent, s.Replicas[0].Mps!.Memory!.Value)));
        Assert.Equal([("gpu0-mps", DependencyCondition.Healthy, true)], plan.Of("llm").Dependencies.Select(d => (d.Service.Value, d.Condition, d.Shared)));
        Assert.Empty(plan.Of("web").Dependencies);
    }

    [Fact]
    public void A_control_daemon_that_is_not_installed_is_refused_and_stood_in_for_in_a_rehearsal()
    {
        var refused = Plans.Plan(Two, null, o => Here(o) with { Executables = Without(o) }).Diagnostics.First(d => d.Code == PlanDiagnostics.NoMps);
        Assert.Equal($"GPU 0 ({Rtx4090}) is shared by MPS, and `nvidia-cuda-mps-control` is not in any directory of PATH", refused.Message);
        var rehearsed = Plans.Plan(Two, new PlanRequest { Rehearse = true });
        rehearsed.IsClean();
        Assert.Equal((RuntimeKind.StandIn, $"GPU 0 ({Rtx4090}) is not in this machine"), (rehearsed.Of("gpu0-mps").Runtime, rehearsed.Of("gpu0-mps").StandIn));
    }

    [Fact]
    public void A_service_that_would_have_two_servers_is_refused() => Assert.Equal(
        "service `a` shares several GPUs by MPS, and a program has one MPS server",
        Plans.Plan(new EstateBuilder().Host("box", gpus: [Gpu(Rtx4090, GiB(24)), Gpu(Rtx4090, GiB(24))]).Service("a", s => s.Gpu(2, GiB(4), "mps")), new PlanRequest { Rehearse = true })
            .Diagnostics.First(d => d.Code == PlanDiagnostics.MpsOnSeveralGpus).Message);

    [Fact]
    public void A_daemon_that_runs_as_planned_is_left_alone()
    {
        var first = Plans.Plan(Two, null, Here);
        var running = first.Services.ToDictionary(s => s.Key, s => new ObservedService(s.Value.Fingerprint, 1, true) { Gpus = s.Value.Gpus });
        Assert.All(Plans.Plan(Two, null, o => Here(o) with { Running = running }).Changes, c => Assert.Equal(ChangeKind.Keep, c.Kind));
    }

    private static Observed Here(Observed observed) => observed with
    {
        Gpus = [new GpuFact(0, "GPU-0", Rtx4090, GiB(24)), new GpuFact(1, "GPU-1", Rtx4090, GiB(24))],
    };

    private static Dictionary<string, string?> Without(Observed observed) => observed.Executables.Where(e => e.Key != MpsDaemons.Program).ToDictionary();
}
