namespace Stoker.Platform.Gpus;

/// <summary>How a device is now, by NVML. PCIe throughput comes from the monitors alone (<see cref="NvmlActivity"/>): without them NVML takes 20 ms to measure each way.</summary>
internal static unsafe class NvmlReadings
{
    private const int GpuSensor = 0, SmClock = 1, MemoryClock = 2, Corrected = 0, Uncorrected = 1, SinceLoad = 0, Ever = 1;
    private const uint MostCelsius = 200, MostMegahertz = 100_000, MostPercent = 100;
    private const uint MemoryTemperature = 82, RetiredSingle = 29, RetiredDouble = 30;

    public static GpuReading Read(NvmlLibrary library, nint device, int index, NvmlProcesses processes, NvmlMig mig, NvmlActivity activity)
    {
        var ask = new NvmlFields(library, device);
        var memory = Memory(library, ask, device);
        var used = Utilization(library, ask, device);
        var rows = Rows(library, ask, device);
        var fields = Fields(library, ask, device);
        var instances = mig.ReadInstances(ask, device, activity);
        var read = new GpuReading(index)
        {
            UsedMemory = memory?.Used,
            FreeMemory = memory?.Free,
            ReservedMemory = memory?.Reserved,
            GpuPercent = used?.Gpu,
            MemoryPercent = used?.Memory,
            EncoderPercent = ask.Pair("encoder", "nvmlDeviceGetEncoderUtilization")?.First,
            DecoderPercent = ask.Pair("decoder", "nvmlDeviceGetDecoderUtilization")?.First,
            Celsius = ask.NumberOf("celsius", "nvmlDeviceGetTemperature", GpuSensor, MostCelsius),
            MemoryCelsius = fields.MemoryCelsius,
            FanPercent = ask.Number("fan", "nvmlDeviceGetFanSpeed", 1000),
            Watts = ask.Watts("watts", "nvmlDeviceGetPowerUsage"),
            PowerLimit = ask.Watts("power_limit", "nvmlDeviceGetEnforcedPowerLimit"),
            Energy = ask.Long("energy", "nvmlDeviceGetTotalEnergyConsumption"),
            SmClock = ask.NumberOf("sm_clock", "nvmlDeviceGetClockInfo", SmClock, MostMegahertz),
            MemoryClock = ask.NumberOf("memory_clock", "nvmlDeviceGetClockInfo", MemoryClock, MostMegahertz),
            PerformanceState = ask.Number("performance_state", "nvmlDeviceGetPerformanceState", 32),
            Throttle = ask.Long("throttle", "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"),
            PcieGeneration = ask.Number("pcie_generation", "nvmlDeviceGetCurrPcieLinkGeneration", 20),
            PcieWidth = ask.Number("pcie_width", "nvmlDeviceGetCurrPcieLinkWidth", 64),
            PcieReplays = ask.Number("pcie_replays", "nvmlDeviceGetPcieReplayCounter"),
            EccCorrected = Ecc(library, ask, device, "ecc_corrected", Corrected, SinceLoad),
            EccUncorrected = Ecc(library, ask, device, "ecc_uncorrected", Uncorrected, SinceLoad),
            EccCorrectedEver = Ecc(library, ask, device, "ecc_corrected_ever", Corrected, Ever),
            EccUncorrectedEver = Ecc(library, ask, device, "ecc_uncorrected_ever", Uncorrected, Ever),
            RetiredBySingleBit = fields.RetiredSingle,
            RetiredByDoubleBit = fields.RetiredDouble,
            RemappedCorrectable = rows?.Correctable,
            RemappedUncorrectable = rows?.Uncorrectable,
            RemapPending = rows?.IsPending,
            RemapFailed = rows?.HasFailed,
            // With MIG on, each instance has its own.
            Activity = instances is null ? activity.Read(ask, device, null) : null,
            Instances = instances ?? [],
            Processes = processes.Read(ask, device),
            NotSupported = ask.NotSupported,
            Problems = ask.Problems,
        };
        return ask.Lost is { } lost ? new GpuReading(index) { Lost = lost } : read;
    }

    /// <summary>With what the driver keeps for itself apart, where the library tells it; else that is in what is used.</summary>
    public static (long Total, long Used, long Free, long? Reserved)? Memory(NvmlLibrary library, NvmlFields ask, nint device)
    {
        var newer = new NvmlMemory2 { Version = NvmlStructs.Memory2 };
        var call = library.Find("nvmlDeviceGetMemoryInfo_v2");
        var code = call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, NvmlMemory2*, int>)call)(device, &newer);
        if (code == NvmlLibrary.Success) return Sane(ask, newer.Total, newer.Used, newer.Free, newer.Reserved);
        // An older library, or one that does not know this version: the first form is understood by all.
        if (code is not (NvmlLibrary.NoFunction or NvmlLibrary.NotSupported or NvmlLibrary.Mismatch) || library.Find("nvmlDeviceGetMemoryInfo") is not (not 0 and var older))
        {
            ask.Told("memory", code);
            return null;
        }

        NvmlMemory memory;
        return ask.Told("memory", ((delegate* unmanaged<nint, NvmlMemory*, int>)older)(device, &memory)) ? Sane(ask, memory.Total, memory.Used, memory.Free, null) : null;
    }

    private static (long, long, long, long?)? Sane(NvmlFields ask, ulong total, ulong used, ulong free, ulong? reserved)
    {
        if (total < 1UL << 50 && used <= total && free <= total && (reserved ?? 0) <= total) return ((long)total, (long)used, (long)free, (long?)reserved);
        ask.Doubt("memory", $"{used} of {total} bytes used");
        return null;
    }

    private static (int Gpu, int Memory)? Utilization(NvmlLibrary library, NvmlFields ask, nint device)
    {
        var rates = stackalloc uint[2];
        var call = library.Find("nvmlDeviceGetUtilizationRates");
        if (!ask.Told("utilisation", call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, uint*, int>)call)(device, rates))) return null;
        if (rates[0] <= MostPercent && rates[1] <= MostPercent) return ((int)rates[0], (int)rates[1]);
        ask.Doubt("utilisation", $"{rates[0]} % and {rates[1]} %");
        return null;
    }

    private static long? Ecc(NvmlLibrary library, NvmlFields ask, nint device, string field, int error, int counter)
    {
        ulong count = 0;
        var call = library.Find("nvmlDeviceGetTotalEccErrors");
        var code = call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, int, int, ulong*, int>)call)(device, error, counter, &count);
        return ask.Told(field, code) ? (long)Math.Min(count, long.MaxValue) : null;
    }

    private static (long Correctable, long Uncorrectable, bool IsPending, bool HasFailed)? Rows(NvmlLibrary library, NvmlFields ask, nint device)
    {
        uint correctable = 0, uncorrectable = 0, pending = 0, failed = 0;
        var call = library.Find("nvmlDeviceGetRemappedRows");
        var code = call == 0
            ? NvmlLibrary.NoFunction
            : ((delegate* unmanaged<nint, uint*, uint*, uint*, uint*, int>)call)(device, &correctable, &uncorrectable, &pending, &failed);
        return ask.Told("remapped_rows", code) ? (correctable, uncorrectable, pending != 0, failed != 0) : null;
    }

    /// <summary>What has no function of its own, in one call.</summary>
    private static (int? MemoryCelsius, long? RetiredSingle, long? RetiredDouble) Fields(NvmlLibrary library, NvmlFields ask, nint device)
    {
        var values = stackalloc NvmlFieldValue[3];
        new Span<NvmlFieldValue>(values, 3).Clear();
        (values[0].Field, values[1].Field, values[2].Field) = (MemoryTemperature, RetiredSingle, RetiredDouble);
        var call = library.Find("nvmlDeviceGetFieldValues");
        var code = call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, int, NvmlFieldValue*, int>)call)(device, 3, values);
        int CodeOf(int i) => code == NvmlLibrary.Success ? values[i].Code : code;
        var celsius = ask.Told("memory_celsius", CodeOf(0)) ? Number(values[0]) : null;
        if (celsius is < 0 or > MostCelsius) ask.Doubt("memory_celsius", $"{celsius}");
        return (
            celsius is >= 0 and <= MostCelsius ? (int)celsius : null,
            ask.Told("retired_by_single_bit", CodeOf(1)) ? Number(values[1]) : null,
            ask.Told("retired_by_double_bit", CodeOf(2)) ? Number(values[2]) : null);
    }

    /// <summary>nvmlValueType_t: 0 double, 1 unsigned int, 2 unsigned long, 3 unsigned long long, 4 signed long long, 5 signed int.</summary>
    private static long? Number(NvmlFieldValue value) => value.Type switch
    {
        0 => (long)BitConverter.UInt64BitsToDouble(value.Value),
        1 => (uint)value.Value,
        2 or 3 => (long)Math.Min(value.Value, long.MaxValue),
        4 => (long)value.Value,
        5 => (int)value.Value,
        _ => null,
    };
}
