using System.Net.Sockets;
using System.Text;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>
/// <c>stoker gateway-drain</c>, the hook before a model's replica is stopped: tells the gateway, and waits until nothing is in flight there. The service's
/// own grace bounds it. Ends with 0 also where no gateway answers: then there is nobody to wait for.
/// </summary>
internal static class GatewayDrain
{
    public const string Verb = "gateway-drain";

    public static int Run()
    {
        var (state, service, replica) = (HostEnvironment.Variable("STOKER_STATE"), HostEnvironment.Variable("STOKER_SERVICE"), HostEnvironment.Variable("STOKER_REPLICA"));
        if (state is null || service is null || replica is null) return 2;
        try
        {
            var place = new StateDirectory(state);
            using var at = ControlSocket.Of(place, place.GatewaySocket);
            if (at is null) return 0;
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(at.EndPoint);
            socket.Send(Encoding.UTF8.GetBytes($"drain {service} {replica}\n"));
            Span<byte> answer = stackalloc byte[64];
            _ = socket.Receive(answer);
            return 0;
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
