namespace Stoker.Platform.Gpus;

/// <summary>
/// MIG by NVML. Profiles are counted from 0 until the library knows no more, so that those of later cards are found; their placements are told whether or not MIG is on.
/// </summary>
internal sealed unsafe class NvmlMig(NvmlLibrary library)
{
    /// <summary>Well above NVML_GPU_INSTANCE_PROFILE_COUNT, which was 18 in API version 13.</summary>
    private const uint MostProfiles = 64;

    private const string Mark = "MIG ";

    private const int MostPlacements = 32, MostInstances = 16, MostComputeProfiles = 9;

    public MigState? Read(nint device)
    {
        if (IsOn(device) is not { } isOn) return null;
        var profiles = Profiles(device);
        return new MigState(isOn, profiles, isOn ? [.. profiles.SelectMany(p => Instances(device, p.Id)).OrderBy(i => i.Start)] : []);
    }

    /// <summary>How its instances are, in the order of their numbers; null where MIG is off. What one does not tell is added to what the card does not.</summary>
    public IReadOnlyList<GpuInstanceReading>? ReadInstances(NvmlFields ask, nint device, NvmlActivity activity)
    {
        if (IsOn(device) is not true) return null;
        var instances = new SortedDictionary<int, GpuInstanceReading>();
        foreach (var (mig, id) in Devices(device))
        {
            // Several compute instances share the memory of theirs, and each tells it.
            if (instances.ContainsKey(id)) continue;
            var own = new NvmlFields(library, mig);
            var memory = NvmlReadings.Memory(library, own, mig);
            instances[id] = new GpuInstanceReading(id, ProfileOf(own.Text("name", "nvmlDeviceGetName")))
            {
                Memory = memory?.Total, UsedMemory = memory?.Used, FreeMemory = memory?.Free, Activity = activity.Read(ask, device, id),
            };
            ask.Add($"instance {id}", own);
        }

        return [.. instances.Values];
    }

    public string? SetMode(nint device, bool on)
    {
        var activation = 0;
        var call = library.Find("nvmlDeviceSetMigMode");
        if (call == 0) return library.Words(NvmlLibrary.NoFunction);
        var code = ((delegate* unmanaged<nint, uint, int*, int>)call)(device, on ? 1u : 0u, &activation);
        if (code != NvmlLibrary.Success) return library.Words(code);
        return activation == NvmlLibrary.Success ? null : $"it is set, and takes effect with a reset: {library.Words(activation)}";
    }

    public (MigInstance? Made, string? Problem) Create(nint device, uint profileId, uint start)
    {
        if (Profiles(device).FirstOrDefault(p => p.Id == profileId) is not { } profile) return (null, $"the card has no profile {profileId}");
        nint instance = 0;
        var placement = new NvmlPlacement { Start = start, Size = (uint)profile.Size };
        var call = library.Find("nvmlDeviceCreateGpuInstanceWithPlacement");
        var code = call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, uint, NvmlPlacement*, nint*, int>)call)(device, profileId, &placement, &instance);
        if (code != NvmlLibrary.Success) return (null, library.Words(code));
        if (CreateCompute(instance, profile.Slices) is { } problem)
        {
            _ = ((delegate* unmanaged<nint, int>)library.Find("nvmlGpuInstanceDestroy"))(instance);
            return (null, problem);
        }

        return Describe(device, instance) is { } made ? (made, null) : (null, "the instance was made, and is not told of");
    }

    public string? Destroy(nint device, uint id)
    {
        nint instance = 0;
        var call = library.Find("nvmlDeviceGetGpuInstanceById");
        var code = call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, uint, nint*, int>)call)(device, id, &instance);
        if (code != NvmlLibrary.Success) return library.Words(code);
        for (var profile = 0u; profile < MostComputeProfiles; profile++)
        {
            NvmlComputeProfile info;
            if (Compute(instance, profile, &info) != NvmlLibrary.Success) continue;
            foreach (var compute in ListOf("nvmlGpuInstanceGetComputeInstances", instance, info.Id))
            {
                code = ((delegate* unmanaged<nint, int>)library.Find("nvmlComputeInstanceDestroy"))(compute);
                if (code != NvmlLibrary.Success) return library.Words(code);
            }
        }

        code = ((delegate* unmanaged<nint, int>)library.Find("nvmlGpuInstanceDestroy"))(instance);
        return code == NvmlLibrary.Success ? null : library.Words(code);
    }

    /// <summary>Null: the card has no MIG.</summary>
    private bool? IsOn(nint device)
    {
        uint current = 0, pending = 0;
        var call = (delegate* unmanaged<nint, uint*, uint*, int>)library.Find("nvmlDeviceGetMigMode");
        return call is not null && call(device, &current, &pending) == NvmlLibrary.Success ? current == 1 : null;
    }

    private string? CreateCompute(nint instance, int slices)
    {
        for (var profile = 0u; profile < MostComputeProfiles; profile++)
        {
            NvmlComputeProfile info;
            if (Compute(instance, profile, &info) != NvmlLibrary.Success || info.Slices != slices) continue;
            nint compute = 0;
            var code = ((delegate* unmanaged<nint, uint, nint*, int>)library.Find("nvmlGpuInstanceCreateComputeInstance"))(instance, info.Id, &compute);
            return code == NvmlLibrary.Success ? null : library.Words(code);
        }

        return $"no compute instance fills {slices} slices";
    }

    private int Compute(nint instance, uint profile, NvmlComputeProfile* info)
    {
        var call = library.Find("nvmlGpuInstanceGetComputeInstanceProfileInfo");
        return call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, uint, uint, NvmlComputeProfile*, int>)call)(instance, profile, 0, info);
    }

    private List<MigProfile> Profiles(nint device)
    {
        var profiles = new List<MigProfile>();
        var call = (delegate* unmanaged<nint, uint, NvmlProfile*, int>)library.Find("nvmlDeviceGetGpuInstanceProfileInfoV");
        if (call is null) return profiles;
        for (var number = 0u; number < MostProfiles; number++)
        {
            var info = new NvmlProfile { Version = NvmlStructs.ProfileInfo2 };
            // Not supported: this card lacks the profile. Invalid argument: the library knows no further ones.
            var code = call(device, number, &info);
            if (code == NvmlLibrary.NotSupported) continue;
            if (code != NvmlLibrary.Success) break;
            var places = Placements(device, info.Id);
            if (places.Count == 0) continue;
            var name = NvmlLibrary.TextOf(info.Name, NvmlStructs.NameSize) ?? $"{info.Slices}g.{(info.MemoryMib + 1023) / 1024}gb";
            profiles.Add(new MigProfile(
                info.Id, ProfileOf(name) ?? name, (int)info.Slices, (int)info.Instances,
                (long)info.MemoryMib << 20, (int)places[0].Size, [.. places.Select(p => (int)p.Start).Order()]));
        }

        return profiles;
    }

    private List<NvmlPlacement> Placements(nint device, uint profileId)
    {
        var places = stackalloc NvmlPlacement[MostPlacements];
        uint count = MostPlacements;
        var call = library.Find("nvmlDeviceGetGpuInstancePossiblePlacements_v2");
        return call != 0 && ((delegate* unmanaged<nint, uint, NvmlPlacement*, uint*, int>)call)(device, profileId, places, &count) == NvmlLibrary.Success
            ? [.. new Span<NvmlPlacement>(places, (int)Math.Min(count, MostPlacements))]
            : [];
    }

    private List<MigInstance> Instances(nint device, uint profileId) =>
        [.. ListOf("nvmlDeviceGetGpuInstances", device, profileId).Select(i => Describe(device, i)).OfType<MigInstance>()];

    private List<nint> ListOf(string function, nint of, uint profileId)
    {
        var found = stackalloc nint[MostInstances];
        uint count = MostInstances;
        var call = library.Find(function);
        return call != 0 && ((delegate* unmanaged<nint, uint, nint*, uint*, int>)call)(of, profileId, found, &count) == NvmlLibrary.Success
            ? [.. new Span<nint>(found, (int)Math.Min(count, MostInstances))]
            : [];
    }

    private MigInstance? Describe(nint device, nint instance)
    {
        NvmlInstance info;
        var call = library.Find("nvmlGpuInstanceGetInfo");
        return call != 0 && ((delegate* unmanaged<nint, NvmlInstance*, int>)call)(instance, &info) == NvmlLibrary.Success
            ? new MigInstance(info.Id, info.ProfileId, (int)info.Placement.Start, (int)info.Placement.Size, UuidOf(device, info.Id))
            : null;
    }

    /// <summary>Of the MIG device in a GPU instance.</summary>
    private string? UuidOf(nint device, uint instance)
    {
        foreach (var (mig, id) in Devices(device))
        {
            if (id == (int)instance) return new NvmlFields(library, mig).Text("uuid", "nvmlDeviceGetUUID");
        }

        return null;
    }

    /// <summary>The MIG devices of a card, and the GPU instance that each is in; there are gaps between their indices.</summary>
    private List<(nint Mig, int Instance)> Devices(nint device)
    {
        var devices = new List<(nint, int)>();
        var call = (delegate* unmanaged<nint, uint, nint*, int>)library.Find("nvmlDeviceGetMigDeviceHandleByIndex");
        var most = new NvmlFields(library, device).Number("mig_devices", "nvmlDeviceGetMaxMigDeviceCount", MostInstances) ?? 0;
        for (var index = 0u; call is not null && index < most; index++)
        {
            nint mig = 0;
            if (call(device, index, &mig) == NvmlLibrary.Success && new NvmlFields(library, mig).Number("gpu_instance", "nvmlDeviceGetGpuInstanceId") is { } instance) devices.Add((mig, instance));
        }

        return devices;
    }

    /// <summary>From <c>NVIDIA A100-SXM4-40GB MIG 1g.5gb</c>.</summary>
    private static string? ProfileOf(string? name) => name?.LastIndexOf(Mark, StringComparison.Ordinal) is { } at and >= 0 ? name[(at + Mark.Length)..] : null;
}
