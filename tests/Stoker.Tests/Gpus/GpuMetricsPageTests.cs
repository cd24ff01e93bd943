using Stoker.Gpus;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus;

public sealed class GpuMetricsPageTests
{
    private static readonly GpuDocument Real = new(0, false, new GpuDevice(0) { Name = "NVIDIA H200", Uuid = "GPU-1", PciBusId = "00000000:01:00.0", Minor = 0 })
    {
        Now = new GpuReading(0) { Celsius = 41, UsedMemory = 3L << 30, Watts = 310.25, Energy = 12_345_678_901 },
        Services = ["speech", "vision"],
        Clients = [new(10, "python3", "service") { Service = "vision", Memory = 2L << 30, GpuPercent = 40 }, new(11, "python3", "service") { Service = "vision", Memory = 1L << 30, GpuPercent = 5 }, new(12, "x", "stranger") { Memory = 7 }],
        LastXid = 31,
    };

    [Fact]
    public void Names_labels_and_units_are_those_of_dcgm_exporter_with_the_services_behind()
    {
        var lines = Lines(Real);
        Assert.Contains("""DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",pci_bus_id="00000000:01:00.0",device="nvidia0",modelName="NVIDIA H200",Hostname="box",DCGM_FI_DRIVER_VERSION="580.65",service="speech,vision"} 41""", lines);
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_DEV_FB_USED{", StringComparison.Ordinal) && l.EndsWith(" 3072", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_DEV_POWER_USAGE{", StringComparison.Ordinal) && l.EndsWith(" 310.25", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{", StringComparison.Ordinal) && l.EndsWith(" 12345678901", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_DEV_XID_ERRORS{", StringComparison.Ordinal) && l.EndsWith(""",err_code="31",err_msg="GPU memory page fault"} 31""", StringComparison.Ordinal));
        Assert.Contains(Lines(Real with { LastXid = null }), l => l.StartsWith("DCGM_FI_DEV_XID_ERRORS{", StringComparison.Ordinal) && l.EndsWith(""",err_code="0",err_msg="No Error"} 0""", StringComparison.Ordinal));
        Assert.Contains("""stoker_gpu_service_memory_bytes{gpu="0",UUID="GPU-1",service="vision"} 3221225472""", lines);
        Assert.Contains("""stoker_gpu_service_memory_bytes{gpu="0",UUID="GPU-1",service="stranger"} 7""", lines);
        Assert.Contains("""stoker_gpu_service_utilization_percent{gpu="0",UUID="GPU-1",service="vision"} 45""", lines);
    }

    [Fact]
    public void What_is_not_told_has_no_line_and_is_not_0()
    {
        var lines = Lines(Real);
        Assert.DoesNotContain(lines, l => l.Contains("FAN_SPEED", StringComparison.Ordinal) || l.Contains("ECC", StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_monitors_tell_has_the_profiling_names_as_ratios_and_bytes_a_second()
    {
        var lines = Lines(Real with { Now = Real.Now! with { Activity = new GpuActivity { Engine = 0.875, Tensor = 0.25, Dram = 0, PcieReceived = 262_144_000 } } });
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_PROF_GR_ENGINE_ACTIVE{", StringComparison.Ordinal) && l.EndsWith(" 0.875", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{", StringComparison.Ordinal) && l.EndsWith(" 0.25", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_PROF_DRAM_ACTIVE{", StringComparison.Ordinal) && l.EndsWith(" 0", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_PROF_PCIE_RX_BYTES{", StringComparison.Ordinal) && l.EndsWith(" 262144000", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.Contains("NVLINK", StringComparison.Ordinal) || l.Contains("FP64", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_a_card_in_partitions_each_has_its_memory_and_its_services_and_the_card_does_not_count_them_again()
    {
        var lines = Lines(Real with
        {
            Now = Real.Now! with { Instances = [new GpuInstanceReading(3, "1g.10gb") { UsedMemory = 2L << 30, FreeMemory = 7L << 30, Activity = new GpuActivity { Sm = 0.5 } }, new GpuInstanceReading(5, "2g.20gb") { UsedMemory = 1L << 20 }] },
            Clients = [new(10, "python3", "service") { Service = "vision", Memory = 2L << 30, Instance = 3 }],
        });
        const string Card = """gpu="0",UUID="GPU-1",pci_bus_id="00000000:01:00.0",device="nvidia0",modelName="NVIDIA H200",""";
        Assert.Equal(
        [
            "DCGM_FI_DEV_FB_USED{" + Card + """GPU_I_PROFILE="1g.10gb",GPU_I_ID="3",Hostname="box",DCGM_FI_DRIVER_VERSION="580.65",service="vision"} 2048""",
            "DCGM_FI_DEV_FB_USED{" + Card + """GPU_I_PROFILE="2g.20gb",GPU_I_ID="5",Hostname="box",DCGM_FI_DRIVER_VERSION="580.65",service=""} 1""",
        ], lines.Where(l => l.StartsWith("DCGM_FI_DEV_FB_USED{", StringComparison.Ordinal)));
        Assert.Single(lines, l => l.StartsWith("DCGM_FI_DEV_FB_FREE{", StringComparison.Ordinal));
        Assert.Single(lines, l => l.StartsWith("DCGM_FI_PROF_SM_ACTIVE{", StringComparison.Ordinal) && l.Contains("GPU_I_ID=\"3\"", StringComparison.Ordinal));
        Assert.Single(lines, l => l.StartsWith("DCGM_FI_DEV_GPU_TEMP{", StringComparison.Ordinal));
    }

    [Fact]
    public void A_simulated_card_is_marked_and_a_lost_one_is_not_up()
    {
        var lines = Lines(Real with { Simulated = true }, Real with { Index = 1, Now = new GpuReading(1) { Lost = "GPU is lost (code 15)" } });
        Assert.Contains(lines, l => l.StartsWith("DCGM_FI_DEV_GPU_TEMP{gpu=\"0\"", StringComparison.Ordinal) && l.Contains("simulated=\"true\"", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.StartsWith("DCGM_FI_DEV_GPU_TEMP{gpu=\"1\"", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("stoker_gpu_up{gpu=\"1\"", StringComparison.Ordinal) && l.EndsWith(" 0", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_name_is_announced_once_before_its_lines()
    {
        var lines = Lines(Real, Real with { Index = 1 });
        var announced = lines.Where(l => l.StartsWith("# TYPE", StringComparison.Ordinal)).Select(l => l.Split(' ')[2]).ToList();
        Assert.Equal(announced.Count, announced.Distinct().Count());
        foreach (var line in lines.Where(l => !l.StartsWith('#'))) Assert.Contains(line.Split('{')[0], announced);
    }

    private static string[] Lines(params GpuDocument[] gpus) =>
        Page(new GpusDocument("ai-system", default, "580.65", "13.0", [], gpus)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Page(GpusDocument gpus)
    {
        using var page = GpuMetricsPage.Write(gpus, "box");
        return page.ToString();
    }
}
