namespace Stoker.Platform.Gpus;

/// <summary>Work on the cards of this machine by CUDA's driver interface.</summary>
internal sealed unsafe class CudaCompute : IGpuCompute
{
    private const int NameSize = 256, UuidSize = 16, MostDevices = 64;
    private const int Multiprocessors = 16, Major = 75, Minor = 76;

    private readonly CudaLibrary _library;

    private CudaCompute(CudaLibrary library)
    {
        _library = library;
        library.Check(((delegate* unmanaged<uint, int>)library.Find("cuInit"))(0), "CUDA cannot begin");
        var count = 0;
        library.Check(((delegate* unmanaged<int*, int>)library.Find("cuDeviceGetCount"))(&count), "CUDA does not say how many GPUs there are");
        if (count is < 0 or > MostDevices) throw new GpuComputeException($"CUDA says that there are {count} GPUs, which cannot be");
        Devices = [.. Enumerable.Range(0, count).Select(Describe)];
    }

    public IReadOnlyList<ComputeDevice> Devices { get; }

    /// <summary>Null where no driver is installed.</summary>
    /// <param name="library">Name or path.</param>
    public static CudaCompute? Open(string library = CudaLibrary.Name) => CudaLibrary.Load(library) is { } loaded ? new CudaCompute(loaded) : null;

    public IGpuContext Open(ComputeDevice device) => new CudaContext(_library, device.Ordinal);

    /// <summary>The library stays, and each context was given back by whoever opened it.</summary>
    public void Dispose()
    {
    }

    private ComputeDevice Describe(int ordinal)
    {
        var device = 0;
        _library.Check(((delegate* unmanaged<int*, int, int>)_library.Find("cuDeviceGet"))(&device, ordinal), $"GPU {ordinal}");
        var name = stackalloc byte[NameSize];
        _library.Check(((delegate* unmanaged<byte*, int, int, int>)_library.Find("cuDeviceGetName"))(name, NameSize, device), $"name of GPU {ordinal}");
        var uuid = stackalloc byte[UuidSize];
        _library.Check(((delegate* unmanaged<byte*, int, int>)_library.Find("cuDeviceGetUuid"))(uuid, device), $"UUID of GPU {ordinal}");
        return new ComputeDevice(
            ordinal, Text(new ReadOnlySpan<byte>(uuid, UuidSize)), NvmlLibrary.TextOf(name, NameSize) ?? "",
            Attribute(device, Multiprocessors), (Attribute(device, Major) * 10) + Attribute(device, Minor));
    }

    private int Attribute(int device, int attribute)
    {
        var value = 0;
        _library.Check(((delegate* unmanaged<int*, int, int, int>)_library.Find("cuDeviceGetAttribute"))(&value, attribute, device), $"attribute {attribute} of a GPU");
        return value;
    }

    private static string Text(ReadOnlySpan<byte> uuid)
    {
        var digits = Convert.ToHexStringLower(uuid);
        return $"GPU-{digits[..8]}-{digits[8..12]}-{digits[12..16]}-{digits[16..20]}-{digits[20..]}";
    }
}
