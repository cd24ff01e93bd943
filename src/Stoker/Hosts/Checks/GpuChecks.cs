using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Hosts.Facts;
using Stoker.Platform;

namespace Stoker.Hosts.Checks;

internal static class GpuCheck
{
    private const string Evidence = "NVML";

    public static async Task MakeAsync(CheckSubject.Gpu gpu, CheckDoors doors, Findings findings)
    {
        switch (await doors.NvmlAsync())
        {
            case NvmlAnswer.Found found:
                Judge(gpu, found, findings);
                break;
            case NvmlAnswer.Failed failed:
                findings.Unknown("count", gpu.Count.Text, failed.Words, "`dmesg` says what the driver cannot do; after an update of the driver a reboot helps");
                break;
            default:
                GpusOnPci.JudgeWithoutDriver(gpu.Count, doors.Machine, findings);
                break;
        }
    }

    private static void Judge(CheckSubject.Gpu gpu, NvmlAnswer.Found found, Findings findings)
    {
        findings.Add("count", gpu.Count, $"{found.Count}", Evidence, "see that each card sits in its slot, has power, and is in `lspci`");
        foreach (var problem in found.Problems) findings.Unknown("answers", "every card answers", problem);
        if (gpu.Driver is { } driver) Version("driver", driver, found.Driver, "install another driver", findings);
        if (gpu.Cuda is { } cuda) Version("cuda", cuda, found.Cuda, "a newer driver runs newer CUDA", findings);
        foreach (var card in found.Cards)
        {
            var of = $"of GPU {card.Index}";
            if (gpu.Model is { } model) Known($"model {of}", model.Text, card.Name, name => model.IsMetBy(name) || GpuModelName.AreSame(name, model.Text), findings);
            if (gpu.Memory is { } memory)
            {
                var size = card.TotalMemory is { } bytes ? new ByteSize(bytes).ToString() : null;
                Known($"memory {of}", memory.Text, size, _ => IsEnough(memory, card.TotalMemory!.Value), findings);
            }
        }
    }

    /// <summary>An exact size is that on the box: the driver keeps some of it for itself.</summary>
    public static bool IsEnough(Expectation expected, long bytes) =>
        expected.IsMetBy($"{bytes}") || (Scalars.Size(expected.Text) is { } size && IsAbout(size.Bytes, bytes));

    public static bool IsAbout(long declared, long found) => found >= declared * 0.95 && found <= declared * 1.05;

    private static void Version(string what, Expectation expected, string? found, string mend, Findings findings)
    {
        if (found is null) findings.Unknown(what, expected.Text, "NVML does not tell it");
        else findings.Add(what, expected, found, Evidence, mend);
    }

    private static void Known(string what, string expected, string? found, Func<string, bool> isSo, Findings findings)
    {
        if (found is null) findings.Unknown(what, expected, "NVML does not tell it");
        else findings.Add(what, expected, found, isSo(found), Evidence);
    }
}

/// <summary>What can be said of GPUs where no driver is: whether there is a card that waits for one.</summary>
internal static class GpusOnPci
{
    private const string Bus = "/sys/bus/pci/devices", Nvidia = "0x10de";

    /// <summary>NVIDIA's display controllers, without those that are handed to virtual machines; null where the bus cannot be seen.</summary>
    public static IReadOnlyList<string>? Look(FactDoors machine)
    {
        var devices = machine.Files.List(Bus);
        if (devices.Count == 0) return null;
        var source = new FactSource(machine.Files);
        return
        [
            .. devices.Where(d => source.Text($"{Bus}/{d}/vendor") == Nvidia
                && source.Text($"{Bus}/{d}/class")?.StartsWith("0x03", StringComparison.Ordinal) == true
                && source.NameOf($"{Bus}/{d}/driver") != "vfio-pci"),
        ];
    }

    public static void JudgeWithoutDriver(Expectation count, FactDoors machine, Findings findings)
    {
        switch (Look(machine))
        {
            case null:
                findings.Unknown("count", count.Text, $"no NVIDIA driver is installed, and `{Bus}` shows no devices", "where there is a card, install NVIDIA's driver");
                break;
            case []:
                findings.Add("count", count, "0", $"{Bus}: no NVIDIA card", "a card has to be in the machine, or handed to the virtual machine");
                break;
            case var cards:
                findings.Add("driver", "installed", "not installed", false, $"{Bus}: {string.Join(", ", cards)} without NVIDIA's driver", "install NVIDIA's driver");
                break;
        }
    }
}
