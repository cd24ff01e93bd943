namespace Stoker.Platform.Gpus;

/// <summary>What a device is, by NVML. Each answer stands alone: one that fails leaves its field empty and says so.</summary>
internal static unsafe class NvmlDevices
{
    private const int SmClock = 1, MemoryClock = 2, ShutdownThreshold = 0, SlowdownThreshold = 1;
    private const uint MostCelsius = 200, MostMegahertz = 100_000;

    private static readonly string[] ComputeModes = ["default", "exclusive_thread", "prohibited", "exclusive_process"];

    public static GpuDevice Read(NvmlLibrary library, nint device, int index)
    {
        var ask = new NvmlFields(library, device);
        var pci = Pci(library, ask, device);
        var limits = ask.Pair("power_limits", "nvmlDeviceGetPowerManagementLimitConstraints", 5_000_000);
        var ecc = ask.Pair("ecc", "nvmlDeviceGetEccMode", 1);
        var mig = ask.Pair("mig", "nvmlDeviceGetMigMode", 1);
        var read = new GpuDevice(index)
        {
            Uuid = ask.Text("uuid", "nvmlDeviceGetUUID"),
            Name = ask.Text("name", "nvmlDeviceGetName"),
            PciBusId = pci.BusId,
            PciId = pci.Id,
            Serial = ask.Text("serial", "nvmlDeviceGetSerial"),
            Vbios = ask.Text("vbios", "nvmlDeviceGetVbiosVersion"),
            Minor = ask.Number("minor", "nvmlDeviceGetMinorNumber"),
            ComputeCapability = ask.Pair("compute_capability", "nvmlDeviceGetCudaComputeCapability", 100) is var (major, minor) ? $"{major}.{minor}" : null,
            Cores = ask.Number("cores", "nvmlDeviceGetNumGpuCores"),
            Memory = NvmlReadings.Memory(library, ask, device)?.Total,
            PcieGeneration = ask.Number("pcie_generation", "nvmlDeviceGetMaxPcieLinkGeneration", 20),
            PcieWidth = ask.Number("pcie_width", "nvmlDeviceGetMaxPcieLinkWidth", 64),
            PowerMin = limits?.First / 1000.0,
            PowerMax = limits?.Second / 1000.0,
            PowerDefault = ask.Watts("power_default", "nvmlDeviceGetPowerManagementDefaultLimit"),
            SmClockMax = ask.NumberOf("sm_clock_max", "nvmlDeviceGetMaxClockInfo", SmClock, MostMegahertz),
            MemoryClockMax = ask.NumberOf("memory_clock_max", "nvmlDeviceGetMaxClockInfo", MemoryClock, MostMegahertz),
            SlowdownCelsius = ask.NumberOf("slowdown_celsius", "nvmlDeviceGetTemperatureThreshold", SlowdownThreshold, MostCelsius),
            ShutdownCelsius = ask.NumberOf("shutdown_celsius", "nvmlDeviceGetTemperatureThreshold", ShutdownThreshold, MostCelsius),
            Ecc = ecc is null ? null : ecc.Value.First == 1,
            EccPending = ecc is null ? null : ecc.Value.Second == 1,
            Mig = mig is null ? null : mig.Value.First == 1,
            MigPending = mig is null ? null : mig.Value.Second == 1,
            Persistence = ask.Number("persistence", "nvmlDeviceGetPersistenceMode", 1) is { } mode ? mode == 1 : null,
            ComputeMode = ask.Number("compute_mode", "nvmlDeviceGetComputeMode", 3) is { } compute ? ComputeModes[compute] : null,
            NotSupported = ask.NotSupported,
        };
        return read with { Problems = ask.Lost is { } lost ? [lost, .. ask.Problems] : ask.Problems };
    }

    private static (string? BusId, string? Id) Pci(NvmlLibrary library, NvmlFields ask, nint device)
    {
        NvmlPci pci = default;
        var call = library.Find("nvmlDeviceGetPciInfo_v3");
        return ask.Told("pci", call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, NvmlPci*, int>)call)(device, &pci))
            ? (NvmlLibrary.TextOf(pci.BusId, 32), $"0x{pci.DeviceId:X8}")
            : default;
    }
}
