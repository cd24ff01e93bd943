using Stoker.Platform.Gpus;

namespace Stoker.Platform;

/// <summary>
/// One look at NVIDIA's management library: what cards there are and how they are now, as far as each tells. Loaded when it is asked for, and let go again; one that hangs is left behind.
/// </summary>
internal static class Nvml
{
    public const string Library = NvmlDriver.Library;

    /// <param name="library">Name or path.</param>
    public static NvmlAnswer Read(string library = Library)
    {
        using var door = new GpuDoor(() => NvmlDriver.Open(library), TimeProvider.System);
        return door.Ask(driver => (driver.System, Devices: driver.ReadDevices(), Now: driver.ReadNow())) switch
        {
            GpuReply<(GpuSystem System, IReadOnlyList<GpuDevice> Devices, IReadOnlyList<GpuReading> Now)>.Told { Value: var told } => Found(told.System, told.Devices, told.Now),
            GpuReply<(GpuSystem, IReadOnlyList<GpuDevice>, IReadOnlyList<GpuReading>)>.Silent silent => new NvmlAnswer.Failed(silent.Words),
            _ => new NvmlAnswer.NotThere(),
        };
    }

    private static NvmlAnswer.Found Found(GpuSystem system, IReadOnlyList<GpuDevice> devices, IReadOnlyList<GpuReading> now)
    {
        var cards = new List<NvmlCard>();
        var problems = new List<string>();
        foreach (var device in devices)
        {
            var reading = now.FirstOrDefault(r => r.Index == device.Index);
            problems.AddRange(device.Problems.Concat(reading?.Problems ?? []).Concat(reading?.Lost is { } lost ? [lost] : []).Distinct().Select(p => $"GPU {device.Index}: {p}"));
            if (reading is null) continue;
            cards.Add(new NvmlCard(device.Index)
            {
                Name = device.Name, Uuid = device.Uuid, TotalMemory = device.Memory, UsedMemory = reading.UsedMemory, ComputeCapability = device.ComputeCapability,
                Celsius = reading.Celsius, Watts = reading.Watts, Percent = reading.GpuPercent,
            });
        }

        return new NvmlAnswer.Found(devices.Count, cards, problems) { Driver = system.Driver, Cuda = system.Cuda };
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
