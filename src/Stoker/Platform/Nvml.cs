using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>
/// The door to NVIDIA's management library, which comes with the driver: what cards there are and how they are now. Every call's return code is looked at; what a card does not tell is left
/// out. Loaded when it is asked for, and let go again.
/// </summary>
internal static unsafe class Nvml
{
    public const string Library = "libnvidia-ml.so.1";

    private const int Success = 0, NotSupported = 3, TextSize = 96, GpuSensor = 0;

    /// <param name="library">Name or path.</param>
    public static NvmlAnswer Read(string library = Library)
    {
        if (!NativeLibrary.TryLoad(library, out var handle)) return new NvmlAnswer.NotThere();
        try
        {
            return Read(new Calls(handle));
        }
        catch (EntryPointNotFoundException missing)
        {
            return new NvmlAnswer.Failed($"`{library}` is too old: {missing.Message}");
        }
        finally
        {
            NativeLibrary.Free(handle);
        }
    }

    private static NvmlAnswer Read(Calls calls)
    {
        var code = ((delegate* unmanaged<int>)calls.Need("nvmlInit_v2"))();
        if (code != Success) return new NvmlAnswer.Failed($"NVML cannot begin: {calls.Words(code)}");
        try
        {
            uint count = 0;
            code = ((delegate* unmanaged<uint*, int>)calls.Need("nvmlDeviceGetCount_v2"))(&count);
            if (code != Success) return new NvmlAnswer.Failed($"NVML does not say how many GPUs there are: {calls.Words(code)}");
            var cards = new List<NvmlCard>();
            var problems = new List<string>();
            for (var index = 0u; index < count; index++)
            {
                nint device = 0;
                code = ((delegate* unmanaged<uint, nint*, int>)calls.Need("nvmlDeviceGetHandleByIndex_v2"))(index, &device);
                if (code == Success) cards.Add(ReadCard(calls, device, (int)index, problems));
                else problems.Add($"GPU {index}: {calls.Words(code)}");
            }

            return new NvmlAnswer.Found((int)count, cards, problems) { Driver = SystemText(calls, "nvmlSystemGetDriverVersion"), Cuda = CudaVersion(calls) };
        }
        finally
        {
            _ = ((delegate* unmanaged<int>)calls.Need("nvmlShutdown"))();
        }
    }

    private static NvmlCard ReadCard(Calls calls, nint device, int index, List<string> problems)
    {
        var memory = new Memory();
        var use = new Utilization();
        var (major, minor) = (0, 0);
        uint celsius = 0, milliwatts = 0;
        var hasMemory = calls.Find("nvmlDeviceGetMemoryInfo") is { } ofMemory && Told("nvmlDeviceGetMemoryInfo", ((delegate* unmanaged<nint, Memory*, int>)ofMemory)(device, &memory));
        var hasVersion = calls.Find("nvmlDeviceGetCudaComputeCapability") is { } ofVersion && Told("nvmlDeviceGetCudaComputeCapability", ((delegate* unmanaged<nint, int*, int*, int>)ofVersion)(device, &major, &minor));
        var hasHeat = calls.Find("nvmlDeviceGetTemperature") is { } ofHeat && Told("nvmlDeviceGetTemperature", ((delegate* unmanaged<nint, int, uint*, int>)ofHeat)(device, GpuSensor, &celsius));
        var hasPower = calls.Find("nvmlDeviceGetPowerUsage") is { } ofPower && Told("nvmlDeviceGetPowerUsage", ((delegate* unmanaged<nint, uint*, int>)ofPower)(device, &milliwatts));
        var hasUse = calls.Find("nvmlDeviceGetUtilizationRates") is { } ofUse && Told("nvmlDeviceGetUtilizationRates", ((delegate* unmanaged<nint, Utilization*, int>)ofUse)(device, &use));
        return new NvmlCard(index)
        {
            Name = DeviceText(calls, device, "nvmlDeviceGetName"),
            Uuid = DeviceText(calls, device, "nvmlDeviceGetUUID"),
            TotalMemory = hasMemory ? (long)memory.Total : null,
            UsedMemory = hasMemory ? (long)memory.Used : null,
            ComputeCapability = hasVersion ? $"{major}.{minor}" : null,
            Celsius = hasHeat ? (int)celsius : null,
            Watts = hasPower ? milliwatts / 1000.0 : null,
            Percent = hasUse ? (int)use.Gpu : null,
        };

        bool Told(string name, int code)
        {
            if (code is not (Success or NotSupported)) problems.Add($"GPU {index}: {name}: {calls.Words(code)}");
            return code == Success;
        }
    }

    private static string? DeviceText(Calls calls, nint device, string name)
    {
        var text = stackalloc byte[TextSize];
        return calls.Find(name) is { } call && ((delegate* unmanaged<nint, byte*, uint, int>)call)(device, text, TextSize) == Success ? TextOf(text) : null;
    }

    private static string? SystemText(Calls calls, string name)
    {
        var text = stackalloc byte[TextSize];
        return calls.Find(name) is { } call && ((delegate* unmanaged<byte*, uint, int>)call)(text, TextSize) == Success ? TextOf(text) : null;
    }

    /// <summary>12040 is 12.4.</summary>
    private static string? CudaVersion(Calls calls)
    {
        var version = 0;
        return calls.Find("nvmlSystemGetCudaDriverVersion_v2") is { } call && ((delegate* unmanaged<int*, int>)call)(&version) == Success && version > 0 ? $"{version / 1000}.{version % 1000 / 10}" : null;
    }

    private static string? TextOf(byte* text)
    {
        var bytes = new ReadOnlySpan<byte>(text, TextSize);
        var end = bytes.IndexOf((byte)0);
        return end > 0 ? Encoding.UTF8.GetString(bytes[..end]) : null;
    }

    private sealed class Calls(nint library)
    {
        public nint? Find(string name) => NativeLibrary.TryGetExport(library, name, out var call) ? call : null;

        /// <exception cref="EntryPointNotFoundException"/>
        public nint Need(string name) => NativeLibrary.GetExport(library, name);

        public string Words(int code)
        {
            if (Find("nvmlErrorString") is not { } call) return $"code {code}";
            var text = ((delegate* unmanaged<int, byte*>)call)(code);
            return text is null ? $"code {code}" : $"{Marshal.PtrToStringUTF8((nint)text)} (code {code})";
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Memory
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Utilization
    {
        public uint Gpu;
        public uint Memory;
    }
}

/// <summary>What the library said.</summary>
internal abstract record NvmlAnswer
{
    private NvmlAnswer()
    {
    }

    /// <param name="Count">How many cards there are, also those that do not answer.</param>
    /// <param name="Problems">What did not answer, in words.</param>
    internal sealed record Found(int Count, IReadOnlyList<NvmlCard> Cards, IReadOnlyList<string> Problems) : NvmlAnswer
    {
        public string? Driver { get; init; }

        /// <summary>The newest CUDA that the driver can run, as in <c>12.4</c>.</summary>
        public string? Cuda { get; init; }
    }

    /// <summary>No driver is installed.</summary>
    internal sealed record NotThere : NvmlAnswer;

    internal sealed record Failed(string Words) : NvmlAnswer;
}

/// <summary>One card; null is what it does not tell. Memory in bytes.</summary>
internal sealed record NvmlCard(int Index)
{
    public string? Name { get; init; }

    public string? Uuid { get; init; }

    public long? TotalMemory { get; init; }

    public long? UsedMemory { get; init; }

    /// <summary>As in <c>8.9</c>.</summary>
    public string? ComputeCapability { get; init; }

    public int? Celsius { get; init; }

    public double? Watts { get; init; }

    public int? Percent { get; init; }
}
