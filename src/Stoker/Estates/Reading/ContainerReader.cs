using Stoker.Diagnostics;
using Stoker.Estates.Keys;

namespace Stoker.Estates.Reading;

/// <summary>What only a container has: its networks, its name, and the options of <c>run</c> that the key table knows.</summary>
internal static class ContainerReader
{
    private static readonly string[] PullPolicies = ["missing", "always", "never", "build", "if_not_present", "refresh", "daily", "weekly"];

    public static ServiceSpec Read(ServiceSpec spec, ServiceSource source)
    {
        if (!source.IsContainer) return spec;
        var map = source.Map;
        CheckPullPolicy(source);
        CheckNetworkMode(source);
        CheckVolumesFrom(source);
        return spec with
        {
            ContainerName = map.Text("container_name"),
            ContainerRuntime = map.Text("runtime"),
            Networks = ReadNetworks(source),
            ContainerOptions = [.. Options(ServiceKeys.Table, map), .. HostnameOption(source)],
        };
    }

    /// <summary>In the order of the table, so that the order of the file changes nothing.</summary>
    public static IEnumerable<string> Options(KeyTable table, MappingNode map)
    {
        foreach (var row in table.Rows)
        {
            if (row.Option is null || map.Find(row.Name) is not { } node) continue;
            foreach (var option in row.Option.Options(node)) yield return option;
        }
    }

    /// <summary>Podman has no option for the domain; both take it as part of the name.</summary>
    private static IEnumerable<string> HostnameOption(ServiceSource source)
    {
        var domain = source.Map.Text("domainname");
        var name = source.Map.Text("hostname") ?? (domain is null ? null : source.Name.Value);
        if (name is not null) yield return domain is null ? $"--hostname={name}" : $"--hostname={name}.{domain}";
    }

    private static List<NetworkUse> ReadNetworks(ServiceSource source)
    {
        var uses = new List<NetworkUse>();
        if (source.Map.Find("networks") is SequenceNode list)
            uses.AddRange(list.Strings().Select(n => new NetworkUse(n.Value, [], null, null, null, n.Where)));
        foreach (var (name, key, value) in source.Map.Named("networks"))
        {
            var map = value as MappingNode;
            uses.Add(new NetworkUse(name, [.. map.Strings("aliases").Select(a => a.Value)], map.Text("ipv4_address"), map.Text("ipv6_address"), map.Text("mac_address"), key.Where));
        }

        if (uses.Count > 0 && source.Map.Find("network_mode") is { } mode)
            source.Report(EstateDiagnostics.Exclusive, mode.Where, "has a `network_mode` and `networks`", "keep one of them");
        return uses;
    }

    private static void CheckNetworkMode(ServiceSource source)
    {
        if (source.Map.PositionedText("network_mode") is { } mode && mode.Value.StartsWith("service:", StringComparison.Ordinal))
        {
            source.Report(EstateDiagnostics.Refused, mode.Where, $"has `network_mode` `{mode.Value}`, which is refused: services do not share a network namespace",
                "put both in one of `networks`, or use `container:NAME` with a `container_name`");
        }
    }

    private static void CheckVolumesFrom(ServiceSource source)
    {
        foreach (var from in source.Map.Strings("volumes_from"))
        {
            if (!from.Value.StartsWith("container:", StringComparison.Ordinal))
                source.Report(EstateDiagnostics.Refused, from.Where, $"takes volumes from service `{from.Value}`, which is refused", "name the volumes in `volumes`, or use `container:NAME`");
        }
    }

    private static void CheckPullPolicy(ServiceSource source)
    {
        if (source.Map.PositionedText("pull_policy") is not { Value.Length: > 0 } policy) return;
        var byAge = policy.Value is "refresh" or "daily" or "weekly" || policy.Value.StartsWith("every_", StringComparison.Ordinal);
        if (byAge)
        {
            source.Report(EstateDiagnostics.NoEffect, policy.Where, $"has `pull_policy` `{policy.Value}`, which has no effect: images are pulled when missing, not by age");
        }
        else if (!PullPolicies.Contains(policy.Value))
        {
            source.Report(EstateDiagnostics.UnknownWord, policy.Where, $"has `pull_policy` `{policy.Value}`, which is not `missing`, `always`, `never` or `build`",
                Suggestion.For(policy.Value, PullPolicies));
        }
    }
}
