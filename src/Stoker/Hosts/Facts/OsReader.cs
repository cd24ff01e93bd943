using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>The system and its kernel, from <c>/etc/os-release</c> and <c>/proc</c>.</summary>
internal static class OsReader
{
    /// <summary>A UEFI variable: four bytes of attributes, then one byte.</summary>
    private const string SecureBoot = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

    public static OsFacts Read(FactSource source)
    {
        var release = TextFields.Assignments(source.Text("/etc/os-release") ?? source.Text("/usr/lib/os-release", "os.name") ?? "");
        var isUefi = source.Has("/sys/firmware/efi");
        return new OsFacts(
            source.Text("/proc/sys/kernel/hostname", "os.hostname"),
            release.GetValueOrDefault("PRETTY_NAME"),
            release.GetValueOrDefault("ID"),
            release.GetValueOrDefault("VERSION_ID"),
            source.Text("/proc/sys/kernel/osrelease", "os.kernel"),
            source.Text("/proc/cmdline"),
            source.Text("/proc/1/comm", "os.init"),
            isUefi ? "uefi" : source.Has("/proc/device-tree") ? "device tree" : "bios",
            isUefi ? Secure(source) : null,
            TextFields.Leading(source.Text("/proc/uptime", "os.uptime_seconds")),
            source.Has("/run/reboot-required") || source.Has("/var/run/reboot-required"));
    }

    private static bool? Secure(FactSource source)
    {
        switch (source.Read(SecureBoot))
        {
            case TreeFile.Found { Bytes: [_, _, _, _, var value, ..] }:
                return value == 1;
            case TreeFile.Refused refused:
                source.Note("os.secure_boot", $"`{SecureBoot}` {refused.Why}");
                return null;
            default:
                source.Note("os.secure_boot", "the firmware has no such variable, or efivarfs is not mounted");
                return null;
        }
    }
}

/// <summary>Whose machine it is, and whether it is one: as systemd-detect-virt(1) decides, in its words.</summary>
internal static class MachineReader
{
    private const string Board = "/sys/class/dmi/id";

    /// <summary>What vendors, products and BIOSes of virtual machines begin with.</summary>
    private static readonly (string Begin, string Name)[] ByFirmware =
    [
        ("KVM", "kvm"), ("OpenStack", "kvm"), ("KubeVirt", "kvm"), ("Amazon EC2", "amazon"), ("QEMU", "qemu"), ("VMware", "vmware"), ("VMW", "vmware"), ("innotek GmbH", "oracle"),
        ("VirtualBox", "oracle"), ("Oracle Corporation", "oracle"), ("Xen", "xen"), ("Bochs", "bochs"), ("Parallels", "parallels"), ("BHYVE", "bhyve"), ("Hyper-V", "microsoft"),
        ("Apple Virtualization", "apple"), ("Google Compute Engine", "google"),
    ];

    private static readonly (string Signature, string Name)[] ByProcessor =
    [
        ("KVMKVMKVM", "kvm"), ("Linux KVM Hv", "kvm"), ("TCGTCGTCGTCG", "qemu"), ("VMwareVMware", "vmware"), ("Microsoft Hv", "microsoft"), ("XenVMMXenVMM", "xen"), ("bhyve bhyve ", "bhyve"),
        ("ACRNACRNACRN", "acrn"), ("VBoxVBoxVBox", "oracle"), (" lrpepyh  vr", "parallels"), ("QNXQVMBSQG", "qnx"), ("SRESRESRESRE", "sre"),
    ];

    /// <param name="hypervisor">What the processor says of who runs it; null: it says nothing.</param>
    public static MachineFacts Read(FactSource source, string? hypervisor)
    {
        var vendor = source.Text($"{Board}/sys_vendor");
        var product = source.Text($"{Board}/product_name") ?? source.Text("/proc/device-tree/model");
        if (vendor is null && product is null) source.Note("machine.product", "the firmware names none (neither DMI nor a device tree)");
        var container = Container(source);
        var machine = Machine(source, hypervisor, vendor, product);
        return new MachineFacts(
            vendor,
            product,
            source.Text($"{Board}/board_name"),
            source.Text($"{Board}/bios_version") is { } version ? source.Text($"{Board}/bios_date") is { } date ? $"{version} ({date})" : version : null,
            machine ?? (container is null ? "none" : null))
        {
            Container = container,
        };
    }

    private static string? Machine(FactSource source, string? hypervisor, string? vendor, string? product)
    {
        foreach (var text in (string?[])[product, vendor, source.Text($"{Board}/board_vendor"), source.Text($"{Board}/bios_vendor")])
        {
            foreach (var (begin, name) in ByFirmware)
            {
                // A metal instance of Amazon's says EC2 as well, and has no hypervisor.
                if (text?.StartsWith(begin, StringComparison.Ordinal) == true && !product!.EndsWith(".metal", StringComparison.Ordinal)) return name;
            }
        }

        if (source.Text("/proc/sys/kernel/osrelease") is { } kernel
            && (kernel.Contains("microsoft", StringComparison.OrdinalIgnoreCase) || kernel.Contains("WSL", StringComparison.Ordinal)))
        {
            return "wsl";
        }

        if (vendor == "Microsoft Corporation" && product == "Virtual Machine") return "microsoft";
        foreach (var (signature, name) in ByProcessor)
        {
            if (hypervisor == signature) return name;
        }

        if (hypervisor is { Length: > 0 }) return hypervisor.Trim();
        if (source.Text("/proc/device-tree/hypervisor/compatible") is { } compatible) return compatible.Contains("xen", StringComparison.Ordinal) ? "xen" : compatible.Split('\0', ',')[0];
        return (source.Text("/proc/cpuinfo") ?? "").Contains(" hypervisor", StringComparison.Ordinal) ? "a hypervisor that does not name itself" : null;
    }

    private static string? Container(FactSource source)
    {
        if (source.Text("/run/systemd/container") is { } told) return told;
        if (source.Read("/proc/1/environ") is TreeFile.Found environment)
        {
            foreach (var variable in environment.Text.Split('\0'))
            {
                if (variable.StartsWith("container=", StringComparison.Ordinal)) return variable["container=".Length..];
            }
        }

        if (source.Has("/run/.containerenv")) return "podman";
        if (source.Has("/.dockerenv")) return "docker";
        return source.Has("/var/run/secrets/kubernetes.io") ? "kubernetes" : null;
    }
}
