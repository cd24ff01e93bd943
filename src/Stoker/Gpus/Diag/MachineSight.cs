using Stoker.Gpus.Healing;
using Stoker.Platform;

namespace Stoker.Gpus.Diag;

/// <summary>What the machine tells of its GPUs without the driver's library.</summary>
/// <param name="Module">Version of NVIDIA's kernel module that is loaded; null: none is, or it does not tell.</param>
/// <param name="IsModuleLoaded">Whether or not it tells its version.</param>
/// <param name="Cards">NVIDIA's cards on PCI; null where the bus cannot be seen.</param>
/// <param name="Xids">From the kernel's log; null where it may not be read.</param>
/// <param name="Container">In words; null where nothing says that this is one.</param>
internal sealed record MachineSight(string? Module, bool IsModuleLoaded, bool HasNouveau, IReadOnlyList<PciCard>? Cards, IReadOnlyList<KernelLine>? Xids, string? Container)
{
    private const string Bus = "/sys/bus/pci/devices", Nvidia = "0x10de";

    private static readonly (string Path, string Words)[] ContainerMarks =
    [
        ("/.dockerenv", "a Docker container"),
        ("/run/.containerenv", "a Podman container"),
        ("/run/systemd/container", "a container"),
        ("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "a Kubernetes pod"),
    ];

    public static MachineSight Read(DiagDoors doors)
    {
        var files = doors.Files;
        var isLoaded = files.Read("/sys/module/nvidia/version") is TreeFile.Found || files.List("/sys/module/nvidia").Count > 0;
        var container = Array.Find(ContainerMarks, mark => files.Read(mark.Path) is TreeFile.Found).Words;
        return new MachineSight(
            Text(files, "/sys/module/nvidia/version") ?? ModuleOf(Text(files, "/proc/driver/nvidia/version")), isLoaded, files.List("/sys/module/nouveau").Count > 0, CardsOf(files),
            doors.XidLines() is { } lines ? [.. lines.Select(KernelLine.Parse).OfType<KernelLine>()] : null, container);
    }

    private static string? Text(ISystemTree files, string path) => files.Read(path) is TreeFile.Found { Text: var text } && text.Trim() is { Length: > 0 } trimmed ? trimmed : null;

    /// <summary><c>NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (…)</c></summary>
    private static string? ModuleOf(string? text)
    {
        var line = text?.Split('\n')[0] ?? "";
        return line.Split(' ').FirstOrDefault(word => word.Contains('.') && word.All(c => char.IsAsciiDigit(c) || c == '.'));
    }

    /// <summary>Display controllers, class 03.</summary>
    private static List<PciCard>? CardsOf(ISystemTree files)
    {
        var addresses = files.List(Bus);
        if (addresses.Count == 0) return null;
        var cards = new List<PciCard>();
        foreach (var address in addresses)
        {
            if (Text(files, $"{Bus}/{address}/vendor") != Nvidia || Text(files, $"{Bus}/{address}/class")?.StartsWith("0x03", StringComparison.Ordinal) != true) continue;
            cards.Add(new PciCard(address, files.Follow($"{Bus}/{address}/driver") is { } driver ? driver[(driver.LastIndexOf('/') + 1)..] : null));
        }

        return cards;
    }
}

/// <param name="Address">As in <c>0000:01:00.0</c>.</param>
/// <param name="Driver">Of the kernel; null: nothing drives it.</param>
internal sealed record PciCard(string Address, string? Driver);
