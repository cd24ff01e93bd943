using Stoker.Platform;

namespace Stoker.Gpus.Diag;

/// <summary>Whether the software under all cards fits together. Pure but for the devices, which are opened.</summary>
internal static class MachineChecks
{
    private const string Restart = "restart the machine, or stop whoever uses the GPUs and load the kernel modules again";

    /// <param name="driver">Null: it told nothing.</param>
    /// <param name="silent">Why it told nothing; null where none is installed.</param>
    public static IEnumerable<DiagFinding> Make(MachineSight machine, DriverSight? driver, string? silent, DiagDoors doors)
    {
        yield return Driver(machine, driver, silent);
        yield return Nouveau(machine);
        // What is simulated has no library, no module and no devices.
        if (driver is null || driver.System.IsSimulated) yield break;
        yield return Library(driver);
        yield return Module(machine, driver);
        yield return Count(machine, driver);
        yield return Device("control_device", "/dev/nvidiactl", machine, doors);
        yield return Device("memory_device", "/dev/nvidia-uvm", machine, doors);
        yield return Visible(doors.Variables.GetValueOrDefault("CUDA_VISIBLE_DEVICES"));
    }

    public static DiagFinding Device(string check, string path, MachineSight machine, DiagDoors doors)
    {
        var expected = $"`{path}` can be opened";
        const string why = "CUDA opens it for every program; without it there is no GPU for them";
        return doors.Device(path) switch
        {
            DeviceAccess.Granted => DiagFinding.Pass(check, expected, "it can"),
            DeviceAccess.Absent => DiagFinding.Fail(check, expected, "it is not there", why, machine.Container is { } container
                ? $"this is {container}: hand the devices to it, as the NVIDIA container toolkit does"
                : path.EndsWith("-uvm", StringComparison.Ordinal) ? "`nvidia-modprobe -u -c=0`, as root, loads the module and makes the file" : "`nvidia-modprobe`, as root, makes it"),
            DeviceAccess.Refused { ByContainer: true } refused => DiagFinding.Fail(check, expected, refused.Why, why, "hand the device to the container, or allow it in the unit: `DeviceAllow=`"),
            DeviceAccess.Refused refused => DiagFinding.Fail(check, expected, refused.Why, why, "`ls -l` shows owner and mode: join that group, or see `NVreg_DeviceFileMode` of the kernel module"),
            _ => throw new InvalidOperationException("access has three outcomes"),
        };
    }

    private static DiagFinding Driver(MachineSight machine, DriverSight? driver, string? silent)
    {
        const string check = "driver", expected = "NVML answers";
        if (driver is { Devices.Count: > 0 }) return DiagFinding.Pass(check, expected, driver.System.IsSimulated ? "simulated" : driver.System.Driver ?? "yes, and does not tell its version");
        var onBus = machine.Cards is { Count: > 0 } cards ? $"; on PCI: {string.Join(", ", cards.Select(c => $"{c.Address} (driven by {c.Driver ?? "nothing"})"))}" : "";
        if (driver is not null) return DiagFinding.Fail(check, expected, $"it knows of no GPU{onBus}", "without a GPU there is nothing to use", "`dmesg` says what the driver could not do");
        if (silent is not null) return DiagFinding.Fail(check, expected, silent, "without it no program gets a GPU", "`dmesg` says what the driver cannot do");
        var module = machine.IsModuleLoaded ? ", but for its kernel module" : "";
        return DiagFinding.Fail(check, expected, $"no NVIDIA driver is installed{module}{onBus}", "without it no program gets a GPU",
            "install NVIDIA's driver, with its libraries");
    }

    /// <summary>NVML's own version is that of CUDA and that of the driver it came with: <c>13.580.65.06</c>.</summary>
    private static DiagFinding Library(DriverSight driver)
    {
        const string check = "library", why = "a library of another version than the driver's refuses, or answers wrongly";
        if (driver.System is not { Driver: { } version, Nvml: { } nvml }) return DiagFinding.Unknown(check, "NVML comes with the driver", "NVML does not tell both versions");
        var expected = $"NVML of driver {version}";
        return nvml == version || nvml.EndsWith($".{version}", StringComparison.Ordinal) ? DiagFinding.Pass(check, expected, nvml) : DiagFinding.Fail(check, expected, nvml, why, Restart);
    }

    private static DiagFinding Module(MachineSight machine, DriverSight driver)
    {
        const string check = "kernel_module", why = "the driver was updated and the old module is still loaded: programs that start now are refused";
        if (driver.System.Driver is not { } version) return DiagFinding.Unknown(check, "the driver's version", "NVML does not tell the driver's version");
        if (machine.Module is not { } module) return DiagFinding.Unknown(check, version, "neither `/sys/module/nvidia/version` nor `/proc/driver/nvidia/version` can be read");
        return module == version ? DiagFinding.Pass(check, version, module) : DiagFinding.Fail(check, version, module, why, Restart);
    }

    private static DiagFinding Nouveau(MachineSight machine)
    {
        const string check = "nouveau", expected = "not loaded", mend = "`blacklist nouveau` in /etc/modprobe.d, then make the initial RAM disk anew and restart the machine";
        if (machine.Cards?.FirstOrDefault(c => c.Driver == "nouveau") is { } taken)
        {
            return DiagFinding.Fail(check, expected, $"it drives {taken.Address}", "a card that nouveau drives is none for CUDA", mend);
        }

        return machine.HasNouveau
            ? DiagFinding.Warn(check, expected, "loaded, and drives no card now", "it may take a card before NVIDIA's driver does, when the machine starts", mend)
            : DiagFinding.Pass(check, expected, "not loaded");
    }

    private static DiagFinding Count(MachineSight machine, DriverSight driver)
    {
        const string check = "all_cards", why = "a card that is in the machine and that the driver does not show is hidden, or broken";
        if (machine.Cards is not { } cards) return DiagFinding.Unknown(check, "every card on PCI", "PCI cannot be seen from here");
        var ours = cards.Where(c => c.Driver != "vfio-pci").ToList();
        var expected = $"{ours.Count} on PCI";
        if (ours.Count <= driver.Devices.Count) return DiagFinding.Pass(check, expected, $"{driver.Devices.Count}");
        // NVML's address has a domain of eight digits: 00000000:01:00.0.
        var hidden = ours.Where(c => !driver.Devices.Any(d => d.PciBusId?.EndsWith(c.Address, StringComparison.OrdinalIgnoreCase) == true)).Select(c => c.Address);
        var found = $"{driver.Devices.Count}; not shown: {string.Join(", ", hidden)}";
        return machine.Container is { } container
            ? DiagFinding.Warn(check, expected, found, $"this is {container}, which is given some of the machine's cards", "nothing, if that is meant")
            : DiagFinding.Fail(check, expected, found, why, "`dmesg` says what became of it; seat and power it anew");
    }

    private static DiagFinding Visible(string? hidden)
    {
        const string check = "visible_cards", expected = "`CUDA_VISIBLE_DEVICES` is not set";
        return hidden is null
            ? DiagFinding.Pass(check, expected, "not set")
            : DiagFinding.Warn(check, expected, $"`{hidden}`", "CUDA's programs that are started from here see no other cards, whatever NVML shows",
                "unset it, unless it is meant");
    }
}
