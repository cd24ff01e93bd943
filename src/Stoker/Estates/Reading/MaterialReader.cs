using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>Top-level secrets, configs, volumes and networks, and services' use of the first two.</summary>
internal static class MaterialReader
{
    public static IReadOnlyDictionary<string, MaterialSpec> Read(MappingNode root, string section, ReadContext context, DiagnosticBag bag)
    {
        var noun = section[..^1];
        var materials = new Dictionary<string, MaterialSpec>();
        foreach (var (name, key, value) in root.Named(section))
        {
            if (value is not MappingNode map) continue;
            string[] sources = [.. Sources(map)];
            if (sources.Length == 0)
            {
                bag.Add(EstateDiagnostics.NoSource, key.Where, $"{noun} `{name}` has no source",
                    noun == "config" ? "give it `file`, `environment`, `content` or `external: true`" : "give it `file`, `environment` or `external: true`");
            }
            else if (sources.Length > 1)
            {
                bag.Add(EstateDiagnostics.SeveralSources, key.Where, $"{noun} `{name}` has {sources.Length} sources: `{string.Join("`, `", sources)}`", "keep one of them");
            }

            var file = map.PositionedText("file");
            materials[name] = new MaterialSpec(
                name, file is { } path ? context.PathAt(path.Value, path.Where) : null, map.Text("environment"), map.Text("content"), IsExternal(map), key.Where)
            {
                GivenName = GivenName(map),
            };
        }

        return materials;
    }

    public static IReadOnlyDictionary<string, VolumeSpec> ReadVolumes(MappingNode root)
    {
        var volumes = new Dictionary<string, VolumeSpec>();
        foreach (var (name, key, value) in root.Named("volumes"))
        {
            var map = value as MappingNode;
            volumes[name] = new VolumeSpec(name, map.Text("driver"), IsExternal(map), key.Where)
            {
                GivenName = GivenName(map),
                DriverOptions = map.TextMap("driver_opts"),
                Labels = map.TextMap("labels"),
            };
        }

        return volumes;
    }

    public static IReadOnlyDictionary<string, NetworkSpec> ReadNetworks(MappingNode root)
    {
        var networks = new Dictionary<string, NetworkSpec>();
        foreach (var (name, key, value) in root.Named("networks"))
        {
            var map = value as MappingNode;
            networks[name] = new NetworkSpec(name, map.Text("driver"), IsExternal(map), map.Flag("internal") ?? false, key.Where)
            {
                GivenName = GivenName(map),
                DriverOptions = map.TextMap("driver_opts"),
                Labels = map.TextMap("labels"),
                CreateOptions = [.. AddressOptions(map)],
            };
        }

        return networks;
    }

    public static List<MaterialUse> ReadUses(MappingNode map, string key)
    {
        var uses = new List<MaterialUse>();
        foreach (var item in map.Items(key))
        {
            if (item is ScalarNode { Value: { Length: > 0 } name }) uses.Add(new MaterialUse(name, null, null, null, null, item.Where));
            if (item is MappingNode use && use.Text("source") is { Length: > 0 } source)
                uses.Add(new MaterialUse(source, use.Text("target"), use.Text("uid"), use.Text("gid"), use.Octal("mode"), use.Where));
        }

        return uses;
    }

    private static IEnumerable<string> Sources(MappingNode map)
    {
        foreach (var source in new[] { "file", "environment", "content" })
        {
            if (map.Find(source) is not null) yield return source;
        }

        if (IsExternal(map)) yield return "external";
    }

    private static bool IsExternal(MappingNode? map) => map.Map("external") is not null || map.Flag("external") == true;

    private static string? GivenName(MappingNode? map) => map.Text("name") ?? map.Map("external").Text("name");

    private static IEnumerable<string> AddressOptions(MappingNode? map)
    {
        if (map.Flag("enable_ipv6") == true) yield return "--ipv6";
        var addresses = map.Map("ipam");
        if (addresses.Text("driver") is { } driver and not "default") yield return $"--ipam-driver={driver}";
        foreach (var pool in addresses.Items("config").OfType<MappingNode>())
        {
            if (pool.Text("subnet") is { } subnet) yield return $"--subnet={subnet}";
            if (pool.Text("ip_range") is { } range) yield return $"--ip-range={range}";
            if (pool.Text("gateway") is { } gateway) yield return $"--gateway={gateway}";
        }
    }
}
