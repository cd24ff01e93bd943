using Stoker.Diagnostics;

namespace Stoker.Estates;

/// <summary>
/// The far end of a service that is a tunnel by SSH (extension <c>tunnel:</c>), and what proves who is there and who we are. The command that makes the tunnel is the service's own.
/// </summary>
/// <param name="Host">Name or address, as ssh is given it.</param>
/// <param name="Port">Default 22.</param>
internal sealed record TunnelSpec(string Host, int Port, SourcePosition Where)
{
    /// <summary>Absolute path of the private key; null: ssh's own choice.</summary>
    public Positioned<string>? Identity { get; init; }

    /// <summary>Absolute path of the file of host keys; null: the user's own.</summary>
    public Positioned<string>? KnownHosts { get; init; }
}
