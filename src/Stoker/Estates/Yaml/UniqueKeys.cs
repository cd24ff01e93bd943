namespace Stoker.Estates.Yaml;

/// <summary>What makes an entry of a service's list unique, in short and long form alike; null: nothing, it is appended.</summary>
internal static class UniqueKeys
{
    public static string? Text(Node entry) => (entry as ScalarNode)?.Value;

    /// <summary>The file's path.</summary>
    public static string? EnvFile(Node entry) => entry is MappingNode mapping ? TextOf(mapping, "path") : Text(entry);

    /// <summary><c>source:target[:mode]</c> or a lone target.</summary>
    public static string? Volume(Node entry)
    {
        if (entry is MappingNode mapping) return TextOf(mapping, "target")?.TrimEnd('/');
        if (Text(entry) is not { } text) return null;
        var parts = text.Split(':');
        return (parts.Length == 1 ? parts[0] : parts[1]).TrimEnd('/');
    }

    /// <summary>As <see cref="Volume"/>: <c>/dev/host:/dev/container[:rwm]</c>.</summary>
    public static string? Device(Node entry) => Volume(entry);

    public static string? Secret(Node entry) => Mount(entry, "/run/secrets/");

    public static string? Config(Node entry) => Mount(entry, "/");

    /// <summary>
    /// Host address, published port, target and protocol, of <c>[[ip:]published:]target[/protocol]</c> or the long form.
    /// <c>[::1]:8080:80</c> has its address in brackets.
    /// </summary>
    public static string? Port(Node entry)
    {
        if (entry is MappingNode mapping)
        {
            if (TextOf(mapping, "target") is not { } number) return null;
            return Port(TextOf(mapping, "host_ip"), TextOf(mapping, "published"), number, TextOf(mapping, "protocol"));
        }

        if (Text(entry) is not { } text) return null;
        var slash = text.LastIndexOf('/');
        var protocol = slash < 0 ? null : text[(slash + 1)..];
        var rest = slash < 0 ? text : text[..slash];
        var (rest2, target) = CutLast(rest);
        if (rest2 is null) return Port(null, null, target, protocol);
        var (ip, published) = CutLast(rest2);
        return Port(ip?.Trim('[', ']'), published, target, protocol);
    }

    private static string Port(string? ip, string? published, string target, string? protocol) =>
        $"{(string.IsNullOrEmpty(ip) ? "0.0.0.0" : ip)}:{published}:{target}/{protocol ?? "tcp"}";

    private static string? Mount(Node entry, string directory)
    {
        var target = entry is MappingNode mapping ? TextOf(mapping, "target") ?? TextOf(mapping, "source") : Text(entry);
        return target is null or ['/', ..] ? target : directory + target;
    }

    private static (string? Before, string After) CutLast(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 ? (null, text) : (text[..colon], text[(colon + 1)..]);
    }

    private static string? TextOf(MappingNode mapping, string key) => (mapping.Find(key) as ScalarNode)?.Value;
}
