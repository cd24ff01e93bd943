using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;

namespace Stoker.Daemon;

/// <summary>Looks at the files that a tunnel needs: its private key, and the keys of hosts.</summary>
internal static class TunnelFiles
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static Dictionary<ServiceName, TunnelFacts> Look(EstateSpec estate, IReadOnlyDictionary<string, string> variables) => estate.Services.Values
        .Where(service => service.Tunnel is not null)
        .ToDictionary(service => service.Name, service => Look(service, variables.GetValueOrDefault("HOME")));

    private static TunnelFacts Look(ServiceSpec service, string? home)
    {
        var tunnel = service.Tunnel!;
        // Another user's home is that user's affair.
        string?[] files = tunnel.KnownHosts is { } declared ? [declared.Value]
            : service.User is null ? [home is null ? null : Path.Combine(home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"]
            : [];
        return new TunnelFacts(tunnel.Identity is { } identity ? Problem(identity.Value) : null, files.Length == 0 ? null : files.OfType<string>().Any(file => Has(file, tunnel)));
    }

    private static string? Problem(string identity) => !Files.Exists(identity) ? "which is not there" : (Files.Mode(identity) & Others) != 0 ? "which others may read, so that ssh refuses it" : null;

    private static bool Has(string file, TunnelSpec tunnel)
    {
        try
        {
            return Files.Exists(file) && KnownHosts.Has(Files.ReadAllText(file), tunnel.Host, tunnel.Port);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
