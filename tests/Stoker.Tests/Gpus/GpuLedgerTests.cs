using Stoker.Gpus;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus;

public sealed class GpuLedgerTests
{
    private const long GiB = 1L << 30;

    [Fact]
    public void Every_byte_has_an_owner_or_is_told_as_nobodys()
    {
        var gpu = Gpu(
            20 * GiB,
            Of("vision", 10, 4 * GiB), Of("vision", 11, 2 * GiB), Of("speech", 12, 3 * GiB), Of("late", 13, GiB),
            new GpuClientDocument(14, "python3", "orphan") { Service = "vision", Memory = 2 * GiB },
            new GpuClientDocument(15, "train", "stranger") { Memory = 5 * GiB });
        var ledger = GpuLedger.Of(gpu, [new("group vision_gpu", 5 * GiB, ["vision"]), new("speech", 4 * GiB, ["speech"]), new("learning", 7 * GiB, ["learning"])]);

        Assert.Equal(
        [
            ("group vision_gpu", 5 * GiB, 6 * GiB, "over", "uses 1 GiB more than it declared"),
            ("speech", 4 * GiB, 3 * GiB, "within", null),
            ("learning", 7 * GiB, 0, "idle", null),
            ("pid 15", null, 5 * GiB, "stranger", "train is none of the estate's"),
            ("late", null, GiB, "undeclared", "late was not given this GPU"),
            ("orphan of vision", null, 2 * GiB, "orphan", "pid 14, python3: left behind by vision, which does not know of it"),
        ], ledger.Entries.Select(e => (e.Owner, e.Declared, e.Measured ?? -1, e.State, e.Says)));
        Assert.Equal(3 * GiB, ledger.Unaccounted);
        Assert.False(ledger.IsAsItShouldBe);
    }

    [Fact]
    public void Replicas_with_budgets_of_their_own_are_measured_apart()
    {
        var ledger = GpuLedger.Of(Gpu(5 * GiB, Of("vision", 10, 3 * GiB), Of("vision", 11, 2 * GiB) with { Replica = 2 }), [new("vision/1", 2 * GiB, ["vision"]), new("vision/2", 2 * GiB, ["vision"])]);
        Assert.Equal([("vision/1", "over"), ("vision/2", "within")], ledger.Entries.Select(e => (e.Owner, e.State)));
    }

    [Fact]
    public void What_the_driver_does_not_tell_is_unknown_and_never_within()
    {
        var untold = GpuLedger.Of(Gpu(5 * GiB, Of("vision", 10, null)), [new("vision", 4 * GiB, ["vision"])]);
        Assert.Equal(("unknown", "the driver does not tell what its processes use"), (untold.Entries[0].State, untold.Entries[0].Says));
        Assert.Null(untold.Unaccounted);
        var silent = GpuLedger.Of(Gpu(0) with { Now = null, Silent = "the driver does not answer (for 3 s)" }, [new("vision", 4 * GiB, ["vision"])]);
        Assert.Equal(("unknown", "the driver does not answer (for 3 s)"), (silent.Entries[0].State, silent.Entries[0].Says));
        var lost = GpuLedger.Of(Gpu(0) with { Now = new GpuReading(0) { Lost = "GPU is lost (code 15)" }, Silent = "GPU is lost (code 15)" }, [new("vision", 4 * GiB, ["vision"])]);
        Assert.Equal(("unknown", "GPU is lost (code 15)"), (lost.Entries[0].State, lost.Entries[0].Says));
    }

    private static GpuDocument Gpu(long used, params GpuClientDocument[] clients) =>
        new(0, false, new GpuDevice(0) { Name = "NVIDIA GeForce RTX 4090", Uuid = "GPU-1", Memory = 24 * GiB }) { Now = new GpuReading(0) { UsedMemory = used }, Clients = clients };

    private static GpuClientDocument Of(string service, int pid, long? memory) => new(pid, "python3", "service") { Service = service, Replica = 1, Memory = memory };
}
