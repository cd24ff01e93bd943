using Stoker.Estates;
using Stoker.Hosts.Facts;
using Stoker.Platform;

namespace Stoker.Hosts.Checks;

/// <summary>Holds the machine to what <c>hosts.NAME</c> says that it has: processors, memory, GPUs, each difference by name.</summary>
internal static class DeclaredCheck
{
    /// <summary>Kernel and firmware keep some of what is plugged in for themselves.</summary>
    private const double KernelsShare = 0.08;

    /// <summary>One check for each thing that is declared.</summary>
    public static IReadOnlyList<CheckSpec> Of(HostSpec host)
    {
        // Names of one's own have no blanks, so that none of these is in their way.
        var checks = new List<CheckSpec>();
        if (host.Cpus is not null) checks.Add(Of(host, DeclaredPart.Cpus));
        if (host.Memory is not null) checks.Add(Of(host, DeclaredPart.Memory));
        if (host.Gpus.Count > 0) checks.Add(Of(host, DeclaredPart.Gpus));
        return checks;
    }

    private static CheckSpec Of(HostSpec host, DeclaredPart part)
    {
        var word = part.ToString().ToLowerInvariant();
        return new CheckSpec($"declared {word}", new CheckSubject.Declared(host, part), host.Where) { Description = $"`{word}` of `hosts.{host.Name}`" };
    }

    public static async Task MakeAsync(CheckSubject.Declared declared, CheckDoors doors, Findings findings)
    {
        var source = new FactSource(doors.Machine.Files);
        switch (declared.Part)
        {
            case DeclaredPart.Cpus:
                Cpus(declared.Host, CpuReader.Read(source), findings);
                break;
            case DeclaredPart.Memory:
                Memory(declared.Host, MemoryReader.Read(source), findings);
                break;
            case DeclaredPart.Gpus:
                Gpus(declared.Host, await doors.NvmlAsync(), doors.Machine, findings);
                break;
        }
    }

    public static void Cpus(HostSpec host, CpuFacts cpu, Findings findings)
    {
        var expected = $"{host.Cpus:0.##}";
        if (cpu.Threads is not { } threads) findings.Unknown("cpus", expected, "the kernel lists no processors");
        else findings.Add("cpus", expected, $"{threads}", threads >= host.Cpus, $"/sys/devices/system/cpu: {threads} online", $"correct `hosts.{host.Name}.cpus`, or give the machine more");
    }

    public static void Memory(HostSpec host, MemoryFacts memory, Findings findings)
    {
        var (declared, expected) = (host.Memory!.Value.Bytes, host.Memory.Value.ToString());
        var mend = $"correct `hosts.{host.Name}.memory`, or see which module is missing";
        if (memory.Installed is { } installed)
        {
            findings.Add("memory", expected, new ByteSize(installed).ToString(), installed >= declared, "SMBIOS: the modules that are plugged in", mend);
        }
        else if (memory.Total is { } total)
        {
            var isSo = total >= declared * (1 - KernelsShare);
            findings.Add("memory", expected, new ByteSize(total).ToString(), isSo, "/proc/meminfo: what the kernel has left of it", mend);
        }
        else
        {
            findings.Unknown("memory", expected, "`/proc/meminfo` does not tell");
        }
    }

    public static void Gpus(HostSpec host, NvmlAnswer answer, FactDoors machine, Findings findings)
    {
        var expected = Words(host.Gpus.Select(g => g.Model));
        switch (answer)
        {
            case NvmlAnswer.Found found:
                Match(host, found, findings);
                break;
            case NvmlAnswer.Failed failed:
                findings.Unknown("gpus", expected, failed.Words, "`dmesg` says what the driver cannot do; after an update of the driver a reboot helps");
                break;
            default:
                switch (GpusOnPci.Look(machine))
                {
                    case null:
                        findings.Unknown("gpus", expected, "no NVIDIA driver is installed, and sysfs shows no PCI devices", "where there are cards, install NVIDIA's driver");
                        break;
                    case []:
                        findings.Add("gpus", expected, "none", false, "/sys/bus/pci/devices: no NVIDIA card", $"correct `hosts.{host.Name}.gpus`, or put the cards in");
                        break;
                    case var cards:
                        findings.Add("gpus", expected, $"{cards.Count} without a driver", false, $"/sys/bus/pci/devices: {string.Join(", ", cards)}", "install NVIDIA's driver");
                        break;
                }

                break;
        }
    }

    /// <summary>Each declared card takes a real one: those that are pinned first, then by model.</summary>
    private static void Match(HostSpec host, NvmlAnswer.Found found, Findings findings)
    {
        var free = found.Cards.ToList();
        foreach (var declared in host.Gpus.OrderBy(g => g.Uuid is null))
        {
            var card = free.Find(c => declared.Uuid is { } uuid ? string.Equals(c.Uuid, uuid, StringComparison.OrdinalIgnoreCase) : c.Name is { } name && GpuModelName.AreSame(name, declared.Model));
            var what = declared.Uuid ?? declared.Model;
            if (card is null)
            {
                findings.Add("gpu", what, $"missing; there {(found.Count == 1 ? "is" : "are")} {Words(found.Cards.Select(c => c.Name ?? "a card without a name"))}", false, "NVML",
                    "see that each card sits in its slot, has power and is in `lspci`, or correct the declaration");
                continue;
            }

            free.Remove(card);
            var index = $"GPU {card.Index}{(card.Uuid is { } id ? $", {id}" : "")}";
            findings.Add("gpu", what, card.Name ?? what, card.Name is null || GpuModelName.AreSame(card.Name, declared.Model), $"NVML: {index}", "correct the declaration");
            if (declared.Memory is not { } memory) continue;
            if (card.TotalMemory is not { } bytes)
            {
                findings.Unknown("gpu memory", memory.ToString(), $"NVML does not tell it of {index}");
                continue;
            }

            var isSo = GpuCheck.IsAbout(memory.Bytes, bytes) || bytes > memory.Bytes;
            findings.Add("gpu memory", memory.ToString(), new ByteSize(bytes).ToString(), isSo, $"NVML: {index}", "correct the declaration");
        }

        foreach (var problem in found.Problems) findings.Unknown("gpu", "every card answers", problem);
    }

    /// <summary><c>4 × RTX 5090, RTX 3060</c></summary>
    private static string Words(IEnumerable<string> models)
    {
        var groups = models.GroupBy(m => m).Select(g => g.Count() == 1 ? g.Key : $"{g.Count()} × {g.Key}").ToList();
        return groups.Count == 0 ? "none" : string.Join(", ", groups);
    }
}
