using System.Net.Sockets;
using System.Text;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;

namespace Stoker.Gateway;

/// <summary>Asks the gateway of a state directory on its own socket; what it can be asked, <see cref="GatewayAdmin"/> says.</summary>
internal static class GatewaySocket
{
    /// <summary>A gateway that hangs is not waited for; it answers within milliseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <returns>Its line; null: none answers.</returns>
    public static async Task<string?> AskAsync(StateDirectory state, string question, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            using var place = ControlSocket.Of(state, state.GatewaySocket);
            if (place is null) return null;
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(place.EndPoint, patience.Token);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(question + "\n"), patience.Token);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return await reader.ReadLineAsync(patience.Token);
        }
        catch (Exception absent) when (absent is SocketException or IOException || (absent is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>Has a gateway that runs take what was committed to its keys, and returns when it has, or when there is none.</summary>
    public static void TakeKeys(StateDirectory state) => AskAsync(state, GatewayAdmin.TakeKeys, CancellationToken.None).GetAwaiter().GetResult();
}
