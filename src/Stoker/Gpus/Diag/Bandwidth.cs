using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>How fast a card copies, in GB/s: within itself (what is read and what is written both count), and from and to pinned memory of the machine.</summary>
internal sealed record Bandwidth(double Within, double ToCard, double FromCard)
{
    private const long Device = 512L << 20, Host = 256L << 20;

    /// <summary>The best of so many: the first is slower, and so is one that something disturbs.</summary>
    private const int Tries = 5;

    /// <summary>Copies between two events, so that beginning them does not count.</summary>
    private const int Copies = 8;

    /// <param name="link">Held while something goes over PCIe: cards may share it, and the machine's memory they do.</param>
    public static Bandwidth Measure(IGpuContext context, Lock link, CancellationToken stop)
    {
        var size = Math.Min(Device, context.Memory.Free / 4);
        var pinned = Math.Min(Host, size);
        var taken = new List<ulong>();
        try
        {
            ulong Take(ulong? address)
            {
                taken.Add(address ?? throw new GpuComputeException("there is not enough memory left to copy"));
                return address.Value;
            }

            var (one, other, host) = (Take(context.Allocate(size)), Take(context.Allocate(size)), Take(context.AllocatePinned(pinned)));
            var within = 2 * Best(context, other, one, size, stop);
            lock (link) return new Bandwidth(within, Best(context, one, host, pinned, stop), Best(context, host, one, pinned, stop));
        }
        finally
        {
            foreach (var address in taken) context.Free(address);
        }
    }

    private static double Best(IGpuContext context, ulong to, ulong from, long bytes, CancellationToken stop)
    {
        var best = 0.0;
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            stop.ThrowIfCancellationRequested();
            var took = context.Measure(() =>
            {
                for (var i = 0; i < Copies; i++) context.Copy(to, from, bytes);
            });
            if (took > TimeSpan.Zero) best = Math.Max(best, bytes * Copies / took.TotalSeconds / 1e9);
        }

        return best;
    }
}
