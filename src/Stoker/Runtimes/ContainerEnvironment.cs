using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>
/// The variables of containers and of the tool's client, which must not be mixed up. A container's values never stand in
/// arguments, where everybody on the machine could read them: the client is told the names (<c>-e NAME</c>) and finds the values in
/// its own environment. Until the client takes over they travel under a prefix, so that a service's variables change nothing
/// about what prepares its start. Names that the client itself obeys (a service's <c>PATH</c> is not the client's) are
/// given as <c>-e NAME=VALUE</c>; none of them holds a secret.
/// </summary>
internal static class ContainerEnvironment
{
    private const string Prefix = "STOKER_FOR_CONTAINER_";

    private static readonly HashSet<string> OfTheClient =
    [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TERM", "LANG", "LANGUAGE", "TZ", "NOTIFY_SOCKET", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK",
        "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION", "DOCKER_DEFAULT_PLATFORM",
        "DOCKER_BUILDKIT", "CONTAINER_HOST", "CONTAINER_SSHKEY", "REGISTRY_AUTH_FILE", "STORAGE_DRIVER", "STORAGE_OPTS", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", ProcessTree.MarkerVariable,
    ];

    private static readonly string[] PrefixesOfTheClient = ["XDG_", "LC_", "LD_", "CONTAINERS_", "PODMAN_", "BUILDAH_", "BUILDX_", "BUILDKIT_", "LISTEN_"];

    /// <summary>The client reaches registries through them, but a container must not get them unasked.</summary>
    private static readonly HashSet<string> Proxies =
        ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

    /// <summary>What the client is run with, out of the environment of whoever ran <c>up</c>.</summary>
    public static IReadOnlyDictionary<string, string> OfClient(IReadOnlyDictionary<string, string> variables) => variables
        .Where(v => IsTheClients(v.Key) && v.Key is not ("NOTIFY_SOCKET" or ProcessTree.MarkerVariable) && !v.Key.StartsWith("LISTEN_", StringComparison.Ordinal)
            || Proxies.Contains(v.Key) || v.Key == "DOTNET_ROOT")
        .ToDictionary(StringComparer.Ordinal);

    public static bool IsTheClients(string name) =>
        OfTheClient.Contains(name) || PrefixesOfTheClient.Any(p => name.StartsWith(p, StringComparison.Ordinal));

    /// <summary>The <c>-e</c> options of <c>run</c> and <c>exec</c>, ordered by name.</summary>
    public static IEnumerable<string> Options(IReadOnlyDictionary<string, string> container) =>
        container.OrderBy(v => v.Key, StringComparer.Ordinal).SelectMany(v => new[] { "-e", IsTheClients(v.Key) ? $"{v.Key}={v.Value}" : v.Key });

    /// <summary>The environment of the client that is given these options.</summary>
    public static Dictionary<string, string> Merge(IReadOnlyDictionary<string, string> client, IReadOnlyDictionary<string, string> container)
    {
        var merged = new Dictionary<string, string>(client, StringComparer.Ordinal);
        foreach (var (name, value) in container)
        {
            if (!IsTheClients(name)) merged[name] = value;
        }

        return merged;
    }

    /// <summary>The environment of what prepares the start: the client's, and the container's under a prefix.</summary>
    public static Dictionary<string, string> Pack(IReadOnlyDictionary<string, string> client, IReadOnlyDictionary<string, string> container)
    {
        var packed = new Dictionary<string, string>(client, StringComparer.Ordinal);
        foreach (var (name, value) in container) packed[Prefix + name] = value;
        return packed;
    }

    /// <summary>The way back.</summary>
    public static (IReadOnlyDictionary<string, string> Client, IReadOnlyDictionary<string, string> Container) Unpack(IReadOnlyDictionary<string, string> packed)
    {
        var (client, container) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var (name, value) in packed)
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal)) container[name[Prefix.Length..]] = value;
            else client[name] = value;
        }

        return (client, container);
    }
}
