namespace Stoker.Platform.Gpus;

/// <summary>
/// The GPUs of this machine as their driver tells of them, as a seam: NVIDIA's management library (<see cref="NvmlDriver"/>), or cards that are simulated.
/// <code>
/// GpuDoor (a thread, patience) ─► IGpuDriver ─► devices: what they are    readings: how they are now    events: what happened    IGpuControl: MIG
/// </code>
/// Promises: what a card does not support is told as that, per field, and never as a number; a card that fails in use is told in words and takes no other
/// card with it. Refuses: to guess what a library of this machine does not say. Used from one thread at a time.
/// </summary>
internal interface IGpuDriver : IDisposable
{
    GpuSystem System { get; }

    /// <summary>What is there, in the order of the PCI bus. Asked anew each time: cards come and go.</summary>
    IReadOnlyList<GpuDevice> ReadDevices();

    /// <summary>How each of the devices last read is now.</summary>
    IReadOnlyList<GpuReading> ReadNow();

    /// <summary>What happened since it was last asked.</summary>
    IReadOnlyList<GpuEvent> TakeEvents();
}

/// <summary>What changes a GPU. Every refusal is in the driver's words.</summary>
internal interface IGpuControl
{
    /// <summary>Profiles with their placements, and the instances there are; null: the card has no MIG.</summary>
    MigState? ReadMig(string uuid);

    /// <returns>Null when it is so now; else why not, or that it becomes so with a reset.</returns>
    string? SetMigMode(string uuid, bool on);

    /// <summary>A GPU instance at a place, and one compute instance over the whole of it.</summary>
    /// <param name="start">First slice of memory.</param>
    (MigInstance? Made, string? Problem) CreateInstance(string uuid, uint profileId, uint start);

    string? DestroyInstance(string uuid, uint instanceId);
}

/// <summary>What became of opening a driver.</summary>
internal abstract record GpuOpening
{
    private GpuOpening()
    {
    }

    internal sealed record Opened(IGpuDriver Driver) : GpuOpening;

    /// <summary>No driver is installed.</summary>
    internal sealed record NotThere : GpuOpening;

    internal sealed record Failed(string Words) : GpuOpening;
}
