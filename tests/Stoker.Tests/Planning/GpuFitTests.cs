using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;
using static Stoker.Tests.Shared.EstateBuilder;

namespace Stoker.Tests.Planning;

/// <summary>A1: resources allocated per GPU; each refusal with its reason and numbers.</summary>
public sealed class GpuFitTests
{
    private const string Rtx3060 = "NVIDIA GeForce RTX 3060";
    private const string Rtx4090 = "NVIDIA GeForce RTX 4090";
    private const string A100 = "NVIDIA A100-SXM4-80GB";

    private static EstateBuilder Box(params (string Model, double Gib)[] cards) =>
        new EstateBuilder().Host("box", gpus: [.. cards.Select(c => Gpu(c.Model, GiB(c.Gib)))]);

    /// <summary>Cards are declared and not real, so that what is tested is the fit alone.</summary>
    private static EstatePlan Plan(EstateBuilder estate) => Plans.Plan(estate, new PlanRequest { Rehearse = true });

    private static string Layout(EstatePlan plan) => string.Join(" | ", plan.Gpus.Select(g =>
        $"{g.Share ?? "free"}: {string.Join(", ", g.Holders.Select(h => h.Memory is { } m ? $"{h.Owner} {m}" : h.Owner))}"));

    [Fact]
    public void Budgets_are_packed_larger_before_smaller()
    {
        var plan = Plan(Box((Rtx3060, 12), (Rtx3060, 12))
            .Service("a", s => s.Gpu(memory: GiB(4), share: "mps")).Service("b", s => s.Gpu(memory: GiB(8), share: "mps"))
            .Service("c", s => s.Gpu(memory: GiB(5), share: "mps")).Service("d", s => s.Gpu(memory: GiB(7), share: "mps")));
        plan.IsClean();
        Assert.Equal("mps: b 8 GiB, a 4 GiB | mps: d 7 GiB, c 5 GiB", Layout(plan));
        Assert.Equal(["GPU 1 (NVIDIA GeForce RTX 3060)"], plan.Of("c").Gpus);
    }

    [Fact]
    public void A_budget_that_does_not_fit_is_refused_with_what_is_left_and_who_has_the_rest()
    {
        var refused = Plan(Box((Rtx3060, 12)).Service("speech", s => s.Gpu(memory: GiB(6), share: "mps"))
            .Service("vision", s => s.Gpu(memory: GiB(4), share: "mps")).Service("nlp", s => s.Gpu(memory: GiB(3), share: "mps")))
            .Only(PlanDiagnostics.GpuDoesNotFit);
        Assert.Equal(
            "stoker.yaml:35:5: error PLN052: `nlp` needs 3 GiB on one GPU, GPU 0 (NVIDIA GeForce RTX 3060, 12 GiB) has 2 GiB left after speech 6 GiB, vision 4 GiB",
            refused.ToString());
    }

    [Fact]
    public void A_budget_larger_than_any_card_is_refused_with_the_cards() => Assert.Equal(
        "`llm` needs 40 GiB on one GPU, GPU 0 (NVIDIA GeForce RTX 3060) has 12 GiB; GPU 1 (NVIDIA GeForce RTX 4090) has 24 GiB",
        Plan(Box((Rtx3060, 12), (Rtx4090, 24)).Service("llm", s => s.Gpu(memory: GiB(40), share: "time"))).Only(PlanDiagnostics.GpuDoesNotFit).Message);

    [Fact]
    public void A_whole_card_is_the_smallest_that_is_large_enough()
    {
        var plan = Plan(Box((Rtx4090, 24), (Rtx3060, 12)).Service("a", s => s.Gpu()).Service("b", s => s.Gpu(memory: GiB(16))));
        plan.IsClean();
        Assert.Equal("whole: b 16 GiB | whole: a", Layout(plan));
    }

    [Fact]
    public void A_whole_card_is_nobody_elses()
    {
        var refused = Plan(Box((Rtx3060, 12)).Service("a", s => s.Gpu()).Service("b", s => s.Gpu())).Only(PlanDiagnostics.GpuDoesNotFit);
        Assert.Equal("`b` needs a whole GPU, GPU 0 (NVIDIA GeForce RTX 3060, 12 GiB) is given whole to a", refused.Message);
        Assert.Equal("let them share a GPU, each with a budget: `gpu: {share: mps, memory: 6GiB}`", refused.Hint);
    }

    [Fact]
    public void Each_replica_asks_for_itself()
    {
        var plan = Plan(Box((Rtx3060, 12), (Rtx3060, 12)).Service("a", s => s.Gpu().Replicas(2)));
        plan.IsClean();
        Assert.Equal("whole: a/1 | whole: a/2", Layout(plan));
        Assert.Equal(2, plan.Of("a").Gpus.Count);
    }

    [Fact]
    public void All_cards_are_all_of_the_hosts() => Assert.Equal(
        "whole: train | whole: train", Layout(Plan(Box((Rtx3060, 12), (Rtx4090, 24)).Service("train", s => s.Gpu(count: null)))));

    [Fact]
    public void More_cards_than_the_host_has_are_refused() => Assert.Equal(
        "`train` asks for 4 GPUs, and host `box` has 1",
        Plan(Box((Rtx3060, 12)).Service("train", s => s.Gpu(4))).Only(PlanDiagnostics.TooFewGpus).Message);

    [Fact]
    public void A_host_that_declares_no_gpus_has_none_and_hosts_that_do_are_named()
    {
        var refused = Plan(new EstateBuilder().Host("box").Host("big", gpus: Gpu(Rtx4090, GiB(24))).Service("a", s => s.Host("box").Gpu()))
            .Only(PlanDiagnostics.TooFewGpus);
        Assert.Equal(("`a` asks for a GPU, and host `box` has none", "declare them: `hosts.box.gpus`, or run it on `big`"), (refused.Message, refused.Hint));
    }

    [Fact]
    public void Cards_are_asked_for_by_index_or_uuid()
    {
        var plan = Plan(new EstateBuilder().Host("box", gpus: [Gpu(Rtx3060, GiB(12)), Gpu(Rtx3060, GiB(12), "GPU-beef")])
            .Service("a", s => s.Gpu(ids: "gpu-BEEF")).Service("b", s => s.Gpu(ids: "0")));
        plan.IsClean();
        Assert.Equal("whole: b | whole: a", Layout(plan));
    }

    [Fact]
    public void An_unknown_card_is_refused_with_the_known_ones() => Assert.Equal(
        "`a` asks for GPU `7`, and host `box` has GPU 0 (NVIDIA GeForce RTX 3060) and GPU 1 (NVIDIA GeForce RTX 4090)",
        Plan(Box((Rtx3060, 12), (Rtx4090, 24)).Service("a", s => s.Gpu(ids: "7"))).Only(PlanDiagnostics.UnknownGpu).Message);

    [Fact]
    public void A_card_shared_by_one_means_is_not_shared_by_another() => Assert.Equal(
        "`b` needs 1 GiB on one GPU, GPU 0 (NVIDIA GeForce RTX 3060, 12 GiB) is shared by `mps` with a, not by `time`",
        Plan(Box((Rtx3060, 12)).Service("a", s => s.Gpu(memory: GiB(2), share: "mps")).Service("b", s => s.Gpu(memory: GiB(1), share: "time")))
            .Only(PlanDiagnostics.GpuDoesNotFit).Message);

    [Theory]
    [InlineData("NVIDIA GeForce RTX 4090")]
    [InlineData("NVIDIA RTX A6000")]
    [InlineData("NVIDIA L40S")]
    [InlineData("NVIDIA L4")]
    [InlineData("Tesla T4")]
    [InlineData("NVIDIA A40")]
    [InlineData("NVIDIA RTX 6000 Ada Generation")]
    [InlineData("Tesla V100-SXM2-16GB")]
    public void A_card_without_mig_refuses_it_and_proposes_mps(string model)
    {
        var refused = Plan(Box((model, 24)).Service("a", s => s.Gpu(memory: GiB(4), share: "mig"))).Only(PlanDiagnostics.NoMig);
        Assert.Equal($"`a` asks for a MIG partition, and GPU 0 ({model}) cannot be partitioned", refused.Message);
        Assert.Equal("share it by MPS: `share: mps`", refused.Hint);
    }

    [Theory]
    [InlineData("NVIDIA A30", 4)]
    [InlineData("NVIDIA A100 80GB PCIe", 7)]
    [InlineData("NVIDIA H100 80GB HBM3", 7)]
    [InlineData("NVIDIA H200", 7)]
    [InlineData("NVIDIA GB200", 7)]
    [InlineData("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", 4)]
    [InlineData("NVIDIA RTX PRO 5000 Blackwell", 2)]
    public void A_card_with_mig_has_as_many_partitions_as_nvidia_says(string model, int partitions)
    {
        EstatePlan With(int replicas) => Plan(Box((model, 96)).Service("a", s => s.Gpu(memory: GiB(1), share: "mig").Replicas(replicas)));
        With(partitions).IsClean();
        Assert.True(With(partitions + 1).IsRefused);
    }

    [Fact]
    public void Partitions_come_in_sizes_that_the_card_can_make()
    {
        var plan = Plan(Box((A100, 80)).Service("a", s => s.Gpu(memory: GiB(30), share: "mig"))
            .Service("b", s => s.Gpu(memory: GiB(12), share: "mig")).Service("c", s => s.Gpu(memory: GiB(20), share: "mig")));
        Assert.Equal(
            "`b` needs 12 GiB on one GPU, GPU 0 (NVIDIA A100-SXM4-80GB, 80 GiB) has no partition of 2 of 8 slices left after a 30 GiB, c 20 GiB",
            plan.Only(PlanDiagnostics.GpuDoesNotFit).Message);
        Plan(Box((A100, 80)).Service("a", s => s.Gpu(memory: GiB(30), share: "mig"))
            .Service("b", s => s.Gpu(memory: GiB(12), share: "mig")).Service("c", s => s.Gpu(memory: GiB(18), share: "mig"))).IsClean();
    }

    [Fact]
    public void A_group_with_a_budget_asks_once_for_all_its_services()
    {
        var plan = Plan(Box((Rtx3060, 12)).Group("vision_gpu", gpu: GpuShare(GiB(6)))
            .Service("see", s => s.Group("vision_gpu").Gpu(memory: GiB(2))).Service("look", s => s.Group("vision_gpu").Gpu())
            .Service("log", s => s.Group("vision_gpu")).Service("speech", s => s.Gpu(memory: GiB(6), share: "mps")));
        plan.IsClean();
        Assert.Equal("mps: group vision_gpu 6 GiB, speech 6 GiB", Layout(plan));
        Assert.Equal(plan.Of("see").Gpus, plan.Of("look").Gpus);
        Assert.Empty(plan.Of("log").Gpus);
    }

    [Fact]
    public void Services_that_ask_for_more_than_their_groups_budget_are_refused()
    {
        var refused = Plan(Box((Rtx3060, 12)).Group("g", gpu: GpuShare(GiB(6)))
            .Service("a", s => s.Group("g").Gpu(memory: GiB(4))).Service("b", s => s.Group("g").Gpu(memory: GiB(2)).Replicas(2)))
            .Only(PlanDiagnostics.GroupShareExceeded);
        Assert.Equal("services of group `g` ask for 8 GiB of GPU memory, and the group has 6 GiB: `a` 4 GiB and `b` 2 × 2 GiB", refused.Message);
        Assert.Equal("give the group `memory: 8GiB`, or ask for less", refused.Hint);
    }

    [Fact]
    public void A_budget_that_nobody_asks_for_is_warned_of() => Assert.Equal(
        "group `g` has a GPU share, and none of its services asks for a GPU",
        Plan(Box((Rtx3060, 12)).Group("g", gpu: GpuShare(GiB(6))).Service("a", s => s.Group("g"))).Only(PlanDiagnostics.GroupShareUnused).Message);

    [Fact]
    public void Sharers_that_do_not_say_how_much_are_warned_of() => Assert.Equal(
        "whether `a` and `b` fit on GPU 0 (NVIDIA GeForce RTX 3060, 12 GiB) is not known: `b` does not say how much memory",
        Plan(Box((Rtx3060, 12)).Service("a", s => s.Gpu(memory: GiB(4), share: "time")).Service("b", s => s.Gpu(share: "time")))
            .Only(PlanDiagnostics.GpuFitUnproven).Message);

    [Fact]
    public void Without_declared_hosts_requests_are_fitted_to_the_real_cards()
    {
        var estate = new EstateBuilder().Service("a", s => s.Gpu(2));
        Assert.Equal(
            "`a` asks for 2 GPUs, and this machine has 1",
            Plans.Plan(estate, null, o => o with { Gpus = [Plans.Real(0, Rtx3060, 12)] }).Only(PlanDiagnostics.TooFewGpus).Message);
        var rehearsal = Plans.Plan(estate, new PlanRequest { Rehearse = true }, o => o with { Gpus = [Plans.Real(0, Rtx3060, 12)] });
        rehearsal.IsClean();
        Assert.Equal("asks for 2 GPUs, and this machine has 1", rehearsal.Of("a").StandIn);
    }

    [Fact]
    public void A_running_service_keeps_its_share_though_another_is_named()
    {
        var estate = Box((Rtx3060, 12)).Service("a", s => s.Gpu()).Service("b", s => s.Gpu());
        var plan = Plans.Plan(
            estate,
            new PlanRequest { Rehearse = true, Names = Plans.Names("b") },
            o => o with { Running = new Dictionary<Stoker.Estates.ServiceName, ObservedService> { [new("a")] = new("x", 1, true) { Gpus = ["GPU 0 (NVIDIA GeForce RTX 3060)"] } } });
        Assert.EndsWith("is given whole to a", plan.Only(PlanDiagnostics.GpuDoesNotFit).Message);
    }
}
