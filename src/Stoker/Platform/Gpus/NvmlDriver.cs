namespace Stoker.Platform.Gpus;

/// <summary>The driver of this machine, by NVIDIA's management library (<c>libnvidia-ml.so.1</c>), which comes with it. Each function is looked up: an older library lacks some.</summary>
internal sealed unsafe class NvmlDriver : IGpuDriver, IGpuControl
{
    public const string Library = "libnvidia-ml.so.1";

    /// <summary>More cards than any machine has: a count above it is not one.</summary>
    private const int MostDevices = 64;

    private const int TextSize = 96;

    private readonly NvmlLibrary _library;
    private readonly NvmlEvents _events;
    private readonly NvmlProcesses _processes;
    private readonly NvmlMig _mig;
    private readonly NvmlActivity _activity;
    private List<(int Index, nint Handle)> _handles = [];

    private NvmlDriver(NvmlLibrary library, TimeProvider clock)
    {
        _library = library;
        (_events, _processes, _mig, _activity) = (new NvmlEvents(library), new NvmlProcesses(library), new NvmlMig(library), new NvmlActivity(library, clock));
        System = new GpuSystem(SystemText("nvmlSystemGetDriverVersion"), SystemText("nvmlSystemGetNVMLVersion"), CudaVersion(), IsSimulated: false);
    }

    public GpuSystem System { get; }

    /// <param name="library">Name or path.</param>
    /// <param name="clock">By which what happens between two looks is measured; null: the system's.</param>
    public static GpuOpening Open(string library = Library, TimeProvider? clock = null)
    {
        if (NvmlLibrary.Load(library) is not { } loaded) return new GpuOpening.NotThere();
        if (loaded.Find("nvmlInit_v2") is 0 || loaded.Find("nvmlDeviceGetCount_v2") is 0 || loaded.Find("nvmlDeviceGetHandleByIndex_v2") is 0 || loaded.Find("nvmlShutdown") is 0)
        {
            var missing = Array.Find(["nvmlInit_v2", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2", "nvmlShutdown"], name => loaded.Find(name) == 0);
            loaded.Dispose();
            return new GpuOpening.Failed($"`{library}` is too old, or no NVML: it has no `{missing}`");
        }

        var code = ((delegate* unmanaged<int>)loaded.Find("nvmlInit_v2"))();
        if (code == NvmlLibrary.Success) return new GpuOpening.Opened(new NvmlDriver(loaded, clock ?? TimeProvider.System));
        var hint = code == NvmlLibrary.VersionMismatch ? "; the driver was updated and the old one is still loaded: restart the machine, or load the kernel modules again" : "";
        var words = loaded.Words(code);
        loaded.Dispose();
        return new GpuOpening.Failed($"NVML cannot begin: {words}{hint}");
    }

    public IReadOnlyList<GpuDevice> ReadDevices()
    {
        uint count = 0;
        var code = ((delegate* unmanaged<uint*, int>)_library.Find("nvmlDeviceGetCount_v2"))(&count);
        if (code != NvmlLibrary.Success) throw new GpuDriverException($"NVML does not say how many GPUs there are: {_library.Words(code)}");
        if (count > MostDevices) throw new GpuDriverException($"NVML says that there are {count} GPUs, which cannot be");
        var handles = new List<(int, nint)>();
        var devices = new List<GpuDevice>();
        for (var index = 0; index < count; index++)
        {
            nint handle = 0;
            code = ((delegate* unmanaged<uint, nint*, int>)_library.Find("nvmlDeviceGetHandleByIndex_v2"))((uint)index, &handle);
            if (code == NvmlLibrary.Success) handles.Add((index, handle));
            devices.Add(code == NvmlLibrary.Success ? NvmlDevices.Read(_library, handle, index) : new GpuDevice(index) { Problems = [_library.Words(code)] });
        }

        _handles = handles;
        _events.Register(handles);
        _activity.Renew();
        return devices;
    }

    public IReadOnlyList<GpuReading> ReadNow() => [.. _handles.Select(h => NvmlReadings.Read(_library, h.Handle, h.Index, _processes, _mig, _activity))];

    public IReadOnlyList<GpuEvent> TakeEvents() => _events.Take();

    public MigState? ReadMig(string uuid) => HandleOf(uuid) is { } handle ? _mig.Read(handle) : null;

    public string? SetMigMode(string uuid, bool on) => HandleOf(uuid) is { } handle ? _mig.SetMode(handle, on) : NotThere(uuid);

    public (MigInstance? Made, string? Problem) CreateInstance(string uuid, uint profileId, uint start) =>
        HandleOf(uuid) is { } handle ? _mig.Create(handle, profileId, start) : (null, NotThere(uuid));

    public string? DestroyInstance(string uuid, uint instanceId) => HandleOf(uuid) is { } handle ? _mig.Destroy(handle, instanceId) : NotThere(uuid);

    public void Dispose()
    {
        _events.Dispose();
        _activity.Dispose();
        _ = ((delegate* unmanaged<int>)_library.Find("nvmlShutdown"))();
        _library.Dispose();
    }

    private static string NotThere(string uuid) => $"there is no GPU {uuid}";

    private nint? HandleOf(string uuid)
    {
        foreach (var (_, handle) in _handles)
        {
            if (new NvmlFields(_library, handle).Text("uuid", "nvmlDeviceGetUUID") == uuid) return handle;
        }

        return null;
    }

    private string? SystemText(string function)
    {
        var text = stackalloc byte[TextSize];
        var call = _library.Find(function);
        return call != 0 && ((delegate* unmanaged<byte*, uint, int>)call)(text, TextSize) == NvmlLibrary.Success ? NvmlLibrary.TextOf(text, TextSize) : null;
    }

    /// <summary>12040 is 12.4.</summary>
    private string? CudaVersion()
    {
        var version = 0;
        var call = _library.Find("nvmlSystemGetCudaDriverVersion_v2");
        return call != 0 && ((delegate* unmanaged<int*, int>)call)(&version) == NvmlLibrary.Success && version is > 0 and < 1_000_000 ? $"{version / 1000}.{version % 1000 / 10}" : null;
    }
}

/// <summary>The driver as a whole does not answer as it should; the message says how, in words.</summary>
internal sealed class GpuDriverException(string message) : Exception(message);
