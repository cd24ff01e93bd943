using System.Globalization;
using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>
/// Graphics cards: which there are from PCI, whether or not anything drives them; what they are from NVML; how containers get at them from the toolkit's own files.
/// What only <c>nvidia-smi</c> is asked for here (ECC, video BIOS) is unknown where it is not installed.
/// </summary>
internal static class GpuFactsReader
{
    private const string Bus = "/sys/bus/pci/devices";
    private const string Nvidia = "0x10de", HandedOver = "vfio-pci";

    private static readonly (string Id, string Name)[] Vendors = [(Nvidia, "NVIDIA"), ("0x1002", "AMD"), ("0x8086", "Intel")];

    public static async Task<GpuFacts> ReadAsync(FactSource source, FactDoors doors, PackageDatabase packages, NvmlAnswer nvml)
    {
        var cards = OnBus(source);
        var found = nvml as NvmlAnswer.Found;
        if (found is not null) cards = Join(cards, found, UuidsByAddress(source));
        Note(source, nvml, cards);
        if (found is not null) cards = await AskTool(source, doors, cards);
        var toolkit = await ToolkitAsync(packages, doors);
        return new GpuFacts(
            found?.Driver ?? source.Text("/sys/module/nvidia/version"),
            found?.Cuda,
            Toolkit(source),
            toolkit,
            ContainerAccess(source),
            [.. cards, .. BuiltIn(source)]);
    }

    /// <summary>Display controllers (class 03) of makers whose cards compute.</summary>
    private static List<GpuCardFacts> OnBus(FactSource source)
    {
        var cards = new List<GpuCardFacts>();
        foreach (var address in source.List(Bus))
        {
            var place = $"{Bus}/{address}";
            if (source.Text($"{place}/class")?.StartsWith("0x03", StringComparison.Ordinal) != true || source.Text($"{place}/vendor") is not { } vendor) continue;
            var name = Vendors.FirstOrDefault(v => v.Id == vendor).Name;
            if (name is null) continue;
            cards.Add(new GpuCardFacts(address, name, source.Text($"{place}/product_name") ?? PciNames.Find(source, vendor, source.Text($"{place}/device")), source.NameOf($"{place}/driver"))
            {
                Memory = source.Number($"{place}/mem_info_vram_total"),
                MemoryUsed = source.Number($"{place}/mem_info_vram_used"),
                Link = LinkOf(source, place, "current"),
                LinkMax = LinkOf(source, place, "max"),
                NumaNode = source.Number($"{place}/numa_node") is { } node and >= 0 ? (int)node : null,
            });
        }

        return cards;
    }

    /// <summary><c>16.0 GT/s PCIe</c> and <c>16</c> as <c>16.0 GT/s x16</c>.</summary>
    private static string? LinkOf(FactSource source, string place, string which) =>
        source.Text($"{place}/{which}_link_speed") is { } speed && source.Number($"{place}/{which}_link_width") is { } width and > 0
            ? $"{speed.Replace(" PCIe", "", StringComparison.Ordinal)} x{width}"
            : null;

    /// <summary>Of the driver's <c>/proc/driver/nvidia/gpus/0000:01:00.0/information</c>: <c>GPU UUID: GPU-…</c>.</summary>
    private static Dictionary<string, string> UuidsByAddress(FactSource source)
    {
        const string place = "/proc/driver/nvidia/gpus";
        var uuids = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var address in source.List(place))
        {
            if (TextFields.Colons(source.Text($"{place}/{address}/information") ?? "").GetValueOrDefault("GPU UUID") is { } uuid) uuids[uuid] = address;
        }

        return uuids;
    }

    /// <summary>What NVML tells, with what the bus tells of the same card; cards that NVML does not know stay as they are.</summary>
    private static List<GpuCardFacts> Join(List<GpuCardFacts> onBus, NvmlAnswer.Found found, Dictionary<string, string> addresses)
    {
        var rest = new List<GpuCardFacts>(onBus);
        var joined = new List<GpuCardFacts>();
        // Where the driver does not tell addresses, cards of one name are in the order of the bus, as NVML counts them.
        var inOrder = new Queue<GpuCardFacts>(onBus.Where(c => c.Vendor == "NVIDIA" && c.Driver == "nvidia"));
        foreach (var card in found.Cards)
        {
            var at = card.Uuid is { } uuid && addresses.TryGetValue(uuid, out var address) ? onBus.Find(c => c.Address == address)
                : addresses.Count == 0 && inOrder.Count > 0 ? inOrder.Dequeue()
                : null;
            if (at is not null) rest.Remove(at);
            joined.Add((at ?? new GpuCardFacts(null, "NVIDIA", null, "nvidia")) with
            {
                Model = card.Name ?? at?.Model,
                Uuid = card.Uuid,
                Memory = card.TotalMemory,
                MemoryUsed = card.UsedMemory,
                ComputeCapability = card.ComputeCapability,
                Celsius = card.Celsius,
                Watts = card.Watts,
            });
        }

        return [.. joined, .. rest];
    }

    private static void Note(FactSource source, NvmlAnswer nvml, List<GpuCardFacts> cards)
    {
        // One that is handed to a virtual machine is driven there.
        var idle = cards.Where(c => c is { Vendor: "NVIDIA", Uuid: null, Driver: not HandedOver }).ToList();
        switch (nvml)
        {
            case NvmlAnswer.Failed failed:
                source.Note("gpu.driver", failed.Words);
                break;
            case NvmlAnswer.NotThere when idle.Exists(c => c.Driver == "nvidia"):
                source.Note("gpu.driver", $"the kernel has NVIDIA's driver, and its library `{Platform.Nvml.Library}` is not installed");
                break;
            case NvmlAnswer.NotThere when idle.Count > 0:
                source.Note("gpu.driver", $"NVIDIA's driver is not installed, which {string.Join(", ", idle.Select(c => c.Address))} {(idle.Count == 1 ? "needs" : "need")}");
                break;
            case NvmlAnswer.NotThere:
                source.Note("gpu.driver", $"no NVIDIA driver is installed{(cards.Count == 0 && source.List(Bus).Count > 0 ? ", and no NVIDIA card is on PCI" : "")}");
                break;
            case NvmlAnswer.Found { Problems: { Count: > 0 } problems }:
                foreach (var problem in problems) source.Note("gpu.cards", problem);
                break;
        }

        if (source.List(Bus).Count == 0) source.Note("gpu.cards", $"this machine shows no PCI devices in `{Bus}`");
    }

    private static async Task<List<GpuCardFacts>> AskTool(FactSource source, FactDoors doors, List<GpuCardFacts> cards)
    {
        const string fact = "gpu.cards.ecc";
        if (doors.Find("nvidia-smi") is not { } tool)
        {
            source.Note(fact, "`nvidia-smi` is not installed");
            return cards;
        }

        var outcome = await doors.Run(tool, ["--query-gpu=uuid,ecc.mode.current,ecc.errors.uncorrected.volatile.total,vbios_version", "--format=csv,noheader,nounits"], FactDoors.ToolLimit);
        if (outcome is ShortCommandOutcome.Ended { Status.IsSuccess: true } ended) return AddToolAnswer(cards, ended.Output);
        source.Note(fact, $"`nvidia-smi` {outcome.Words}");
        return cards;
    }

    /// <summary>Lines such as <c>GPU-5c2e…, Enabled, 0, 96.00.68.00.01</c>; <c>[N/A]</c> is what a card does not have.</summary>
    public static List<GpuCardFacts> AddToolAnswer(IReadOnlyList<GpuCardFacts> cards, string answer)
    {
        var lines = answer.Split('\n')
            .Select(line => line.Split(',', StringSplitOptions.TrimEntries))
            .Where(fields => fields.Length == 4)
            .DistinctBy(fields => fields[0])
            .ToDictionary(fields => fields[0]);
        return [.. cards.Select(card => card.Uuid is { } uuid && lines.TryGetValue(uuid, out var fields)
            ? card with
            {
                Ecc = fields[1] switch { "Enabled" => "on", "Disabled" => "off", _ => null },
                UncorrectedErrors = long.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var errors) ? errors : null,
                Firmware = fields[3] is ['[', ..] ? null : fields[3],
            }
            : card)];
    }

    /// <summary>Jetsons have theirs on the chip and not on a bus.</summary>
    private static IEnumerable<GpuCardFacts> BuiltIn(FactSource source)
    {
        if (source.Text("/proc/device-tree/model") is not { } model || !model.Contains("Jetson", StringComparison.Ordinal)) return [];
        string[] chips = ["Orin", "Xavier", "Thor"];
        var chip = Array.Find(chips, each => model.Contains(each, StringComparison.Ordinal)) ?? "Tegra";
        return [new GpuCardFacts(null, "NVIDIA", $"{chip} (integrated, shares the main memory)", source.Has("/sys/module/nvgpu") ? "nvgpu" : source.Has("/sys/module/nvidia") ? "nvidia" : null)];
    }

    /// <summary><c>{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}, …}</c></summary>
    private static string? Toolkit(FactSource source)
    {
        const string place = "/usr/local/cuda/version.json";
        if (source.Text(place) is not { } text) return null;
        try
        {
            using var document = System.Text.Json.JsonDocument.Parse(text);
            return document.RootElement.TryGetProperty("cuda", out var cuda) && cuda.TryGetProperty("version", out var version) ? version.GetString() : null;
        }
        catch (System.Text.Json.JsonException)
        {
            source.Note("gpu.cuda_toolkit", $"`{place}` is no JSON");
            return null;
        }
    }

    private static async Task<string?> ToolkitAsync(PackageDatabase packages, FactDoors doors)
    {
        var answer = await packages.AllAsync();
        if ((await answer.FindAsync("nvidia-container-toolkit") ?? await answer.FindAsync("nvidia-container-toolkit-base")) is { } package) return package.Version;
        return doors.Find("nvidia-ctk") is { } path ? $"installed as {path}" : null;
    }

    private static List<string> ContainerAccess(FactSource source)
    {
        var ways = new List<string>();
        if (((string[])["/etc/cdi", "/var/run/cdi", "/run/cdi"]).Any(place => source.List(place).Any(file => file.Contains("nvidia", StringComparison.Ordinal)))) ways.Add("cdi");
        if (source.Text("/etc/docker/daemon.json")?.Contains("nvidia-container-runtime", StringComparison.Ordinal) == true) ways.Add("docker runtime");
        return ways;
    }
}

/// <summary>Names of PCI devices, as <c>pci.ids</c> lists them: a maker at the margin, its devices below with a tab.</summary>
internal static class PciNames
{
    private static readonly string[] Places = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"];

    public static string? Find(FactSource source, string vendor, string? device)
    {
        if (device is null) return null;
        var text = Places.Select(source.Text).FirstOrDefault(t => t is not null);
        if (text is null) return $"device {device[2..]}";
        var isOurs = false;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.IsEmpty || line[0] == '#') continue;
            if (line[0] != '\t') isOurs = line.StartsWith(vendor.AsSpan(2));
            else if (isOurs && line.Length > 7 && line[1..].StartsWith(device.AsSpan(2))) return line[5..].Trim().ToString();
        }

        return $"device {device[2..]}";
    }
}
