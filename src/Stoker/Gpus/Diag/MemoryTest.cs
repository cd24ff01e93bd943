using System.Runtime.InteropServices;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <param name="Address">By CUDA, of a word of 64 bits.</param>
internal sealed record MemoryFault(ulong Address, ulong Wanted, ulong Found)
{
    /// <summary>Bits that differ, the lowest first.</summary>
    public IReadOnlyList<int> Bits => [.. Enumerable.Range(0, 64).Where(bit => ((Wanted ^ Found) >> bit & 1) != 0)];
}

/// <param name="Tested">Bytes.</param>
/// <param name="Wrong">Words that differed, over all patterns: one that is bad is counted for each pattern that shows it.</param>
/// <param name="Faults">The first of them.</param>
internal sealed record MemoryOutcome(long Tested, long Total, long Wrong, IReadOnlyList<MemoryFault> Faults);

/// <summary>
/// Fills all of a card's memory that is free with patterns, and looks whether they are still there. Each pattern is written everywhere before it is looked for anywhere, so that two
/// addresses that lead to one place are seen: each word's own address is among the patterns.
/// </summary>
internal static class MemoryTest
{
    public const int MostFaults = 16;

    private const long LargestPiece = 1L << 30, SmallestPiece = 1 << 20, WordSize = 8;
    private const int Blocks = 1024, Threads = 256;

    /// <summary>As the kernel has them: 0 the pattern, 1 the address with the pattern's bits turned over, 2 mixed of pattern and place.</summary>
    private static readonly (ulong Kind, ulong Pattern)[] Patterns =
        [(0, 0), (0, ulong.MaxValue), (0, 0x5555_5555_5555_5555), (0, 0xAAAA_AAAA_AAAA_AAAA), (1, 0), (1, ulong.MaxValue), (2, 0x5EED)];

    /// <param name="context">With <see cref="KernelTexts.Memory"/> in it.</param>
    public static MemoryOutcome Run(IGpuContext context, CancellationToken stop)
    {
        var total = context.Memory.Total;
        var result = context.Allocate((1 + (MostFaults * 3)) * WordSize) ?? throw new GpuComputeException("there is no memory left for the test's own result");
        var pieces = Take(context, total);
        try
        {
            var (wrong, faults) = (0L, new List<MemoryFault>());
            foreach (var (kind, pattern) in Patterns)
            {
                stop.ThrowIfCancellationRequested();
                wrong += Try(context, pieces, kind, pattern, result, faults);
            }

            return new MemoryOutcome(pieces.Sum(p => p.Bytes), total, wrong, faults);
        }
        finally
        {
            foreach (var (address, _) in pieces) context.Free(address);
            context.Free(result);
        }
    }

    /// <summary>All that is free but a little, which the driver needs for kernels.</summary>
    private static List<(ulong Address, long Bytes)> Take(IGpuContext context, long total)
    {
        var left = Math.Min(total / 64, 256L << 20);
        var pieces = new List<(ulong, long)>();
        for (var size = LargestPiece; size >= SmallestPiece;)
        {
            if (context.Memory.Free - size >= left && context.Allocate(size) is { } address) pieces.Add((address, size));
            else size /= 2;
        }

        return pieces;
    }

    private static long Try(IGpuContext context, List<(ulong Address, long Bytes)> pieces, ulong kind, ulong pattern, ulong result, List<MemoryFault> faults)
    {
        var words = new ulong[1 + (MostFaults * 3)];
        context.Write(result, MemoryMarshal.AsBytes<ulong>(words));
        context.Measure(() =>
        {
            foreach (var (address, bytes) in pieces) context.Launch("fill", Blocks, Threads, address, (ulong)(bytes / WordSize), kind, pattern);
            foreach (var (address, bytes) in pieces) context.Launch("check", Blocks, Threads, address, (ulong)(bytes / WordSize), kind, pattern, result, MostFaults);
        });
        context.Read(result, MemoryMarshal.AsBytes(words.AsSpan()));
        for (var i = 0; i < (int)Math.Min(words[0], MostFaults) && faults.Count < MostFaults; i++) faults.Add(new MemoryFault(words[1 + (i * 3)], words[2 + (i * 3)], words[3 + (i * 3)]));
        return (long)words[0];
    }
}
