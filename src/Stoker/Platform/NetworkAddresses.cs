using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Stoker.Platform;

/// <summary>The addresses of this machine.</summary>
internal static class NetworkAddresses
{
    /// <summary>As text, of links that are up, without loopback and without the scope of link-local ones.</summary>
    public static IReadOnlyList<string> Own()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .Where(link => link.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown && link.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                    .SelectMany(link => link.GetIPProperties().UnicastAddresses)
                    .Where(own => own.Address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
                    .Select(own => own.Address.ToString().Split('%')[0]),
            ];
        }
        catch (NetworkInformationException)
        {
            // Without them a host finds itself by name or by --host.
            return [];
        }
    }
}
