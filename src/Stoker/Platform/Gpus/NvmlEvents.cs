namespace Stoker.Platform.Gpus;

/// <summary>
/// What happens to devices, by NVML's event sets: each device is registered for what it supports of what matters here. Taken without waiting, at each sample.
/// </summary>
internal sealed unsafe class NvmlEvents(NvmlLibrary library) : IDisposable
{
    /// <summary>Xid, ECC, source of power, retirement of memory, poison, GPU unavailable, recovery action; not each change of clocks.</summary>
    private const ulong Wanted = 0x1 | 0x2 | 0x8 | 0x80 | 0x200 | 0x400 | 0x800 | 0x4000 | 0x8000;

    private const int Most = 256;

    private readonly Dictionary<nint, int> _registered = [];
    private nint _set;

    public void Register(IReadOnlyList<(int Index, nint Handle)> devices)
    {
        var (create, register, supported) = (library.Find("nvmlEventSetCreate"), library.Find("nvmlDeviceRegisterEvents"), library.Find("nvmlDeviceGetSupportedEventTypes"));
        if (create == 0 || register == 0 || supported == 0) return;
        if (_set == 0)
        {
            nint set = 0;
            if (((delegate* unmanaged<nint*, int>)create)(&set) != NvmlLibrary.Success) return;
            _set = set;
        }

        foreach (var (index, handle) in devices)
        {
            if (_registered.ContainsKey(handle)) continue;
            ulong types = 0;
            if (((delegate* unmanaged<nint, ulong*, int>)supported)(handle, &types) != NvmlLibrary.Success || (types & Wanted) == 0) continue;
            if (((delegate* unmanaged<nint, ulong, nint, int>)register)(handle, types & Wanted, _set) == NvmlLibrary.Success) _registered[handle] = index;
        }
    }

    public IReadOnlyList<GpuEvent> Take()
    {
        var wait = library.Find("nvmlEventSetWait_v2");
        if (_set == 0 || wait == 0) return [];
        List<GpuEvent>? taken = null;
        for (var i = 0; i < Most; i++)
        {
            NvmlEvent what = default;
            if (((delegate* unmanaged<nint, NvmlEvent*, uint, int>)wait)(_set, &what, 0) != NvmlLibrary.Success) break;
            (taken ??= []).Add(new GpuEvent(_registered.TryGetValue(what.Device, out var index) ? index : null, KindOf(what.Type), (long)Math.Min(what.Data, long.MaxValue)));
        }

        return taken ?? (IReadOnlyList<GpuEvent>)[];
    }

    public void Dispose()
    {
        var free = library.Find("nvmlEventSetFree");
        if (_set != 0 && free != 0) _ = ((delegate* unmanaged<nint, int>)free)(_set);
        _set = 0;
    }

    private static GpuEventKind KindOf(ulong type) => type switch
    {
        0x1 => GpuEventKind.EccCorrected,
        0x2 => GpuEventKind.EccUncorrected,
        0x8 => GpuEventKind.Xid,
        0x80 => GpuEventKind.PowerSource,
        0x200 => GpuEventKind.EccStorm,
        0x400 => GpuEventKind.MemoryRetired,
        0x800 => GpuEventKind.RetirementFailed,
        0x4000 => GpuEventKind.Unavailable,
        0x8000 => GpuEventKind.RecoveryAction,
        _ => GpuEventKind.Other,
    };
}
