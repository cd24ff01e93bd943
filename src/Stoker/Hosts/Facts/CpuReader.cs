using System.Globalization;

namespace Stoker.Hosts.Facts;

/// <summary>
/// Processors, from <c>/proc/cpuinfo</c> and <c>/sys/devices/system/cpu</c>. Sockets and cores are counted as lscpu(1) does: by the lists of
/// neighbours, because numbers of packages and cores repeat on some machines and are absent on others.
/// </summary>
internal static class CpuReader
{
    private const string Place = "/sys/devices/system/cpu";

    public static CpuFacts Read(FactSource source)
    {
        var text = source.Text("/proc/cpuinfo", "cpu.model") ?? "";
        var first = TextFields.Colons(text);
        var processors = Online(source);
        var (sockets, cores) = Topology(source, processors);
        return new CpuFacts(
            ModelOf(source, first),
            Vendor(first),
            Architecture(source, first),
            sockets,
            cores,
            processors.Count > 0 ? processors.Count : null,
            Governors(source, processors),
            MaxMhz(source, processors),
            Microcode(source, first),
            (first.GetValueOrDefault("flags") ?? first.GetValueOrDefault("Features"))?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? []);
    }

    private static string? ModelOf(FactSource source, Dictionary<string, string> first)
    {
        if (first.GetValueOrDefault("model name") is { Length: > 0 } name) return name;
        if (ArmCores.Name(first.GetValueOrDefault("CPU implementer"), first.GetValueOrDefault("CPU part")) is { } core) return core;
        source.Note("cpu.model", "`/proc/cpuinfo` names no model");
        return null;
    }

    private static string? Vendor(Dictionary<string, string> first) => first.GetValueOrDefault("vendor_id") ?? ArmCores.Maker(first.GetValueOrDefault("CPU implementer"));

    /// <summary>Kernels before 6.1 do not tell; then the shape of <c>/proc/cpuinfo</c> does.</summary>
    private static string? Architecture(FactSource source, Dictionary<string, string> first) =>
        source.Text("/proc/sys/kernel/arch")
        ?? (first.ContainsKey("CPU implementer") ? "aarch64" : first.GetValueOrDefault("flags")?.Contains(" lm ", StringComparison.Ordinal) == true ? "x86_64" : null);

    private static string? Microcode(FactSource source, Dictionary<string, string> first)
    {
        if ((first.GetValueOrDefault("microcode") ?? source.Text($"{Place}/cpu0/microcode/version")) is { } version) return version;
        source.Note("cpu.microcode", first.ContainsKey("CPU implementer") ? "arm64 kernels do not tell it" : "neither `/proc/cpuinfo` nor sysfs tells it");
        return null;
    }

    private static List<string> Online(FactSource source)
    {
        var found = new List<string>();
        foreach (var name in source.List(Place))
        {
            if (TextFields.Index(name, "cpu") is null) continue;
            // cpu0 cannot be taken offline on most machines, and then has no such file.
            if (source.Text($"{Place}/{name}/online") is null or "1") found.Add($"{Place}/{name}");
        }

        if (found.Count == 0) source.Note("cpu.threads", $"`{Place}` lists no processor");
        return found;
    }

    private static (int? Sockets, int? Cores) Topology(FactSource source, List<string> processors)
    {
        var packages = new HashSet<string>(StringComparer.Ordinal);
        var cores = new HashSet<string>(StringComparer.Ordinal);
        foreach (var processor in processors)
        {
            if ((source.Text($"{processor}/topology/package_cpus_list") ?? source.Text($"{processor}/topology/core_siblings_list")) is { } package) packages.Add(package);
            if ((source.Text($"{processor}/topology/core_cpus_list") ?? source.Text($"{processor}/topology/thread_siblings_list")) is { } core) cores.Add(core);
        }

        if (packages.Count == 0) source.Note("cpu.sockets", "sysfs tells no topology");
        if (cores.Count == 0) source.Note("cpu.cores", "sysfs tells no topology");
        return (packages.Count > 0 ? packages.Count : null, cores.Count > 0 ? cores.Count : null);
    }

    private static List<string> Governors(FactSource source, List<string> processors)
    {
        var governors = new List<string>();
        foreach (var processor in processors)
        {
            if (source.Text($"{processor}/cpufreq/scaling_governor") is { } governor && !governors.Contains(governor)) governors.Add(governor);
        }

        if (governors.Count == 0) source.Note("cpu.governors", "the kernel does not choose clocks here (no cpufreq), as in most virtual machines");
        return governors;
    }

    private static double? MaxMhz(FactSource source, List<string> processors)
    {
        double most = 0;
        foreach (var processor in processors)
        {
            if (source.Number($"{processor}/cpufreq/cpuinfo_max_freq") is { } kilohertz) most = Math.Max(most, kilohertz / 1000.0);
        }

        if (most > 0) return Math.Round(most, 1, MidpointRounding.AwayFromZero);
        source.Note("cpu.max_mhz", "no cpufreq");
        return null;
    }
}

/// <summary>
/// What arm64 kernels tell of a core: numbers of its maker and of its design (MIDR_EL1). The names are those of lscpu(1),
/// https://github.com/util-linux/util-linux/blob/master/sys-utils/lscpu-arm.c.
/// </summary>
internal static class ArmCores
{
    private static readonly (string Implementer, string Maker)[] Makers =
        [("0x41", "ARM"), ("0x42", "Broadcom"), ("0x43", "Cavium"), ("0x46", "Fujitsu"), ("0x48", "HiSilicon"), ("0x4e", "NVIDIA"), ("0x51", "Qualcomm"), ("0x61", "Apple"), ("0xc0", "Ampere")];

    private static readonly (string Implementer, string Part, string Name)[] Cores =
    [
        ("0x41", "0xd03", "Cortex-A53"), ("0x41", "0xd05", "Cortex-A55"), ("0x41", "0xd07", "Cortex-A57"), ("0x41", "0xd08", "Cortex-A72"), ("0x41", "0xd0b", "Cortex-A76"),
        ("0x41", "0xd0c", "Neoverse-N1"), ("0x41", "0xd40", "Neoverse-V1"), ("0x41", "0xd42", "Cortex-A78AE"), ("0x41", "0xd49", "Neoverse-N2"), ("0x41", "0xd4f", "Neoverse-V2"),
        ("0x41", "0xd84", "Neoverse-V3"), ("0x41", "0xd87", "Cortex-A725"), ("0x41", "0xd85", "Cortex-X925"), ("0x4e", "0x003", "Denver 2"), ("0x4e", "0x004", "Carmel"),
        ("0xc0", "0xac3", "Ampere-1"), ("0xc0", "0xac4", "Ampere-1a"), ("0x48", "0xd01", "Kunpeng-920"),
    ];

    public static string? Maker(string? implementer)
    {
        foreach (var (number, maker) in Makers)
        {
            if (number == implementer) return maker;
        }

        return implementer;
    }

    /// <summary>A design that is not listed is named by its numbers.</summary>
    public static string? Name(string? implementer, string? part)
    {
        if (implementer is null || part is null) return null;
        foreach (var (maker, number, name) in Cores)
        {
            if (maker == implementer && number == part) return name;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Maker(implementer)} part {part}");
    }
}
