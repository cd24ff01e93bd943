using System.Text;
using Stoker.Gpus.Healing;
using Stoker.Http;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus;

/// <summary>
/// The cards in Prometheus' text format, with the names, units and labels of dcgm-exporter 4.5, so that dashboards made for it show them; <c>service</c> says who has processes on the card, and
/// <c>simulated</c> stands on cards that are not there. Beside them, by service, what DCGM has no name for.
/// </summary>
internal static class GpuMetricsPage
{
    /// <summary>As a shift: DCGM tells whole ones.</summary>
    private const int Mebibyte = 20;

    /// <summary>Behind the point.</summary>
    private const int Digits = 6;

    private static readonly (string Name, string Type, string Help, Func<GpuDocument, double?> Of)[] Metrics =
    [
        ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz).", g => g.Now!.SmClock),
        ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).", g => g.Now!.MemoryClock),
        ("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (in C).", g => g.Now!.MemoryCelsius),
        ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C).", g => g.Now!.Celsius),
        ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", g => g.Now!.Watts),
        ("DCGM_FI_DEV_POWER_MGMT_LIMIT", "gauge", "Power limit in force (in W).", g => g.Now!.PowerLimit),
        ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ).", g => g.Now!.Energy),
        ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "Total number of PCIe retries.", g => g.Now!.PcieReplays),
        ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", g => g.Now!.GpuPercent),
        ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", g => g.Now!.MemoryPercent),
        ("DCGM_FI_DEV_ENC_UTIL", "gauge", "Encoder utilization (in %).", g => g.Now!.EncoderPercent),
        ("DCGM_FI_DEV_DEC_UTIL", "gauge", "Decoder utilization (in %).", g => g.Now!.DecoderPercent),
        ("DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB).", g => g.Now!.ReservedMemory >> Mebibyte),
        ("DCGM_FI_DEV_FAN_SPEED", "gauge", "Fan speed (in %).", g => g.Now!.FanPercent),
        ("DCGM_FI_DEV_PSTATE", "gauge", "Performance state; 0 is the fastest.", g => g.Now!.PerformanceState),
        ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "gauge", "Why clocks are low, as bits.", g => g.Now!.Throttle),
        ("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "counter", "Single-bit ECC errors since the driver was loaded.", g => g.Now!.EccCorrected),
        ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "counter", "Double-bit ECC errors since the driver was loaded.", g => g.Now!.EccUncorrected),
        ("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", "counter", "Single-bit ECC errors in the life of the card.", g => g.Now!.EccCorrectedEver),
        ("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", "counter", "Double-bit ECC errors in the life of the card.", g => g.Now!.EccUncorrectedEver),
        ("DCGM_FI_DEV_RETIRED_SBE", "counter", "Pages retired because of single-bit errors.", g => g.Now!.RetiredBySingleBit),
        ("DCGM_FI_DEV_RETIRED_DBE", "counter", "Pages retired because of double-bit errors.", g => g.Now!.RetiredByDoubleBit),
        ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for uncorrectable errors", g => g.Now!.RemappedUncorrectable),
        ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for correctable errors", g => g.Now!.RemappedCorrectable),
        ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows has failed", g => g.Now!.RemapFailed is { } failed ? failed ? 1 : 0 : null),
        ("stoker_gpu_up", "gauge", "1 where the card answers.", g => g.Now is { Lost: null } ? 1 : 0),
    ];

    /// <summary>Of a card in partitions each partition has these, and the card has none: a sum over all lines is right.</summary>
    private static readonly (string Name, string Type, string Help, Func<Part, double?> Of)[] PartMetrics =
    [
        ("DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB).", p => p.FreeMemory >> Mebibyte),
        ("DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB).", p => p.UsedMemory >> Mebibyte),
        ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.", p => p.Activity?.Engine),
        ("DCGM_FI_PROF_SM_ACTIVE", "gauge", "Ratio of time a multiprocessor has work, averaged over all.", p => p.Activity?.Sm),
        ("DCGM_FI_PROF_SM_OCCUPANCY", "gauge", "Ratio of resident warps to those there is room for.", p => p.Activity?.Occupancy),
        ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Ratio of cycles the tensor cores are active.", p => p.Activity?.Tensor),
        ("DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the memory interface is sending or receiving data.", p => p.Activity?.Dram),
        ("DCGM_FI_PROF_PIPE_FP64_ACTIVE", "gauge", "Ratio of cycles the FP64 cores are active.", p => p.Activity?.Fp64),
        ("DCGM_FI_PROF_PIPE_FP32_ACTIVE", "gauge", "Ratio of cycles the FP32 cores are active.", p => p.Activity?.Fp32),
        ("DCGM_FI_PROF_PIPE_FP16_ACTIVE", "gauge", "Ratio of cycles the FP16 cores are active.", p => p.Activity?.Fp16),
        ("DCGM_FI_PROF_PCIE_TX_BYTES", "gauge", "Data sent over PCIe (in bytes per second).", p => p.Activity?.PcieSent),
        ("DCGM_FI_PROF_PCIE_RX_BYTES", "gauge", "Data received over PCIe (in bytes per second).", p => p.Activity?.PcieReceived),
        ("DCGM_FI_PROF_NVLINK_TX_BYTES", "gauge", "Data sent over NVLink (in bytes per second).", p => p.Activity?.NvlinkSent),
        ("DCGM_FI_PROF_NVLINK_RX_BYTES", "gauge", "Data received over NVLink (in bytes per second).", p => p.Activity?.NvlinkReceived),
    ];

    /// <summary>For whom keeps it.</summary>
    public static byte[] Bytes(GpusDocument gpus, string hostname)
    {
        using var page = Write(gpus, hostname);
        return page.Memory.ToArray();
    }

    /// <param name="hostname">Of this machine.</param>
    public static PrometheusPage Write(GpusDocument gpus, string hostname)
    {
        var page = new PrometheusPage();
        // A card that does not answer has no figures, but that it is not up.
        (GpuDocument Gpu, string Labels)[] all = [.. gpus.Gpus.Select(g => (g, Labels(g, null, gpus, hostname)))];
        foreach (var (name, type, help, of) in Metrics) Family(page, name, type, help, all.Where(a => a.Gpu.Now is { Lost: null } || name == "stoker_gpu_up").Select(a => (a.Labels, of(a.Gpu))));
        var xids = all.Where(a => a.Gpu.Now is { Lost: null }).Select(a => (a.Labels + XidLabels(a.Gpu), (double?)(a.Gpu.LastXid ?? 0)));
        Family(page, "DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered.", xids);
        (Part Part, string Labels)[] parts = [.. gpus.Gpus.Where(g => g.Now is { Lost: null }).SelectMany(g => PartsOf(g).Select(p => (p, Labels(g, p.Instance, gpus, hostname))))];
        foreach (var (name, type, help, of) in PartMetrics) Family(page, name, type, help, parts.Select(p => (p.Labels, of(p.Part))));
        ByService(page, gpus, "stoker_gpu_service_memory_bytes", "GPU memory of the processes of a service.", c => c.Memory);
        ByService(page, gpus, "stoker_gpu_service_utilization_percent", "Of the GPU's time, used by the processes of a service.", c => c.GpuPercent);
        return page;
    }

    private static void Family(PrometheusPage page, string name, string type, string help, IEnumerable<(string Labels, double? Value)> lines)
    {
        var isSaid = false;
        foreach (var (labels, told) in lines)
        {
            if (told is not { } value) continue;
            if (!isSaid) page.Family(name, type, help);
            isSaid = true;
            page.Line(name, labels, Math.Round(value, Digits));
        }
    }

    /// <summary>The instances of a card in partitions, else the card.</summary>
    private static IEnumerable<Part> PartsOf(GpuDocument gpu) => gpu.Now!.Instances.Count > 0
        ? gpu.Now.Instances.Select(i => new Part(i, i.UsedMemory, i.FreeMemory, i.Activity))
        : [new Part(null, gpu.Now.UsedMemory, gpu.Now.FreeMemory, gpu.Now.Activity)];

    private static void ByService(PrometheusPage page, GpusDocument gpus, string name, string help, Func<GpuClientDocument, double?> of)
    {
        var isSaid = false;
        foreach (var gpu in gpus.Gpus)
        {
            foreach (var clients in gpu.Clients.GroupBy(c => c.Owner == "service" ? c.Service! : c.Owner).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                if (clients.Any(c => of(c) is null)) continue;
                if (!isSaid) page.Family(name, "gauge", help);
                isSaid = true;
                var labels = $"gpu=\"{gpu.Index}\",UUID=\"{PrometheusPage.Escaped(gpu.Device.Uuid ?? "")}\",service=\"{PrometheusPage.Escaped(clients.Key)}\"";
                page.Line(name, labels, Math.Round(clients.Sum(of)!.Value, Digits));
            }
        }
    }

    private static string XidLabels(GpuDocument gpu) =>
        $",err_code=\"{gpu.LastXid ?? 0}\",err_msg=\"{PrometheusPage.Escaped(gpu.LastXid is not { } xid ? "No Error" : XidTable.Find(xid)?.Means ?? "Unknown Error")}\"";

    private static IEnumerable<string> ServicesIn(GpuDocument gpu, int instance) =>
        gpu.Clients.Where(c => c.Instance == instance && c.Owner == "service").Select(c => c.Service!).Distinct().Order(StringComparer.Ordinal);

    /// <summary>In dcgm-exporter's order, what is ours behind them.</summary>
    private static string Labels(GpuDocument gpu, GpuInstanceReading? instance, GpusDocument gpus, string hostname)
    {
        var labels = new StringBuilder();
        Add("gpu", $"{gpu.Index}");
        Add("UUID", gpu.Device.Uuid ?? "");
        Add("pci_bus_id", gpu.Device.PciBusId ?? "");
        Add("device", $"nvidia{gpu.Device.Minor ?? gpu.Index}");
        Add("modelName", gpu.Name);
        if (instance is not null)
        {
            Add("GPU_I_PROFILE", instance.Profile ?? "");
            Add("GPU_I_ID", $"{instance.Id}");
        }

        Add("Hostname", gpu.Host ?? hostname);
        Add("DCGM_FI_DRIVER_VERSION", gpu.Simulated ? "simulated" : gpus.Driver ?? "");
        Add("service", string.Join(',', instance is null ? gpu.Services : ServicesIn(gpu, instance.Id)));
        if (gpu.Simulated) Add("simulated", "true");
        return labels.ToString();

        void Add(string name, string value) => labels.Append(labels.Length > 0 ? "," : "").Append(name).Append("=\"").Append(PrometheusPage.Escaped(value)).Append('"');
    }

    /// <summary>A card, or an instance of one in partitions.</summary>
    private sealed record Part(GpuInstanceReading? Instance, long? UsedMemory, long? FreeMemory, GpuActivity? Activity);
}
