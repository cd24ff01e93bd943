using Stoker.Gpus;
using Stoker.Planning;
using Stoker.Tests.Planning;
using Stoker.Tests.Shared;
using Xunit;
using static Stoker.Tests.Shared.EstateBuilder;

namespace Stoker.Tests.Gpus;

public sealed class ManyPartitionsTests
{
    [Fact]
    public void Sixty_services_are_given_eight_cards_and_their_partitions()
    {
        const string a100 = "NVIDIA A100-SXM4-40GB", rtx4090 = "NVIDIA GeForce RTX 4090";
        var builder = new EstateBuilder().Host("box", gpus: [.. Enumerable.Range(0, 8).Select(i => i < 6 ? Gpu(a100, GiB(40)) : Gpu(rtx4090, GiB(24)))]);
        for (var i = 0; i < 12; i++) builder.Service($"large{i:00}", s => s.Gpu(memory: GiB(i % 2 == 0 ? 19 : 9), share: "mig"));
        for (var i = 0; i < 12; i++) builder.Service($"small{i:00}", s => s.Gpu(memory: GiB(4), share: "mig"));
        for (var i = 0; i < 36; i++) builder.Service($"part{i:00}", s => s.Gpu(memory: GiB(1), share: "mps"));
        var estate = builder.Build();
        var plan = Planner.Plan(estate, new PlanRequest { Rehearse = true }, Plans.Machine(estate));
        List<GpuLayout> layouts = [.. plan.Gpus.Select(g => GpuLayout.Of(g, estate, null, []))];
        plan.IsClean();
        Assert.Equal(60, layouts.Sum(l => l.Entries.Count));
        Assert.All(layouts, l => Assert.Null(l.Problem));
    }
}
