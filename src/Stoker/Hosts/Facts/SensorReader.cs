namespace Stoker.Hosts.Facts;

/// <summary>Temperatures, fans, power and voltages: <c>/sys/class/hwmon</c>, and where a machine has none <c>/sys/class/thermal</c>.</summary>
internal static class SensorReader
{
    private const string Monitors = "/sys/class/hwmon", Zones = "/sys/class/thermal";

    /// <summary>Stems of file names, what they measure, and what the kernel's unit is divided by.</summary>
    private static readonly (string Stem, string Kind, double Unit)[] Stems =
        [("temp", "temperature", 1000), ("fan", "fan", 1), ("power", "power", 1_000_000), ("in", "voltage", 1000)];

    public static IReadOnlyList<SensorReading> Read(FactSource source)
    {
        var readings = new List<SensorReading>();
        foreach (var monitor in source.List(Monitors)) readings.AddRange(OfMonitor(source, $"{Monitors}/{monitor}"));
        if (readings.Count == 0) readings.AddRange(OfZones(source));
        if (readings.Count == 0) source.Note("sensors", "the kernel knows no sensor, as in most virtual machines");
        return readings;
    }

    private static IEnumerable<SensorReading> OfMonitor(FactSource source, string place)
    {
        var device = source.Text($"{place}/name") ?? Path.GetFileName(place);
        foreach (var file in source.List(place))
        {
            var underscore = file.LastIndexOf('_');
            if (underscore < 0 || file[underscore..] is not ("_input" or "_average")) continue;
            var sensor = file[..underscore];
            foreach (var (stem, kind, unit) in Stems)
            {
                if (TextFields.Index(sensor, stem) is null || source.Number($"{place}/{file}") is not { } raw) continue;
                var critical = source.Number($"{place}/{sensor}_crit") is { } limit and > 0 ? limit / unit : (double?)null;
                yield return new SensorReading(device, source.Text($"{place}/{sensor}_label") ?? sensor, kind, Math.Round(raw / unit, 3), critical);
            }
        }
    }

    private static IEnumerable<SensorReading> OfZones(FactSource source)
    {
        foreach (var zone in source.List(Zones))
        {
            if (TextFields.Index(zone, "thermal_zone") is null || source.Number($"{Zones}/{zone}/temp") is not { } raw) continue;
            yield return new SensorReading(zone, source.Text($"{Zones}/{zone}/type") ?? zone, "temperature", raw / 1000.0, Critical(source, $"{Zones}/{zone}"));
        }
    }

    private static double? Critical(FactSource source, string place)
    {
        foreach (var file in source.List(place))
        {
            // trip_point_1_type: critical, and beside it trip_point_1_temp
            if (file.EndsWith("_type", StringComparison.Ordinal) && file.StartsWith("trip_point_", StringComparison.Ordinal) && source.Text($"{place}/{file}") == "critical")
                return source.Number($"{place}/{file[..^5]}_temp") is { } raw ? raw / 1000.0 : null;
        }

        return null;
    }
}

/// <summary>What feeds the machine, and how much its processors may take: <c>/sys/class/power_supply</c> and <c>/sys/class/powercap</c>.</summary>
internal static class PowerReader
{
    private const string Supplies = "/sys/class/power_supply", Limits = "/sys/class/powercap";

    public static PowerFacts Read(FactSource source)
    {
        var supplies = new List<PowerSupply>();
        foreach (var name in source.List(Supplies))
        {
            var place = $"{Supplies}/{name}";
            var status = source.Text($"{place}/online") switch { "1" => "online", "0" => "offline", _ => source.Text($"{place}/status") };
            supplies.Add(new PowerSupply(name, source.Text($"{place}/type") ?? "unknown", status, (int?)source.Number($"{place}/capacity")));
        }

        var limits = new List<PowerLimit>();
        foreach (var name in source.List(Limits))
        {
            // intel-rapl:0 is a package, intel-rapl:0:0 a part of it; constraint 0 is the one for long.
            if (name.Count(c => c == ':') == 1 && source.Number($"{Limits}/{name}/constraint_0_power_limit_uw") is { } microwatts and > 0)
                limits.Add(new PowerLimit(source.Text($"{Limits}/{name}/name") ?? name, microwatts / 1_000_000.0));
        }

        if (supplies.Count == 0) source.Note("power.supplies", "the kernel knows none; those of servers are asked by IPMI");
        if (limits.Count == 0) source.Note("power.limits", "no powercap driver is loaded");
        return new PowerFacts(supplies, limits);
    }
}
