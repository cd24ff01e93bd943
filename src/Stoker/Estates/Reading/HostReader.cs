using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>The machines, and the named sets of services.</summary>
internal static class HostReader
{
    public static IReadOnlyDictionary<HostName, HostSpec> ReadHosts(MappingNode root)
    {
        var hosts = new Dictionary<HostName, HostSpec>();
        foreach (var (text, key, value) in root.Named("hosts"))
        {
            var name = new HostName(text);
            var map = value as MappingNode;
            hosts[name] = new HostSpec(name, map.Text("address"), [.. map.Items("gpus").SelectMany(ReadGpus)], key.Where)
            {
                Cpus = map.Number("cpus"),
                Memory = map.Size("memory"),
                GpuHealing = map.Text("gpu_healing") ?? "act",
                Checks = map.Map("checks"),
            };
        }

        return hosts;
    }

    public static IReadOnlyDictionary<GroupName, GroupSpec> ReadGroups(MappingNode root, IReadOnlyDictionary<HostName, HostSpec> hosts, DiagnosticBag bag)
    {
        var groups = new Dictionary<GroupName, GroupSpec>();
        foreach (var (text, key, value) in root.Named("groups"))
        {
            var name = new GroupName(text);
            var map = value as MappingNode;
            var host = map.PositionedText("host");
            if (host is { } on && !hosts.ContainsKey(new HostName(on.Value)))
                bag.Add(EstateDiagnostics.UnknownHost, on.Where, $"group `{name}` is on unknown host `{on.Value}`", UnknownHostHint(on.Value, hosts));
            groups[name] = new GroupSpec(
                name,
                host is { } known ? new HostName(known.Value) : null,
                [.. map.Strings("depends_on").Select(d => new Positioned<GroupName>(new GroupName(d.Value), d.Where))],
                GpuReader.ReadShare(map.Map("gpu")),
                key.Where)
            {
                Description = map.Text("description"),
            };
        }

        foreach (var group in groups.Values) CheckDependencies(group, groups, bag);
        return groups;
    }

    public static string UnknownHostHint(string name, IReadOnlyDictionary<HostName, HostSpec> hosts) =>
        Suggestion.For(name, hosts.Keys.Select(h => h.Value)) ?? "declare it in `hosts`";

    private static void CheckDependencies(GroupSpec group, Dictionary<GroupName, GroupSpec> groups, DiagnosticBag bag)
    {
        foreach (var (dependency, where) in group.DependsOn)
        {
            if (dependency == group.Name)
                bag.Add(EstateDiagnostics.SelfDependency, where, $"group `{group.Name}` depends on itself");
            else if (!groups.ContainsKey(dependency))
                bag.Add(EstateDiagnostics.UnknownGroup, where, $"group `{group.Name}` depends on unknown group `{dependency}`", Suggestion.For(dependency.Value, groups.Keys.Select(g => g.Value)));
        }
    }

    private static IEnumerable<GpuSpec> ReadGpus(Node node)
    {
        if (node is ScalarNode { Value: { Length: > 0 } model }) return [new GpuSpec(model, null, null, node.Where)];
        if (node is not MappingNode map || map.Text("model") is not { } named) return [];
        return Enumerable.Repeat(new GpuSpec(named, map.Size("memory"), map.Text("uuid"), map.Where), map.Int("count") is > 0 and <= 64 and var count ? count : 1);
    }
}
