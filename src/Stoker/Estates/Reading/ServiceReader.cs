using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>One entry of <c>services:</c>, put together by the readers of its parts.</summary>
internal static class ServiceReader
{
    public static ServiceSpec Read(ServiceSource source, IReadOnlyDictionary<string, MaterialSpec> secrets)
    {
        var map = source.Map;
        var spec = new ServiceSpec(source.Name, source.Where)
        {
            Group = map.PositionedText("group") is { } group ? new Positioned<GroupName>(new GroupName(group.Value), group.Where) : null,
            Host = map.PositionedText("host") is { } host ? new Positioned<HostName>(new HostName(host.Value), host.Where) : null,
            Image = map.Text("image"),
            Build = BuildReader.Read(source, secrets),
            Environment = EnvironmentReader.ReadEnvironment(source),
            Ports = PortReader.Read(source),
            DependsOn = ReadDependencies(source),
            Healthcheck = HealthcheckReader.Read(source),
            Restart = RestartReader.Read(source),
            Replicas = ResourceReader.ReadReplicas(source),
            Resources = ResourceReader.Read(source),
            Ulimits = ResourceReader.ReadUlimits(source),
            Umask = source.IsContainer ? null : map.Octal("umask"),
            Nice = source.IsContainer ? null : map.Int("nice"),
            Secrets = MaterialReader.ReadUses(map, "secrets"),
            Configs = MaterialReader.ReadUses(map, "configs"),
            Mounts = source.IsContainer ? MountReader.Read(source) : [],
            Labels = EnvironmentReader.ReadLabels(source),
            Logging = ResourceReader.ReadLogging(source),
            Profiles = [.. map.Strings("profiles").Select(p => p.Value)],
            Models = ReadModels(source),
        };
        spec = TunnelReader.Read(ContainerReader.Read(CommandReader.Read(spec, source), source), source);
        if (spec is { ContainerName: { } name, Replicas: > 1 })
        {
            source.Report(EstateDiagnostics.Exclusive, map.WhereOf("container_name"), $"has {spec.Replicas} replicas and one `container_name`, `{name}`",
                "leave the name out: each container gets its own");
        }

        return spec;
    }

    private static Dictionary<ServiceName, DependencySpec> ReadDependencies(ServiceSource source)
    {
        var dependencies = new Dictionary<ServiceName, DependencySpec>();
        if (source.Map.Find("depends_on") is SequenceNode list)
        {
            foreach (var (name, where) in list.Strings()) Add(name, DependencyCondition.Started, restart: false, required: true, where);
        }

        foreach (var (name, key, value) in source.Map.Named("depends_on"))
        {
            var map = value as MappingNode;
            var condition = map.Text("condition") switch
            {
                "service_healthy" => DependencyCondition.Healthy,
                "service_completed_successfully" => DependencyCondition.CompletedSuccessfully,
                _ => DependencyCondition.Started,
            };
            Add(name, condition, map.Flag("restart") ?? false, map.Flag("required") ?? true, key.Where);
        }

        foreach (var link in source.IsContainer ? source.Map.Strings("links") : []) ReadLink(source, link, dependencies);
        return dependencies;

        void Add(string name, DependencyCondition condition, bool restart, bool required, SourcePosition where) =>
            dependencies[new ServiceName(name)] = new DependencySpec(new ServiceName(name), condition, restart, required, where);
    }

    /// <summary>Services in one network reach each other by name; what is left of a link is the order of starting.</summary>
    private static void ReadLink(ServiceSource source, Positioned<string> link, Dictionary<ServiceName, DependencySpec> dependencies)
    {
        var colon = link.Value.IndexOf(':');
        var name = new ServiceName(colon < 0 ? link.Value : link.Value[..colon]);
        if (colon >= 0 && link.Value[(colon + 1)..] != name.Value)
        {
            source.Report(EstateDiagnostics.NoEffect, link.Where, $"has a link with an alias, `{link.Value}`, and the alias has no effect",
                $"give `{name}` the alias in its `networks`");
        }

        dependencies.TryAdd(name, new DependencySpec(name, DependencyCondition.Started, Restart: false, Required: true, link.Where) { IsLink = true });
    }

    private static List<ModelUse> ReadModels(ServiceSource source)
    {
        var uses = new List<ModelUse>();
        if (source.Map.Find("models") is SequenceNode list)
            uses.AddRange(list.Strings().Select(m => Use(m.Value, null, null, m.Where)));
        foreach (var (name, key, value) in source.Map.Named("models"))
            uses.Add(Use(name, (value as MappingNode).Text("endpoint_var"), (value as MappingNode).Text("model_var"), key.Where));
        return uses;

        static ModelUse Use(string model, string? endpoint, string? name, SourcePosition where)
        {
            var prefix = string.Concat(model.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_'));
            return new ModelUse(model, endpoint ?? $"{prefix}_URL", name ?? $"{prefix}_MODEL", where);
        }
    }
}
