namespace Stoker.Hosts.Facts;

/// <param name="Firmware">Version and date of BIOS or UEFI, as the board tells.</param>
/// <param name="Virtualisation"><c>none</c>, or the hypervisor or container as systemd-detect-virt(1) calls it: <c>kvm vmware microsoft docker podman wsl …</c></param>
internal sealed record MachineFacts(string? Vendor, string? Product, string? Board, string? Firmware, string? Virtualisation)
{
    /// <summary>The container that the program runs in, when <see cref="Virtualisation"/> is the machine's; null: none was seen.</summary>
    public string? Container { get; init; }
}

/// <param name="Threads">Processors that are online.</param>
/// <param name="Governors">How clocks are chosen, each governor once: <c>performance</c>.</param>
/// <param name="MaxMhz">Greatest clock of any core.</param>
internal sealed record CpuFacts(
    string? Model, string? Vendor, string? Architecture, int? Sockets, int? Cores, int? Threads, IReadOnlyList<string> Governors, double? MaxMhz, string? Microcode, IReadOnlyList<string> Flags);

/// <param name="Total">What the kernel has to give away, which is less than <see cref="Installed"/>.</param>
/// <param name="Ecc">Whether errors are corrected: the words of the firmware (<c>multi-bit ECC</c>, <c>none</c>), or that the kernel counts them.</param>
internal sealed record MemoryFacts(long? Total, long? Available, long? SwapTotal, long? SwapFree, long? Installed, string? Kind, int? SpeedMts, string? Ecc)
{
    /// <summary>Errors that the memory controllers corrected, and could not correct, since boot; null where nobody counts.</summary>
    public long? CorrectedErrors { get; init; }

    public long? UncorrectedErrors { get; init; }

    public IReadOnlyList<MemoryModule> Modules { get; init; } = [];

    public IReadOnlyList<HugePages> HugePages { get; init; } = [];
}

/// <param name="SpeedMts">Configured, in million transfers a second.</param>
internal sealed record MemoryModule(string? Slot, long Size, string? Kind, int? SpeedMts, string? Maker, string? Part);

/// <param name="Size">Bytes of one page.</param>
internal sealed record HugePages(long Size, long Total, long Free);

/// <param name="Cpus">As the kernel lists them: <c>0-15,32-47</c>.</param>
/// <param name="Distances">To each node in order, 10 being itself.</param>
internal sealed record NumaNode(int Node, string Cpus, long? Memory, IReadOnlyList<int> Distances);

/// <param name="Kind"><c>nvme ssd hdd virtual raid mapper zram optical card</c>.</param>
/// <param name="Link">How it is attached: <c>pcie sata sas usb virtio mmc</c>; null where the kernel does not tell.</param>
/// <param name="Health">What the disk, or its RAID, says of itself; null: see unknown.</param>
internal sealed record DiskFacts(string Name, string Kind, string? Link, long Size, string? Model, string? Serial, string? Firmware, bool ReadOnly, bool Removable, string? Health)
{
    public IReadOnlyList<PartitionFacts> Partitions { get; init; } = [];

    /// <summary>Of a mapping (LVM, encryption): its name, and what made it.</summary>
    public string? Mapping { get; init; }
}

internal sealed record PartitionFacts(string Name, long Size);

/// <param name="Options">Of the mount and of the file system.</param>
internal sealed record MountFacts(string Path, string Source, string Type, IReadOnlyList<string> Options, long? Size, long? Free);

internal sealed record PowerFacts(IReadOnlyList<PowerSupply> Supplies, IReadOnlyList<PowerLimit> Limits);

/// <param name="Status">As the kernel says: <c>online</c>, <c>offline</c>, <c>Discharging</c>.</param>
internal sealed record PowerSupply(string Name, string Kind, string? Status, int? Percent);

/// <param name="Name">What is limited: <c>package-0</c>.</param>
internal sealed record PowerLimit(string Name, double Watts);

/// <param name="Kind"><c>temperature</c> in °C, <c>fan</c> in rpm, <c>power</c> in W, <c>voltage</c> in V.</param>
/// <param name="Critical">Where the device says it is too much.</param>
internal sealed record SensorReading(string Device, string Name, string Kind, double Value, double? Critical);
