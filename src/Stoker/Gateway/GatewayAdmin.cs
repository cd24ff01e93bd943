using System.Net.Sockets;
using System.Text;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>
/// The gateway's own socket, <c>gateway.sock</c> in the state directory (0600), for the machine's owner: one line asked, one answered. <c>drain SERVICE INDEX</c>
/// lets a replica end what it has and gives it nothing new; the answer comes when it has nothing in flight any more. <c>keys</c> has it take what was committed to its
/// keys, and is answered when that is in force. <c>status</c> is answered with a <see cref="GatewayStatus"/>.
/// </summary>
internal sealed class GatewayAdmin(GatewayState state, string directory)
{
    public const string TakeKeys = "keys";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    public async Task RunAsync(CancellationToken stop)
    {
        var place = new StateDirectory(directory);
        using var at = ControlSocket.Of(place, place.GatewaySocket) ?? throw new IOException($"the state directory {directory} cannot be entered");
        Files.Delete(place.GatewaySocket);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(at.EndPoint);
        Files.SetMode(place.GatewaySocket, Files.PrivateFile);
        listener.Listen(16);
        // It ends by being stopped, wherever it is just then.
        while (true)
        {
            var socket = await listener.AcceptAsync(stop);
            _ = ServeAsync(socket, stop);
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
            var words = (await reader.ReadLineAsync(stop) ?? "").Split(' ');
            var answer = words switch
            {
                ["status"] => GatewayStatus.Of(state.Tables.Router.Table, GatewayLoop.Steady).ToJson(),
                [TakeKeys] => await Task.Run(KeysNow, stop),
                ["drain", var service, var index] when int.TryParse(index, out var number) => await DrainAsync(new ReplicaId(service, number), stop),
                _ => "error: unknown request",
            };
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer + "\n"), stop);
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
        {
            // Whoever asked has left, or the gateway ends.
        }
    }

    private string KeysNow()
    {
        state.Keys.Look();
        return "taken";
    }

    private async Task<string> DrainAsync(ReplicaId id, CancellationToken stop)
    {
        // A canary is a replica of two routes, each with a state of its own for it.
        var tables = state.Tables;
        var drained = new List<ReplicaState>();
        foreach (var route in tables.Router.Table.Routes)
        {
            foreach (var replica in route.Replicas)
            {
                if (replica.Id != id) continue;
                replica.SetMode(tables.WhenStopped(route), GatewayLoop.Steady);
                drained.Add(replica);
            }
        }

        if (drained.Count == 0) return "gone";
        while (drained.Any(replica => replica.Requests > 0)) await Task.Delay(Look, stop);
        return "drained";
    }
}
