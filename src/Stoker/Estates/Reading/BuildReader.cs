using Stoker.Estates.Keys;

namespace Stoker.Estates.Reading;

/// <summary>How an image is built: a directory, or a mapping whose keys mostly become options of <c>build</c>.</summary>
internal static class BuildReader
{
    public static BuildSpec? Read(ServiceSource source, IReadOnlyDictionary<string, MaterialSpec> secrets)
    {
        switch (source.Map.Find("build"))
        {
            case ScalarNode { Value: { Length: > 0 } context } node:
                return new BuildSpec(ContextAt(source, context, node), null, node.Where) { Always = BuildsAlways(source) };
            case MappingNode map:
                if (map.Find("dockerfile") is not null && map.Find("dockerfile_inline") is { } inline)
                    source.Report(EstateDiagnostics.Exclusive, inline.Where, "builds from `dockerfile` and from `dockerfile_inline`", "keep one of them");
                var options = ContainerReader.Options(BuildKeys.Table, map);
                return new BuildSpec(ContextAt(source, map.Text("context") ?? ".", map.Find("context") ?? map), map.Text("dockerfile"), map.Where)
                {
                    DockerfileInline = map.Text("dockerfile_inline"),
                    Always = BuildsAlways(source),
                    Options = [.. options, .. Secrets(source, map, secrets)],
                };
            default:
                return null;
        }
    }

    private static bool BuildsAlways(ServiceSource source) => source.Map.Text("pull_policy") == "build";

    /// <summary>Git repositories and archives are left to the container tool; so are the names of remote contexts.</summary>
    private static string ContextAt(ServiceSource source, string context, Node node) =>
        context.Contains("://", StringComparison.Ordinal) || context.StartsWith("git@", StringComparison.Ordinal) || context.StartsWith("github.com/", StringComparison.Ordinal)
            ? context
            : source.Context.PathAt(context, node.Where);

    private static IEnumerable<string> Secrets(ServiceSource source, MappingNode map, IReadOnlyDictionary<string, MaterialSpec> secrets)
    {
        foreach (var use in MaterialReader.ReadUses(map, "secrets"))
        {
            if (!secrets.TryGetValue(use.Source, out var secret))
            {
                source.Report(EstateDiagnostics.UnknownMaterial, use.Where, $"builds with unknown secret `{use.Source}`", Diagnostics.Suggestion.For(use.Source, secrets.Keys));
                continue;
            }

            if (secret.External)
            {
                source.Report(EstateDiagnostics.ExternalToTheTool, use.Where, $"builds with secret `{use.Source}`, which is external: a build reads secrets from files and variables");
                continue;
            }

            var from = secret.File is { } file ? $"src={file}" : $"env={secret.EnvironmentVariable}";
            yield return $"--secret=id={use.Target ?? use.Source},{from}";
        }
    }
}
