using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

internal enum ArithmeticKind
{
    Fp32,

    /// <summary>On tensor cores, with sums in FP32.</summary>
    Bf16,

    /// <summary>On tensor cores, with sums in FP32.</summary>
    Fp16,
}

/// <param name="Teraflops">Over the whole time; a fused multiplication and addition is two.</param>
/// <param name="Slowest">Of the slowest part, which tells a card that slows down.</param>
/// <param name="Wrong">Results that were not what they must be, bit by bit.</param>
/// <param name="Took">By the card's own clock.</param>
internal sealed record ArithmeticOutcome(double Teraflops, double Slowest, long Wrong, TimeSpan Took);

/// <summary>
/// Keeps a card computing for a while, and compares every thread's results, bit by bit, with what the processor computes: FP32 by the same fused operations, tensor cores by whole numbers that are
/// exact in whatever order they are added. Whoever interrupts gets what was done until then. See Kernels/memory.cu and Kernels/tensor.cu.
/// </summary>
internal static class Arithmetic
{
    private const int Fp32Threads = 256, TensorThreads = 128, Warp = 32, Pairs = 8, Sums = 8;
    private const int BlocksEach = 8;

    /// <summary>FLOP of one product of 16 by 16 and 16 by 8.</summary>
    private const double Product = 2.0 * 16 * 16 * 8;

    /// <summary>Kernels between two events, and between two looks at whether to stop.</summary>
    private const int Batch = 8;

    /// <summary>Results of FP32 by turns: cards work side by side and in rounds, and the processor needs a while for each.</summary>
    private static readonly ConcurrentDictionary<int, uint[]> Turned = [];

    /// <param name="context">With <see cref="KernelTexts.Memory"/> in it for FP32, else with <see cref="KernelTexts.Tensor"/>.</param>
    /// <param name="rounds">Of each thread in each kernel: 32 thousand keep a card for some milliseconds.</param>
    /// <param name="look">After each part, for power, clocks and reasons to slow down.</param>
    public static ArithmeticOutcome Run(IGpuContext context, int multiprocessors, ArithmeticKind kind, int rounds, TimeSpan least, Action look, CancellationToken stop)
    {
        var (kernel, threads, wanted) = kind switch
        {
            ArithmeticKind.Fp32 => ("fma32", Fp32Threads, Turned.GetOrAdd(rounds, Fp32)),
            ArithmeticKind.Bf16 => ("tensor_bf16", TensorThreads, Tensor()),
            ArithmeticKind.Fp16 => ("tensor_fp16", TensorThreads, Tensor()),
        };
        var blocks = multiprocessors * BlocksEach;
        var each = kind == ArithmeticKind.Fp32 ? 4.0 * Pairs * rounds * blocks * threads : Product * Sums * ((2.0 * rounds) + 1) * blocks * (threads / Warp);
        var expected = Take(context, wanted.Length * sizeof(uint));
        var found = Take(context, sizeof(ulong));
        try
        {
            context.Write(expected, MemoryMarshal.AsBytes<uint>(wanted));
            context.Write(found, stackalloc byte[sizeof(ulong)]);
            var (took, operations, slowest) = (TimeSpan.Zero, 0.0, double.MaxValue);
            while (took < least || operations == 0)
            {
                if (stop.IsCancellationRequested && operations > 0) break;
                stop.ThrowIfCancellationRequested();
                var part = context.Measure(() =>
                {
                    for (var i = 0; i < Batch; i++) context.Launch(kernel, blocks, threads, expected, (ulong)rounds, found);
                });
                (took, operations) = (took + part, operations + (each * Batch));
                if (part > TimeSpan.Zero) slowest = Math.Min(slowest, each * Batch / part.TotalSeconds / 1e12);
                else throw new GpuComputeException("the card's clock stands still");
                look();
            }

            Span<byte> wrong = stackalloc byte[sizeof(ulong)];
            context.Read(found, wrong);
            return new ArithmeticOutcome(operations / took.TotalSeconds / 1e12, slowest, (long)MemoryMarshal.Read<ulong>(wrong), took);
        }
        finally
        {
            context.Free(expected);
            context.Free(found);
        }
    }

    private static ulong Take(IGpuContext context, int bytes) => context.Allocate(bytes) ?? throw new GpuComputeException("there is no memory left for the results");

    /// <summary>Of each thread of a block, x and y of its eight points after so many turns.</summary>
    private static uint[] Fp32(int rounds)
    {
        const float turn = 0.7071f;
        var bits = new uint[Fp32Threads * Pairs * 2];
        for (var i = 0; i < Fp32Threads * Pairs; i++)
        {
            var (x, y) = (1f + (i * 0.001953125f), 0.5f);
            for (var round = 0; round < rounds; round++)
            {
                x = MathF.FusedMultiplyAdd(turn, y, x);
                y = MathF.FusedMultiplyAdd(-turn, x, y);
            }

            (bits[i * 2], bits[(i * 2) + 1]) = (BitConverter.SingleToUInt32Bits(x), BitConverter.SingleToUInt32Bits(y));
        }

        return bits;
    }

    /// <summary>Of each lane of a warp its four sums after one product: rows lane/4 and eight below, columns twice the lane's last two bits and the next.</summary>
    private static uint[] Tensor()
    {
        var bits = new uint[Warp * 4];
        for (var i = 0; i < bits.Length; i++)
        {
            var (lane, part) = (i / 4, i % 4);
            var (row, column, sum) = ((lane >> 2) + (part >> 1) * 8, ((lane & 3) * 2) + (part & 1), 0);
            for (var k = 0; k < 16; k++) sum += Value((uint)((row * 16) + k)) * Value((uint)(1000 + (k * 8) + column));
            bits[i] = BitConverter.SingleToUInt32Bits(sum);
        }

        return bits;
    }

    /// <summary>From -127 to 127.</summary>
    private static int Value(uint index)
    {
        var number = (int)(unchecked(index * 2_654_435_761) >> 24) - 128;
        return number == -128 ? 0 : number;
    }
}
