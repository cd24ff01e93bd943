using System.Runtime.InteropServices;
using Stoker.Gpus.Diag;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

[Collection("fake CUDA")]
public sealed class KernelsTests
{
    private const string Clang = "/usr/bin/clang-14";

    [Theory]
    [InlineData("memory", "sm_70", "+ptx63")]
    [InlineData("tensor", "sm_80", "+ptx70")]
    public void The_kernels_that_the_program_carries_are_what_clang_makes_of_their_source(string name, string card, string ptx)
    {
        Assert.SkipUnless(File.Exists(Clang), "clang-14 is not installed, which makes PTX of the kernels");
        var made = Path.GetTempFileName();
        FakeCuda.Compile(Clang, "-x", "cuda", "--cuda-device-only", $"--cuda-gpu-arch={card}", "-nocudainc", "-nocudalib", "-Xclang", "-target-feature", "-Xclang", ptx, "-O2", "-S", "-o", made,
            Path.Combine(FakeCuda.Kernels, $"{name}.cu"));
        Assert.Equal(File.ReadAllText(made), name == "memory" ? KernelTexts.Memory : KernelTexts.Tensor);
        File.Delete(made);
    }

    [Fact]
    public void The_loop_of_FP32_is_fused_and_keeps_everything_in_registers()
    {
        Assert.True(KernelTexts.Memory.Split("fma.rn.f32").Length > 16);
        Assert.DoesNotContain(".local", KernelTexts.Memory, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", KernelTexts.Tensor, StringComparison.Ordinal);
    }

    // The same sums as on the processor, bit by bit; and one that is expected wrongly is counted, once.
    [Fact]
    public void FP32_results_are_known_to_the_last_bit_and_one_wrong_bit_is_counted()
    {
        const int lanes = 32, pairs = 8, rounds = 1000;
        var expected = new uint[lanes * pairs * 2];
        for (var i = 0; i < lanes * pairs; i++)
        {
            var (x, y) = (1f + (i * 0.001953125f), 0.5f);
            for (var round = 0; round < rounds; round++)
            {
                x = MathF.FusedMultiplyAdd(0.7071f, y, x);
                y = MathF.FusedMultiplyAdd(-0.7071f, x, y);
            }

            (expected[i * 2], expected[(i * 2) + 1]) = (BitConverter.SingleToUInt32Bits(x), BitConverter.SingleToUInt32Bits(y));
            Assert.InRange(MathF.Abs(x) + MathF.Abs(y), 0.1f, 10f);
        }

        Assert.Equal(0UL, Wrong(expected, rounds));
        expected[17] ^= 1;
        Assert.Equal(1UL, Wrong(expected, rounds));
    }

    private static ulong Wrong(uint[] expected, ulong rounds)
    {
        FakeCuda.Set(16 << 20, isLost: false);
        using var compute = CudaCompute.Open(FakeCuda.Library)!;
        using var context = compute.Open(compute.Devices[0]);
        context.Load(KernelTexts.Memory);
        var (at, found) = (context.Allocate(expected.Length * 4)!.Value, context.Allocate(8)!.Value);
        context.Write(at, MemoryMarshal.AsBytes<uint>(expected));
        context.Write(found, new byte[8]);
        context.Measure(() => context.Launch("fma32", 1, 32, at, rounds, found));
        var wrong = new byte[8];
        context.Read(found, wrong);
        return BitConverter.ToUInt64(wrong);
    }
}
