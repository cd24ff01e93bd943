using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>Block devices, from <c>/sys/block</c>. What a disk says of its own health is asked afterwards, by <see cref="DiskHealth"/>.</summary>
internal static class DiskReader
{
    private const string Place = "/sys/block";
    private const long Sector = 512;

    private static readonly string[] Emulators = ["QEMU", "VMware", "VBOX", "Virtual Disk"];

    public static IReadOnlyList<DiskFacts> Read(FactSource source)
    {
        var disks = new List<DiskFacts>();
        foreach (var name in source.List(Place))
        {
            // Loops and RAM disks without anything behind them are everywhere, and nobody's.
            if ((source.Number($"{Place}/{name}/size") ?? 0) * Sector is > 0 and var size) disks.Add(Disk(source, name, size));
        }

        if (disks.Count == 0) source.Note("disks", $"`{Place}` lists none");
        return disks;
    }

    private static DiskFacts Disk(FactSource source, string name, long size)
    {
        var place = $"{Place}/{name}";
        var link = Link(source, name);
        return new DiskFacts(
            name,
            Kind(source, name, link),
            link,
            size,
            source.Text($"{place}/device/model"),
            source.Text($"{place}/device/serial") ?? source.Text($"{place}/serial"),
            source.Text($"{place}/device/firmware_rev") ?? source.Text($"{place}/device/rev"),
            source.Text($"{place}/ro") == "1",
            source.Text($"{place}/removable") == "1",
            Raid(source, place))
        {
            Partitions = [.. source.List(place).Where(p => p.StartsWith(name, StringComparison.Ordinal)).Select(p => new PartitionFacts(p, (source.Number($"{place}/{p}/size") ?? 0) * Sector))],
            Mapping = Mapping(source, place),
        };
    }

    /// <summary>By the path through the devices that it hangs on: <c>…/usb2/2-1/…/host6/target6:0:0/…/block/sdb</c>.</summary>
    private static string? Link(FactSource source, string name)
    {
        var path = source.Follow($"{Place}/{name}/device") ?? source.Follow($"{Place}/{name}") ?? "";
        return path switch
        {
            _ when path.Contains("/usb", StringComparison.Ordinal) => "usb",
            _ when path.Contains("/ata", StringComparison.Ordinal) => "sata",
            _ when path.Contains("/virtio", StringComparison.Ordinal) || name.StartsWith("vd", StringComparison.Ordinal) => "virtio",
            _ when name.StartsWith("nvme", StringComparison.Ordinal) => "pcie",
            _ when name.StartsWith("mmcblk", StringComparison.Ordinal) => "mmc",
            _ when path.Contains("/end_device-", StringComparison.Ordinal) => "sas",
            _ => null,
        };
    }

    private static string Kind(FactSource source, string name, string? link) => name switch
    {
        ['n', 'v', 'm', 'e', ..] => "nvme",
        ['m', 'd', ..] => "raid",
        ['d', 'm', '-', ..] => "mapper",
        ['z', 'r', 'a', 'm', ..] => "zram",
        ['s', 'r', ..] => "optical",
        ['m', 'm', 'c', ..] => "card",
        ['l', 'o', 'o', 'p', ..] => "loop",
        // Hypervisors say of what they emulate that it rotates.
        _ when link == "virtio" || IsEmulated(source, name) => "virtual",
        _ => source.Text($"{Place}/{name}/queue/rotational") == "1" ? "hdd" : "ssd",
    };

    private static bool IsEmulated(FactSource source, string name) =>
        name.StartsWith("xvd", StringComparison.Ordinal)
        || (source.Text($"{Place}/{name}/device/vendor") + source.Text($"{Place}/{name}/device/model")) is { } maker
        && Emulators.Any(each => maker.Contains(each, StringComparison.Ordinal));

    private static string? Raid(FactSource source, string place)
    {
        if (source.Text($"{place}/md/array_state") is not { } state) return null;
        var missing = source.Number($"{place}/md/degraded") ?? 0;
        var level = source.Text($"{place}/md/level") ?? "raid";
        return missing > 0 ? $"{level} degraded: {missing} of {source.Text($"{place}/md/raid_disks") ?? "its"} disks missing" : $"{level} {state}";
    }

    /// <summary><c>CRYPT-LUKS2-1f0e…-root</c>, <c>LVM-…</c>: what made the mapping stands before the first dash.</summary>
    private static string? Mapping(FactSource source, string place)
    {
        if (source.Text($"{place}/dm/name") is not { } name) return null;
        return source.Text($"{place}/dm/uuid")?.Split('-')[0] switch
        {
            "CRYPT" => $"{name} (encrypted)",
            { Length: > 0 } maker => $"{name} ({maker.ToLowerInvariant()})",
            _ => name,
        };
    }
}

/// <summary>What disks say of themselves, by smartctl(8), which talks to each kind of them. Only root may ask.</summary>
internal static class DiskHealth
{
    private static readonly string[] Asked = ["nvme", "ssd", "hdd"];

    public static async Task<IReadOnlyList<DiskFacts>> AddAsync(IReadOnlyList<DiskFacts> disks, FactDoors doors, FactSource source)
    {
        var physical = disks.Where(d => Asked.Contains(d.Kind)).ToList();
        if (physical.Count == 0) return disks;
        if (doors.Find("smartctl") is not { } tool)
        {
            source.Note("disks.health", "`smartctl` is not installed (package smartmontools)");
            return disks;
        }

        var answers = await Task.WhenAll(physical.Select(async disk => (disk.Name, Health: await AskAsync(disk.Name, tool, doors, source))));
        var health = answers.ToDictionary(a => a.Name, a => a.Health);
        return [.. disks.Select(d => d with { Health = d.Health ?? health.GetValueOrDefault(d.Name) })];
    }

    private static async Task<string?> AskAsync(string disk, string tool, FactDoors doors, FactSource source)
    {
        var outcome = await doors.Run(tool, ["-H", $"/dev/{disk}"], FactDoors.ToolLimit);
        if (outcome is ShortCommandOutcome.Ended ended && Verdict(ended.Output) is { } verdict) return verdict;
        source.Note($"disks.{disk}.health", $"`smartctl -H /dev/{disk}` {outcome.Words}");
        return null;
    }

    /// <summary><c>SMART overall-health self-assessment test result: PASSED</c> of ATA and NVMe, <c>SMART Health Status: OK</c> of SCSI.</summary>
    public static string? Verdict(string output)
    {
        foreach (var line in output.Split('\n'))
        {
            if (!line.StartsWith("SMART overall-health", StringComparison.Ordinal) && !line.StartsWith("SMART Health Status", StringComparison.Ordinal)) continue;
            var verdict = line[(line.LastIndexOf(':') + 1)..].Trim();
            return verdict is "PASSED" or "OK" ? "passed" : verdict.ToLowerInvariant();
        }

        return null;
    }
}
