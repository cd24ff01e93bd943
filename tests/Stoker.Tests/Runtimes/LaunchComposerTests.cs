using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Runtimes;
using Xunit;

namespace Stoker.Tests.Runtimes;

/// <summary>What a process is told of the GPU that it was given, by its environment.</summary>
public sealed class LaunchComposerTests
{
    private static readonly MpsShare Half = new("gpu0-mps", 50, 12L << 30, "GPU-1");

    [Fact]
    public void Whole_cards_are_given_by_index_in_the_order_of_the_bus() =>
        Assert.Equal("CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=0,2", Cuda(new ReplicaPlan(1, []) { GpuIndices = [0, 2], GpuUuids = ["GPU-0", "GPU-2"] }));

    [Fact]
    public void Partitions_are_given_by_UUID() =>
        Assert.Equal("CUDA_VISIBLE_DEVICES=MIG-1,MIG-2", Cuda(new ReplicaPlan(1, []) { GpuIndices = [0], GpuUuids = ["GPU-0"], GpuPartitions = ["MIG-1", "MIG-2"] }));

    [Fact]
    public void A_client_of_MPS_gets_its_server_and_its_share_and_the_first_card_by_number() => Assert.Equal(
        "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=50 CUDA_MPS_PINNED_DEVICE_MEM_LIMIT=0=12288M CUDA_MPS_PIPE_DIRECTORY=/run/mps/gpu0-mps/pipe CUDA_VISIBLE_DEVICES=0",
        Cuda(new ReplicaPlan(1, []) { GpuIndices = [0], Mps = Half }));

    [Fact]
    public void Another_card_is_named_by_UUID_and_one_that_is_not_here_is_not_named()
    {
        Assert.EndsWith(" CUDA_VISIBLE_DEVICES=GPU-1", Cuda(new ReplicaPlan(1, []) { GpuIndices = [1], Mps = Half }), StringComparison.Ordinal);
        Assert.DoesNotContain("VISIBLE", Cuda(new ReplicaPlan(1, []) { GpuIndices = [1], Mps = Half with { Uuid = null } }), StringComparison.Ordinal);
        Assert.DoesNotContain("PINNED", Cuda(new ReplicaPlan(1, []) { GpuIndices = [0], Mps = Half with { Memory = null } }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_control_daemon_has_a_place_of_its_own_and_one_card() => Assert.Equal(
        "CUDA_MPS_LOG_DIRECTORY=/run/mps/web/log CUDA_MPS_PIPE_DIRECTORY=/run/mps/web/pipe CUDA_VISIBLE_DEVICES=GPU-1",
        Cuda(new ReplicaPlan(1, []), p => p with { MpsOf = new GpuPlan(null, 1, "RTX 4090", "GPU 1 (RTX 4090)", null, true, "mps", []) { Uuid = "GPU-1" } }));

    [Fact]
    public void What_a_service_declares_itself_holds() => Assert.Contains(
        "CUDA_VISIBLE_DEVICES=0",
        Cuda(new ReplicaPlan(1, []) { GpuIndices = [1], Mps = Half }, p => p with { Spec = p.Spec with { Environment = new Dictionary<string, Positioned<string?>> { ["CUDA_VISIBLE_DEVICES"] = new("0", default) } } }),
        StringComparison.Ordinal);

    private static string Cuda(ReplicaPlan replica, Func<ServicePlan, ServicePlan>? change = null)
    {
        var plan = new ServicePlan(new ServiceSpec(new ServiceName("web"), new SourcePosition("stoker.yaml", 3, 3)) { Command = ["web"] }, "f");
        var around = new LaunchSurroundings("shop", new Dictionary<string, string> { ["CUDA_VISIBLE_DEVICES"] = "7" }, "/stoker") { OutputFifo = "/o", ErrorFifo = "/e", Mps = "/run/mps" };
        return string.Join(' ', LaunchComposer.EnvironmentOf(change?.Invoke(plan) ?? plan, replica, "r1", around, user: null).Where(v => v.Key.StartsWith("CUDA_", StringComparison.Ordinal)).OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}"));
    }
}
