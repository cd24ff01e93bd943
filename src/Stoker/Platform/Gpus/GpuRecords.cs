using System.Text.Json.Serialization;

namespace Stoker.Platform.Gpus;

/// <summary>The software under the GPUs; null is what it does not tell.</summary>
/// <param name="Cuda">The newest CUDA that the driver can run, as in <c>12.4</c>.</param>
internal sealed record GpuSystem(string? Driver, string? Nvml, string? Cuda, bool IsSimulated);

/// <summary>What a GPU is. Null is what it does not tell; memory in bytes, power in watts, clocks in MHz.</summary>
/// <param name="Index">NVML's, which is the order of the PCI bus.</param>
internal sealed record GpuDevice(int Index)
{
    public string? Uuid { get; init; }

    public string? Name { get; init; }

    public bool Simulated { get; init; }

    /// <summary>As in <c>00000000:01:00.0</c>.</summary>
    public string? PciBusId { get; init; }

    /// <summary>Device and vendor as in <c>0x268410DE</c>.</summary>
    public string? PciId { get; init; }

    public string? Serial { get; init; }

    public string? Vbios { get; init; }

    /// <summary>Of <c>/dev/nvidia0</c>.</summary>
    public int? Minor { get; init; }

    /// <summary>As in <c>8.9</c>.</summary>
    public string? ComputeCapability { get; init; }

    public int? Cores { get; init; }

    public long? Memory { get; init; }

    public int? PcieGeneration { get; init; }

    public int? PcieWidth { get; init; }

    public double? PowerMin { get; init; }

    public double? PowerMax { get; init; }

    public double? PowerDefault { get; init; }

    public int? SmClockMax { get; init; }

    public int? MemoryClockMax { get; init; }

    /// <summary>From here on it slows itself down.</summary>
    public int? SlowdownCelsius { get; init; }

    public int? ShutdownCelsius { get; init; }

    public bool? Ecc { get; init; }

    /// <summary>After the next reset.</summary>
    public bool? EccPending { get; init; }

    /// <summary>Null: the card has no MIG, if it is among what is not supported.</summary>
    public bool? Mig { get; init; }

    public bool? MigPending { get; init; }

    public bool? Persistence { get; init; }

    /// <summary><c>default</c>, <c>exclusive_thread</c>, <c>prohibited</c> or <c>exclusive_process</c>.</summary>
    public string? ComputeMode { get; init; }

    /// <summary>Names of fields that the card or its driver does not support.</summary>
    public IReadOnlyList<string> NotSupported { get; init; } = [];

    /// <summary>What was asked and not answered, in words.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}

/// <summary>How a GPU is at one moment. Null is what it does not tell; memory in bytes, power in watts, clocks in MHz, shares in percent.</summary>
/// <param name="Index">Of the device.</param>
internal sealed record GpuReading(int Index)
{
    public long? UsedMemory { get; init; }

    public long? FreeMemory { get; init; }

    /// <summary>The driver's own.</summary>
    public long? ReservedMemory { get; init; }

    public int? GpuPercent { get; init; }

    /// <summary>Of the time in which memory was read or written.</summary>
    public int? MemoryPercent { get; init; }

    public int? EncoderPercent { get; init; }

    public int? DecoderPercent { get; init; }

    public int? Celsius { get; init; }

    public int? MemoryCelsius { get; init; }

    public int? FanPercent { get; init; }

    public double? Watts { get; init; }

    public double? PowerLimit { get; init; }

    /// <summary>In millijoules since the driver was loaded.</summary>
    public long? Energy { get; init; }

    public int? SmClock { get; init; }

    public int? MemoryClock { get; init; }

    /// <summary>0 is the fastest.</summary>
    public int? PerformanceState { get; init; }

    /// <summary>Why clocks are below their highest; a set of <see cref="ThrottleReasons"/>.</summary>
    public long? Throttle { get; init; }

    public int? PcieGeneration { get; init; }

    public int? PcieWidth { get; init; }

    public long? PcieReplays { get; init; }

    /// <summary>Since the driver was loaded.</summary>
    public long? EccCorrected { get; init; }

    public long? EccUncorrected { get; init; }

    /// <summary>In the life of the card.</summary>
    public long? EccCorrectedEver { get; init; }

    public long? EccUncorrectedEver { get; init; }

    public long? RetiredBySingleBit { get; init; }

    public long? RetiredByDoubleBit { get; init; }

    public long? RemappedCorrectable { get; init; }

    public long? RemappedUncorrectable { get; init; }

    public bool? RemapPending { get; init; }

    public bool? RemapFailed { get; init; }

    /// <summary>Null before the second look, and where the card has no monitors or is in partitions.</summary>
    public GpuActivity? Activity { get; init; }

    /// <summary>Of a card with MIG on, in the order of their numbers.</summary>
    public IReadOnlyList<GpuInstanceReading> Instances { get; init; } = [];

    public IReadOnlyList<GpuProcess> Processes { get; init; } = [];

    /// <summary>Of a simulated card, for whoever simulates its work: this bit of its memory, counted from the beginning, is always set.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? StuckBit { get; init; }

    /// <summary>The card is not there any more or needs a reset, in the driver's words; nothing else is known of it then.</summary>
    public string? Lost { get; init; }

    public IReadOnlyList<string> NotSupported { get; init; } = [];

    public IReadOnlyList<string> Problems { get; init; } = [];
}

/// <summary>
/// What the units of a card, or of a partition of it, did between two looks, by the card's performance monitors: shares of the time from 0 to 1, traffic in bytes a second. Null is what is not told.
/// </summary>
internal sealed record GpuActivity
{
    /// <summary>Something computed or drew.</summary>
    public double? Engine { get; init; }

    /// <summary>A multiprocessor had work, on average over all of them.</summary>
    public double? Sm { get; init; }

    /// <summary>Of the warps that there is room for.</summary>
    public double? Occupancy { get; init; }

    public double? Tensor { get; init; }

    /// <summary>Of the memory's bandwidth.</summary>
    public double? Dram { get; init; }

    public double? Fp64 { get; init; }

    public double? Fp32 { get; init; }

    public double? Fp16 { get; init; }

    public double? PcieSent { get; init; }

    public double? PcieReceived { get; init; }

    /// <summary>Over all links.</summary>
    public double? NvlinkSent { get; init; }

    public double? NvlinkReceived { get; init; }
}

/// <summary>How a GPU instance of MIG is.</summary>
/// <param name="Id">As processes name it.</param>
/// <param name="Profile">As in <c>1g.10gb</c>.</param>
internal sealed record GpuInstanceReading(int Id, string? Profile)
{
    public long? Memory { get; init; }

    public long? UsedMemory { get; init; }

    public long? FreeMemory { get; init; }

    public GpuActivity? Activity { get; init; }
}

/// <summary>A process that has a context on a GPU.</summary>
/// <param name="Memory">Null where the driver cannot tell.</param>
/// <param name="Kind"><c>compute</c> or <c>graphics</c>.</param>
internal sealed record GpuProcess(int Pid, long? Memory, string Kind)
{
    /// <summary>Of the GPU's time, lately.</summary>
    public int? GpuPercent { get; init; }

    public int? MemoryPercent { get; init; }

    /// <summary>The GPU instance it is in; null without MIG.</summary>
    public int? Instance { get; init; }
}

internal enum GpuEventKind
{
    Xid,
    EccCorrected,
    EccUncorrected,
    PowerSource,
    EccStorm,
    MemoryRetired,
    RetirementFailed,
    Unavailable,
    RecoveryAction,
    Other,
}

/// <summary>Something that happened to a GPU.</summary>
/// <param name="Index">Of the device; null: the driver does not say which.</param>
/// <param name="Data">Of <see cref="GpuEventKind.Xid"/> its number.</param>
internal sealed record GpuEvent(int? Index, GpuEventKind Kind, long Data);

/// <summary>A size of MIG instance and where one can be.</summary>
/// <param name="Name">As in <c>1g.10gb</c>.</param>
/// <param name="Slices">Of compute.</param>
/// <param name="Most">How many there can be at once.</param>
/// <param name="Memory">In bytes.</param>
/// <param name="Size">Slices of memory that each takes.</param>
/// <param name="Starts">Slices of memory at which it can begin.</param>
internal sealed record MigProfile(uint Id, string Name, int Slices, int Most, long Memory, int Size, IReadOnlyList<int> Starts);

/// <param name="Uuid">Of the MIG device in it; null while it has none.</param>
internal sealed record MigInstance(uint Id, uint ProfileId, int Start, int Size, string? Uuid);

internal sealed record MigState(bool IsOn, IReadOnlyList<MigProfile> Profiles, IReadOnlyList<MigInstance> Instances);
