using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

[Collection("fake CUDA")]
public sealed class MemoryChecksTests
{
    private const long Size = 6 << 20;

    private static readonly GpuDevice Device = new(0) { Name = "NVIDIA GeForce RTX 5090", Memory = 32L << 30, PcieGeneration = 5, PcieWidth = 16 };

    private static WorkingCard Well => new("GPU-5090", "NVIDIA GeForce RTX 5090", Size);

    [Fact]
    public void A_card_that_is_well_passes_with_nearly_all_of_its_memory_tested()
    {
        var findings = Look(Well);
        Assert.Equal(["memory_test", "copy_within", "copy_to_card", "copy_from_card"], findings.Select(f => f.Check));
        Assert.All(findings, f => Assert.Equal(DiagVerdict.Pass, f.Verdict));
        Assert.Equal(["5 of 6 MiB, seven patterns", "89 %", "86 %", "86 %"], findings.Select(f => f.Found.Split("GB/s, ")[^1]));
    }

    [Fact]
    public void One_bit_that_is_always_set_is_found_with_its_address()
    {
        var found = Look(Well with { StuckBit = (100_000, 17) })[0];
        Assert.Equal(DiagVerdict.Fail, found.Verdict);
        Assert.Matches("in 5 of 6 MiB; the first at 0x7000000c3500: bit 17 of 0x0000000000000000$", found.Found);
    }

    [Fact]
    public void Two_addresses_that_lead_to_one_place_are_found_by_the_patterns_of_addresses()
    {
        var outcome = Test(Well with { AliasedFrom = 2 << 20 });
        // A MiB of words is written twice, and the first writing is gone: seen by both patterns of addresses and by the mixed one.
        Assert.Equal(3 * (1 << 20) / 8, outcome.Wrong);
        Assert.Equal(MemoryTest.MostFaults, outcome.Faults.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(30)]
    public void A_card_that_vanishes_at_work_fails_in_the_drivers_words(int after)
    {
        var last = Look(Well with { VanishesAfter = after })[^1];
        Assert.Equal(("work", DiagVerdict.Fail), (last.Check, last.Verdict));
        Assert.Contains("fallen off the bus", last.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_with_half_its_link_and_slow_memory_fails_and_warns_with_the_share()
    {
        var findings = Look(Well with { LinkSpeed = 27, CopySpeed = 1300 });
        Assert.Equal(DiagVerdict.Warn, findings[1].Verdict);
        Assert.EndsWith("GB/s, 73 %", findings[1].Found, StringComparison.Ordinal);
        Assert.Equal((DiagVerdict.Fail, "27 GB/s, 43 %"), (findings[2].Verdict, findings[2].Found));
    }

    [Fact]
    public void What_a_card_can_do_that_is_not_in_the_table_is_told_as_unknown()
    {
        var findings = Look(new GpuDevice(0) { Name = "NVIDIA T4" }, () => Context(Well));
        Assert.Equal(DiagVerdict.Unknown, findings[1].Verdict);
        Assert.Contains(" GB/s; what this card can do is not known here", findings[1].Found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_without_free_memory_is_not_done_or_fails_and_never_passes()
    {
        var context = Context(Well);
        Assert.NotNull(context.Allocate(Size - (1 << 19)));
        Assert.Equal(DiagVerdict.NotDone, Look(Device, () => context)[0].Verdict);
        var full = Context(Well);
        Assert.NotNull(full.Allocate(Size));
        var findings = Look(Device, () => full);
        Assert.Equal([DiagVerdict.NotDone, DiagVerdict.NotDone, DiagVerdict.NotDone, DiagVerdict.NotDone, DiagVerdict.Fail], findings.Select(f => f.Verdict));
    }

    [Fact]
    public void Whoever_interrupts_is_obeyed_and_the_memory_given_back()
    {
        var context = Context(Well);
        var findings = Look(Device, () => context, new CancellationToken(canceled: true));
        Assert.All(findings, f => Assert.Equal((DiagVerdict.NotDone, "it was interrupted"), (f.Verdict, f.Found)));
        Assert.Equal(context.Memory.Total, context.Memory.Free);
    }

    // CUDA's own interface, called as on a machine with a card, over a driver that runs the kernels' source on the processor.
    [Fact]
    public void By_CUDAs_interface_the_kernels_source_finds_nothing_in_memory_that_is_well()
    {
        FakeCuda.Set(Size, isLost: false);
        using var compute = CudaCompute.Open(FakeCuda.Library)!;
        var device = Assert.Single(compute.Devices);
        Assert.Equal(new ComputeDevice(0, "GPU-00112233-4455-6677-8899-aabbccddeeff", "Fake card 0", 4, 90), device);
        var findings = Look(Device with { Name = null, PcieGeneration = null }, () => compute.Open(device));
        Assert.Equal((DiagVerdict.Pass, "5 of 6 MiB, seven patterns"), (findings[0].Verdict, findings[0].Found));
        Assert.Equal(4, findings.Count);
    }

    [Fact]
    public void By_CUDAs_interface_a_word_that_changed_is_found_and_the_simulated_card_writes_the_same()
    {
        FakeCuda.Set(Size, isLost: false);
        using var compute = CudaCompute.Open(FakeCuda.Library)!;
        using var context = compute.Open(compute.Devices[0]);
        context.Load(KernelTexts.Memory);
        foreach (var (kind, pattern) in ((ulong, ulong)[])[(0, 0x5555), (1, ulong.MaxValue), (2, 7)])
        {
            var (at, found) = (context.Allocate(800)!.Value, context.Allocate(1024)!.Value);
            context.Write(found, new byte[1024]);
            context.Measure(() => context.Launch("fill", 2, 32, at, 100, kind, pattern));
            var word = new byte[8];
            context.Read(at + 400, word);
            Assert.Equal(SimulatedContext.Wanted(kind, pattern, at + 400, 50), BitConverter.ToUInt64(word));
            word[3] ^= 0x10;
            context.Write(at + 400, word);
            context.Measure(() => context.Launch("check", 2, 32, at, 100, kind, pattern, found, 16));
            var result = new byte[32];
            context.Read(found, result);
            var fault = new MemoryFault(BitConverter.ToUInt64(result, 8), BitConverter.ToUInt64(result, 16), BitConverter.ToUInt64(result, 24));
            Assert.Equal((1UL, at + 400), (BitConverter.ToUInt64(result), fault.Address));
            Assert.Equal([28], fault.Bits);
        }
    }

    [Fact]
    public void By_CUDAs_interface_a_card_that_is_lost_and_kernels_that_are_none_are_told_in_the_drivers_words()
    {
        FakeCuda.Set(Size, isLost: false);
        using var compute = CudaCompute.Open(FakeCuda.Library)!;
        using (var context = compute.Open(compute.Devices[0]))
        {
            Assert.Equal("the driver does not compile the kernels (line 1: no kernel in it): CUDA_ERROR_INVALID_PTX: it did not go well (code 218)", Assert.Throws<GpuComputeException>(() => context.Load("no PTX")).Message);
            context.Load(KernelTexts.Memory);
            Assert.Null(context.Allocate(Size * 2));
            FakeCuda.Set(Size, isLost: true);
            Assert.Equal("kernel fill: CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure (code 719)", Assert.Throws<GpuComputeException>(() => context.Launch("fill", 1, 1, 0, 0, 0, 0)).Message);
        }

        FakeCuda.Set(Size, isLost: false);
        Assert.Null(CudaCompute.Open("/there/is/no/such/library.so"));
    }

    private static IReadOnlyList<DiagFinding> Look(WorkingCard card) => Look(Device, () => Context(card));

    private static IReadOnlyList<DiagFinding> Look(GpuDevice device, Func<IGpuContext> open, CancellationToken stop = default)
    {
        var work = new CardWork(device, new DiagSpec(2), () => null, new Lock());
        work.Do(new ComputeDevice(0, "", "", 4, 90), open, stop);
        return work.Findings();
    }

    private static MemoryOutcome Test(WorkingCard card)
    {
        var context = Context(card);
        context.Load(KernelTexts.Memory);
        return MemoryTest.Run(context, CancellationToken.None);
    }

    private static SimulatedContext Context(WorkingCard card) => new(card);
}
