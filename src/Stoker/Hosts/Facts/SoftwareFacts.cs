namespace Stoker.Hosts.Facts;

/// <param name="Id">As in os-release: <c>debian</c>, <c>ubuntu</c>, <c>rhel</c>.</param>
/// <param name="Init">The name of process 1.</param>
/// <param name="Boot"><c>uefi</c> or <c>bios</c> (on arm64 also a boot loader with a device tree).</param>
internal sealed record OsFacts(
    string? Hostname, string? Name, string? Id, string? Version, string? Kernel, string? CommandLine, string? Init, string? Boot, bool? SecureBoot, double? UptimeSeconds, bool RebootRequired);

internal sealed record RuntimeFacts(string Name, string Path, string? Version);

/// <param name="Path">Of the environment: the prefix that programs and packages are below.</param>
/// <param name="Kind"><c>system venv conda pyenv</c>.</param>
/// <param name="Frameworks">What it has of the frameworks that GPUs are bought for, by package.</param>
internal sealed record PythonFacts(string Path, string Kind, string? Version, IReadOnlyList<FrameworkFacts> Frameworks);

/// <param name="Cuda">The CUDA that it was built for; null: none, or it does not say.</param>
internal sealed record FrameworkFacts(string Package, string Version, string? Cuda);

/// <param name="Cuda">The newest CUDA that the driver can run.</param>
/// <param name="CudaToolkit">The toolkit that is installed; most programs bring their own.</param>
/// <param name="ContainerToolkit">Version of NVIDIA's container toolkit; null: not installed.</param>
/// <param name="ContainerAccess">How containers are given GPUs here: <c>cdi</c>, <c>docker runtime</c>.</param>
internal sealed record GpuFacts(string? Driver, string? Cuda, string? CudaToolkit, string? ContainerToolkit, IReadOnlyList<string> ContainerAccess, IReadOnlyList<GpuCardFacts> Cards);

/// <param name="Address">On PCI: <c>0000:01:00.0</c>; null for one that is built in.</param>
/// <param name="Driver">The kernel's: <c>nvidia</c>, <c>nouveau</c>, <c>vfio-pci</c>; null: none.</param>
internal sealed record GpuCardFacts(string? Address, string Vendor, string? Model, string? Driver)
{
    public string? Uuid { get; init; }

    public long? Memory { get; init; }

    public long? MemoryUsed { get; init; }

    public string? ComputeCapability { get; init; }

    public int? Celsius { get; init; }

    public double? Watts { get; init; }

    /// <summary>Transfers a second and lanes, as in <c>16.0 GT/s x16</c>; an idle card slows its link down.</summary>
    public string? Link { get; init; }

    public string? LinkMax { get; init; }

    public int? NumaNode { get; init; }

    /// <summary><c>on</c>, <c>off</c>, or null: the card has none, or was not asked.</summary>
    public string? Ecc { get; init; }

    public long? UncorrectedErrors { get; init; }

    /// <summary>The video BIOS.</summary>
    public string? Firmware { get; init; }
}
