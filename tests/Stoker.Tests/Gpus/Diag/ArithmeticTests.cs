using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

[Collection("fake CUDA")]
public sealed class ArithmeticTests
{
    private const int Rounds = 50;

    private static WorkingCard Well => new("GPU-5090", "NVIDIA GeForce RTX 5090", 1 << 20);

    [Theory]
    [InlineData(ArithmeticKind.Fp32, 100)]
    [InlineData(ArithmeticKind.Bf16, 200)]
    [InlineData(ArithmeticKind.Fp16, 200)]
    internal void A_card_that_is_well_has_every_result_right_and_its_speed_measured(ArithmeticKind kind, double speed)
    {
        var looks = 0;
        var outcome = Run(Well, kind, () => looks++);
        Assert.Equal(0, outcome.Wrong);
        Assert.InRange(outcome.Teraflops, speed * 0.99, speed * 1.01);
        Assert.InRange(outcome.Slowest, speed * 0.98, outcome.Teraflops);
        Assert.True(looks > 1 && outcome.Took >= TimeSpan.FromMilliseconds(2));
    }

    [Theory]
    [InlineData(ArithmeticKind.Fp32)]
    [InlineData(ArithmeticKind.Bf16)]
    internal void One_wrong_bit_in_one_thread_is_counted(ArithmeticKind kind) => Assert.Equal(1, Run(Well with { SlipsAt = 3 }, kind, () => { }).Wrong);

    [Fact]
    public void A_card_that_slows_down_on_the_way_shows_in_its_slowest_part()
    {
        var outcome = Run(Well with { SlowsAfter = 8 }, ArithmeticKind.Fp32, () => { });
        Assert.InRange(outcome.Slowest, 49, 51);
        Assert.InRange(outcome.Teraflops, 50, 90);
    }

    [Fact]
    public void A_card_that_vanishes_on_the_way_is_told_and_its_memory_given_back()
    {
        var context = new SimulatedContext(Well with { VanishesAfter = 5 });
        context.Load(KernelTexts.Memory);
        Assert.Throws<GpuComputeException>(() => Arithmetic.Run(context, 16, ArithmeticKind.Fp32, Rounds, TimeSpan.FromSeconds(1), () => { }, CancellationToken.None));
        Assert.Equal(context.Memory.Total, context.Memory.Free);
    }

    [Fact]
    public void By_CUDAs_interface_the_kernels_source_has_every_result_of_FP32_right()
    {
        FakeCuda.Set(1 << 20, isLost: false);
        using var compute = CudaCompute.Open(FakeCuda.Library)!;
        using var context = compute.Open(compute.Devices[0]);
        context.Load(KernelTexts.Memory);
        var outcome = Arithmetic.Run(context, 1, ArithmeticKind.Fp32, Rounds, TimeSpan.FromMilliseconds(1), () => { }, CancellationToken.None);
        Assert.Equal(0, outcome.Wrong);
        Assert.True(outcome.Teraflops > 0);
    }

    private static ArithmeticOutcome Run(WorkingCard card, ArithmeticKind kind, Action look)
    {
        using var context = new SimulatedContext(card);
        context.Load(KernelTexts.Memory);
        return Arithmetic.Run(context, 170, kind, Rounds, TimeSpan.FromMilliseconds(2), look, CancellationToken.None);
    }
}
