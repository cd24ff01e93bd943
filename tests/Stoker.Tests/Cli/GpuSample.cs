using Stoker.Gpus;
using Stoker.Platform.Gpus;

namespace Stoker.Tests.Cli;

/// <summary>GPUs to show: a real one with two services, a stranger and an orphan on it, a simulated one that is lost.</summary>
internal static class GpuSample
{
    private const long GiB = 1L << 30;

    public static GpusDocument Gpus { get; } = new("ai-system", FrozenClock.Noon, "580.65.06", "13.0", [],
    [
        new(0, false, new GpuDevice(0) { Uuid = "GPU-5e1f", Name = "NVIDIA GeForce RTX 4090", Memory = 24 * GiB, PcieGeneration = 4, PcieWidth = 16, Ecc = false, NotSupported = ["mig"] })
        {
            Now = new GpuReading(0)
            {
                UsedMemory = 17 * GiB, FreeMemory = 6 * GiB, GpuPercent = 87, Celsius = 81, Watts = 431.5, PowerLimit = 450, FanPercent = 62, SmClock = 2310, PcieGeneration = 4, PcieWidth = 16,
            },
            ThrottledBy = ["power_cap"],
            Services = ["speech", "vision"],
            Clients =
            [
                Client(900, "vision", 6 * GiB) with { GpuPercent = 60, CpuPercent = 112.4, HostMemory = 3 * GiB },
                Client(901, "speech", 4 * GiB) with { GpuPercent = 20, CpuPercent = 3.1, HostMemory = GiB, Replica = 2 },
                new(4711, "python3", "orphan") { Service = "vision", Memory = 5 * GiB, GpuPercent = 0, HostMemory = 2 * GiB },
                new(812, "Xorg", "stranger") { Kind = "graphics", Memory = GiB / 2 },
            ],
        },
        new(1, true, new GpuDevice(0) { Uuid = "GPU-simulated-mainpc-1", Name = "NVIDIA GeForce RTX 3060", Simulated = true, Memory = 12 * GiB })
        {
            Host = "pc2", Now = new GpuReading(0) { Lost = "GPU is lost (code 15)" }, Silent = "GPU is lost (code 15)", Services = ["dream"], LastXid = 79, LastXidAt = FrozenClock.Noon,
        },
    ]);

    public static LedgerDocument Ledger { get; } = new("ai-system", FrozenClock.Noon,
    [
        GpuLedger.Of(Gpus.Gpus[0], [new("group vision_gpu", 5 * GiB, ["vision"]), new("speech", 4 * GiB, ["speech"]), new("learning", 7 * GiB, ["learning"])]),
        GpuLedger.Of(Gpus.Gpus[1], [new("dream", 10 * GiB, ["dream"])]),
    ], []);

    private static GpuClientDocument Client(int pid, string service, long memory) => new(pid, "python3", "service") { Service = service, Replica = 1, Memory = memory };
}
