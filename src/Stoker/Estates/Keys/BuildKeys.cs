using Stoker.Estates.Reading;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of <c>build:</c>, with the options of <c>build</c> that Podman and Docker share.</summary>
internal static class BuildKeys
{
    public static readonly Shape ExtraHosts = OneOf(Map(OneOf(Text, Texts)), Texts);

    /// <summary>Both tools take <c>HOST:IP</c>; IPv6 addresses lose their brackets.</summary>
    public static readonly ContainerOption AddHost = new ContainerOption.Custom(node => HostPairs(node).Select(p => $"--add-host={p.Host}:{p.Address}"));

    public static readonly Shape Ulimits = Map(OneOf(NaturalOrUnlimited, Keyed(new KeyTable("ulimit", "Soft and hard limit.",
        new("soft", "The limit that is enforced; -1: none.", NaturalOrUnlimited, Honoured) { Required = true },
        new("hard", "The most that the service may raise it to; -1: none.", NaturalOrUnlimited, Honoured) { Required = true }))));

    public static readonly Shape Materials = List(OneOf(Text, Keyed(new KeyTable("material-use", "A secret or config, and where the service finds it.",
        new("source", "Its key in the top-level section.", Text, Honoured) { Required = true },
        new("target", "Path or file name under which the service finds it; default `/run/secrets/SOURCE`, for configs `/SOURCE`.", Text, Honoured),
        new("uid", "Owner of the file; default: the service's user.", Text, Honoured),
        new("gid", "Group of the file; default: the service's group.", Text, Honoured),
        new("mode", "Mode of the file, always octal; default 0400 for secrets, 0444 for configs.", Octal, Honoured)))));

    private const string OwnSecretMode = "the container tool decides about the file of a build's secret";

    private static readonly Shape BuildSecrets = List(OneOf(Text, Keyed(new KeyTable("build-secret", "A secret that the build's commands may read.",
        new("source", "Its key in the top-level section.", Text, Honoured) { Required = true },
        new("target", "The id that the build's commands use; default: the source.", Text, Honoured),
        new("uid", "Owner of the file.", Text, Warned(OwnSecretMode)),
        new("gid", "Group of the file.", Text, Warned(OwnSecretMode)),
        new("mode", "Mode of the file.", Octal, Warned(OwnSecretMode))))));

    public static readonly KeyTable Table = new("build", "How the image is built.",
        new("context", "Directory or Git URL to build from; default: the estate's directory.", Text, Honoured),
        new("dockerfile", "Name of the Dockerfile in the context; default `Dockerfile`.", Text, Honoured),
        new("dockerfile_inline", "The Dockerfile itself; instead of `dockerfile`.", Text, Honoured),
        new("args", "Build arguments.", Pairs, Honoured, new ContainerOption.Pairs("--build-arg")),
        new("ssh", "SSH agent sockets or keys for the build.", OneOf(Text, Pairs), Honoured, new ContainerOption.Custom(Ssh)),
        new("labels", "Labels of the image.", Pairs, Honoured, new ContainerOption.Pairs("--label")),
        new("cache_from", "Where cached layers may come from.", Texts, Honoured, new ContainerOption.Each("--cache-from")),
        new("cache_to", "Where cached layers go.", Texts, Honoured, new ContainerOption.Each("--cache-to")),
        new("no_cache", "Build every layer anew; default `false`.", Flag, Honoured, new ContainerOption.Switch("--no-cache")),
        new("no_cache_filter", "Stages to build anew.", TextOrTexts, Warned("Podman has no such option: use `no_cache`")),
        new("additional_contexts", "Further contexts by name.", Pairs, Honoured, new ContainerOption.Pairs("--build-context")),
        new("network", "Network of the build's commands.", Text, Honoured, new ContainerOption.Value("--network")),
        new("pull", "Look for newer base images; default `false`.", Flag, Honoured, new ContainerOption.Switch("--pull")),
        new("target", "Stage of the Dockerfile to stop at; default: the last.", Text, Honoured, new ContainerOption.Value("--target")),
        new("shm_size", "Size of `/dev/shm` in the build.", Size, Honoured, new ContainerOption.Bytes("--shm-size")),
        new("extra_hosts", "Further host names in the build.", ExtraHosts, Honoured, AddHost),
        new("secrets", "Secrets that the build's commands may read.", BuildSecrets, Honoured),
        new("tags", "Further tags of the image.", Texts, Honoured, new ContainerOption.Each("--tag")),
        new("ulimits", "Limits of the build's commands.", Ulimits, Honoured, new ContainerOption.Custom(UlimitOptions)),
        new("platforms", "Platforms to build for.", Texts, Honoured, new ContainerOption.Custom(Platforms)),
        new("entitlements", "Privileges of BuildKit that Podman does not have.", Texts, Warned("the build gets no further privileges")),
        new("privileged", "Build with extended privileges.", Flag, Warned("the build gets no further privileges")),
        new("isolation", "Isolation on Windows.", Text, Warned("it is about Windows")),
        new("provenance", "Attestation of BuildKit.", OneOf(Flag, Text), Warned("no attestation is made")) { Harmless = "false" },
        new("sbom", "Attestation of BuildKit.", OneOf(Flag, Text), Warned("no attestation is made")) { Harmless = "false" });

    private static IEnumerable<(string Host, string Address)> HostPairs(Node node)
    {
        if (node is MappingNode map)
        {
            foreach (var (host, _, addresses) in map.Named())
            {
                foreach (var address in addresses.Strings()) yield return (host, address.Value.Trim('[', ']'));
            }
        }

        foreach (var entry in node is SequenceNode ? node.Strings() : [])
        {
            var cut = entry.Value.IndexOfAny(['=', ':']);
            if (cut > 0) yield return (entry.Value[..cut], entry.Value[(cut + 1)..].Trim('[', ']'));
        }
    }

    private static IEnumerable<string> Ssh(Node node) => node is ScalarNode
        ? node.Strings().Select(s => $"--ssh={s.Value}")
        : node.Pairs().Select(p => p.Value.Value is { Length: > 0 } value ? $"--ssh={p.Key}={value}" : $"--ssh={p.Key}");

    private static IEnumerable<string> Platforms(Node node)
    {
        var platforms = string.Join(',', node.Strings().Select(s => s.Value));
        return platforms.Length > 0 ? [$"--platform={platforms}"] : [];
    }

    private static IEnumerable<string> UlimitOptions(Node node)
    {
        foreach (var (name, _, value) in (node as MappingNode).Named())
        {
            if (value is ScalarNode { Value: { } both }) yield return $"--ulimit={name}={both}:{both}";
            if (value is MappingNode map) yield return $"--ulimit={name}={map.Text("soft")}:{map.Text("hard")}";
        }
    }
}
