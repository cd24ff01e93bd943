namespace Stoker.Platform.Gpus;

/// <summary>Who is on a device, by NVML. What each uses of the GPU's time comes as samples, of which the driver keeps the latest.</summary>
internal sealed unsafe class NvmlProcesses(NvmlLibrary library)
{
    private const int Usual = 64, Most = 16_384;
    private const ulong NotAvailable = ulong.MaxValue;
    private const uint NoInstance = uint.MaxValue;

    private readonly Dictionary<nint, ulong> _seen = [];

    public IReadOnlyList<GpuProcess> Read(NvmlFields ask, nint device)
    {
        var found = new Dictionary<(int, uint), GpuProcess>();
        Add(found, ask, device, "processes", "compute", library.Find("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"));
        Add(found, ask, device, "graphics_processes", "graphics", library.Find("nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"));
        if (found.Count == 0) return [];
        var use = Use(ask, device);
        return [.. found.Values.Select(p => use.TryGetValue((uint)p.Pid, out var percent) ? p with { GpuPercent = percent.Gpu, MemoryPercent = percent.Memory } : p)];
    }

    private static void Add(Dictionary<(int, uint), GpuProcess> found, NvmlFields ask, nint device, string field, string kind, nint call)
    {
        if (!ask.Told(field, Read(call, device, out var processes))) return;
        foreach (var process in processes)
        {
            if (process.Pid is 0 or > 1 << 22)
            {
                ask.Doubt(field, $"pid {process.Pid}");
                continue;
            }

            // What computes and draws is in both lists, with the same memory.
            found.TryAdd(((int)process.Pid, process.GpuInstance), new GpuProcess((int)process.Pid, process.UsedMemory is NotAvailable or >= 1UL << 50 ? null : (long)process.UsedMemory, kind)
            {
                Instance = process.GpuInstance == NoInstance ? null : (int)process.GpuInstance,
            });
        }
    }

    private static int Read(nint call, nint device, out NvmlProcess[] processes)
    {
        processes = new NvmlProcess[Usual];
        if (call == 0) return NvmlLibrary.NoFunction;
        // More of them than there was room for: the library says how many, and there may be more by then.
        for (var attempt = 0; ; attempt++)
        {
            var count = (uint)processes.Length;
            int code;
            fixed (NvmlProcess* at = processes) code = ((delegate* unmanaged<nint, uint*, NvmlProcess*, int>)call)(device, &count, at);
            if (code == NvmlLibrary.TooSmall && count <= Most && attempt < 3)
            {
                processes = new NvmlProcess[Math.Max(count + Usual, (uint)processes.Length * 2)];
                continue;
            }

            if (code == NvmlLibrary.Success) Array.Resize(ref processes, (int)Math.Min(count, (uint)processes.Length));
            return code;
        }
    }

    /// <summary>The latest sample of each process.</summary>
    private Dictionary<uint, (int Gpu, int Memory)> Use(NvmlFields ask, nint device)
    {
        var use = new Dictionary<uint, (int, int)>();
        var call = (delegate* unmanaged<nint, NvmlProcessUse*, uint*, ulong, int>)library.Find("nvmlDeviceGetProcessUtilization");
        if (call is null)
        {
            ask.Told("process_utilisation", NvmlLibrary.NoFunction);
            return use;
        }

        var samples = new NvmlProcessUse[1024];
        var count = (uint)samples.Length;
        var seen = _seen.GetValueOrDefault(device);
        int code;
        fixed (NvmlProcessUse* at = samples) code = call(device, at, &count, seen);
        // Nothing was used since.
        if (code == NvmlLibrary.NotFound || !ask.Told("process_utilisation", code)) return use;
        foreach (var sample in samples.AsSpan(0, (int)Math.Min(count, (uint)samples.Length)))
        {
            if (sample.Stamp > seen) seen = sample.Stamp;
            if (sample.Sm <= 100 && sample.Memory <= 100) use[sample.Pid] = ((int)sample.Sm, (int)sample.Memory);
        }

        _seen[device] = seen;
        return use;
    }
}
