using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>Why a card is not put to work.</summary>
internal sealed record WorkRefusal(string Why, string? Mend)
{
    private const int LeastCapability = 70;

    /// <summary>What keeps CUDA from all cards; null: nothing does.</summary>
    public static WorkRefusal? OfMachine(DiagDoors doors, out IGpuCompute? compute)
    {
        compute = null;
        try
        {
            compute = doors.Compute();
            return compute is null
                ? new WorkRefusal($"there is no CUDA library here (`{CudaLibrary.Name}`), which comes with NVIDIA's driver",
                    "install the driver with its CUDA library; a container needs the `compute` capability: NVIDIA_DRIVER_CAPABILITIES=compute,utility")
                : null;
        }
        catch (GpuComputeException wrong)
        {
            return new WorkRefusal(wrong.Message, "`dmesg` says what the driver could not do");
        }
    }

    /// <summary>Null: it can be put to work.</summary>
    public static WorkRefusal? Of(GpuDevice device, GpuReading? now, DiagSpec spec, DiagDoors doors, IGpuCompute compute, out ComputeDevice? found)
    {
        found = null;
        if (now is null or { Lost: not null }) return new WorkRefusal("the card does not answer", null);
        if (device.Mig == true) return new WorkRefusal("the card is divided by MIG, and is tested as a whole only", "set MIG off when its instances may go: `nvidia-smi -mig 0`");
        if (!spec.EvenInUse && Users(device, now, spec, doors) is { } users)
        {
            return new WorkRefusal(users, "stop them, or say `--in-use`: they are slowed down, and may find no memory while it is tested");
        }

        found = compute.Devices.FirstOrDefault(d => d.Uuid == device.Uuid);
        if (found is null)
        {
            var hides = doors.Variables.TryGetValue("CUDA_VISIBLE_DEVICES", out var visible);
            return new WorkRefusal("CUDA does not show this card", hides ? $"`CUDA_VISIBLE_DEVICES` is `{visible}`: unset it" : null);
        }

        return found.Capability < LeastCapability ? new WorkRefusal($"the tests need compute capability 7.0; this card has {found.Capability / 10}.{found.Capability % 10}", null) : null;
    }

    /// <summary>Who uses a card, in words; null: nobody.</summary>
    public static string? Users(GpuDevice device, GpuReading now, DiagSpec spec, DiagDoors doors)
    {
        List<string> users = [];
        if (device.Uuid is { } uuid && spec.Services.TryGetValue(uuid, out var services)) users.AddRange(services.Select(s => $"service `{s}`"));
        users.AddRange(now.Processes.Where(p => p.Pid != doors.OwnPid).Select(p => $"pid {p.Pid} ({doors.CommandOf(p.Pid) ?? "not seen from here"})"));
        if (users.Count > 0) return $"in use by {string.Join(", ", users)}";
        return now.NotSupported.Contains("processes") ? "the driver does not tell whether anybody uses it" : null;
    }
}
