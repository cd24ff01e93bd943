using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>Memory: what the kernel manages, what the firmware says is plugged in (SMBIOS, which root may read), and the errors that controllers counted (EDAC).</summary>
internal static class MemoryReader
{
    private const string Tables = "/sys/firmware/dmi/tables/DMI", Controllers = "/sys/devices/system/edac/mc";

    private static readonly string[] FromFirmware = ["memory.installed", "memory.kind", "memory.speed_mts", "memory.ecc"];

    public static MemoryFacts Read(FactSource source)
    {
        var fields = TextFields.Colons(source.Text("/proc/meminfo", "memory.total") ?? "");
        var table = Firmware(source);
        var (corrected, uncorrected) = Errors(source);
        var kinds = table?.Modules.Select(m => m.Kind).OfType<string>().Distinct().ToList() ?? [];
        return new MemoryFacts(
            TextFields.Kibibytes(fields.GetValueOrDefault("MemTotal")),
            TextFields.Kibibytes(fields.GetValueOrDefault("MemAvailable")),
            TextFields.Kibibytes(fields.GetValueOrDefault("SwapTotal")),
            TextFields.Kibibytes(fields.GetValueOrDefault("SwapFree")),
            table is { Modules.Count: > 0 } ? table.Modules.Sum(m => m.Size) : null,
            kinds.Count > 0 ? string.Join(", ", kinds) : null,
            table?.Modules.Min(m => m.SpeedMts),
            table?.Ecc ?? (corrected is not null ? "errors are counted" : null))
        {
            CorrectedErrors = corrected,
            UncorrectedErrors = uncorrected,
            Modules = table?.Modules ?? [],
            HugePages = Huge(source),
        };
    }

    private static SmbiosMemory? Firmware(FactSource source)
    {
        var file = source.Read(Tables);
        if (file is TreeFile.Found found && SmbiosTable.Read(found.Bytes) is { Modules.Count: > 0 } memory)
        {
            if (memory.Modules.All(m => m.SpeedMts is null)) source.Note("memory.speed_mts", "the firmware does not tell it");
            if (memory.Ecc is null) source.Note("memory.ecc", "the firmware does not tell it");
            return memory;
        }

        var why = file switch
        {
            TreeFile.Found => "the firmware lists no memory module",
            TreeFile.Refused refused => $"`{Tables}` {refused.Why}",
            _ => $"this system has no `{Tables}`: its firmware tells nothing of modules",
        };
        foreach (var fact in FromFirmware) source.Note(fact, why);
        return null;
    }

    private static (long? Corrected, long? Uncorrected) Errors(FactSource source)
    {
        long? corrected = null, uncorrected = null;
        foreach (var name in source.List(Controllers))
        {
            if (TextFields.Index(name, "mc") is null) continue;
            if (source.Number($"{Controllers}/{name}/ce_count") is { } soft) corrected = (corrected ?? 0) + soft;
            if (source.Number($"{Controllers}/{name}/ue_count") is { } hard) uncorrected = (uncorrected ?? 0) + hard;
        }

        if (corrected is null) source.Note("memory.corrected_errors", "no memory controller counts them (no EDAC driver is loaded)");
        return (corrected, uncorrected);
    }

    private static List<HugePages> Huge(FactSource source)
    {
        const string place = "/sys/kernel/mm/hugepages";
        var found = new List<HugePages>();
        foreach (var name in source.List(place))
        {
            // hugepages-2048kB
            if (!name.StartsWith("hugepages-", StringComparison.Ordinal) || !name.EndsWith("kB", StringComparison.Ordinal)) continue;
            if (!long.TryParse(name.AsSpan(10, name.Length - 12), out var kibibytes)) continue;
            if (source.Number($"{place}/{name}/nr_hugepages") is { } total and > 0)
                found.Add(new HugePages(kibibytes * 1024, total, source.Number($"{place}/{name}/free_hugepages") ?? 0));
        }

        return found;
    }
}
