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
    public static async Task<string?> AskAsync(StateDirectory state, string question, CancellationToken cancel) => (await TryAsync(state, question, cancel)).Line;

    /// <summary>Has a gateway that runs take what was committed to its keys, and returns when it has, or when there is none.</summary>
    /// <returns>False: there is one, and it has not said that it has.</returns>
    public static async Task<bool> TakeKeysAsync(StateDirectory state) => !(await TryAsync(state, GatewayAdmin.TakeKeys, CancellationToken.None)).IsSilent;

    /// <returns>Silent: one took the question and said nothing in time.</returns>
    private static async Task<(bool IsSilent, string? Line)> TryAsync(StateDirectory state, string question, CancellationToken cancel)
    {
        var isThere = false;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            using var place = ControlSocket.Of(state, state.GatewaySocket);
            if (place is null) return (false, null);
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(place.EndPoint, patience.Token);
            isThere = true;
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(question + "\n"), patience.Token);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return (false, await reader.ReadLineAsync(patience.Token));
        }
        catch (Exception absent) when (absent is SocketException or IOException || (absent is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return (isThere && absent is OperationCanceledException, null);
        }
    }
}
