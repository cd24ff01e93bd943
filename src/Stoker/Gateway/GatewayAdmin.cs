using System.Net.Sockets;
using System.Text;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>
/// The gateway's own socket, <c>gateway.sock</c> in the state directory (0600), for the machine's owner: one line asked, one answered. <c>drain SERVICE INDEX</c>
/// lets a replica end what it has and gives it nothing new; the answer comes when it has nothing in flight any more.
/// </summary>
internal sealed class GatewayAdmin(GatewayState state, string directory)
{
    public const string SocketFile = "gateway.sock";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    public async Task RunAsync(CancellationToken stop)
    {
        var path = Path.Combine(directory, SocketFile);
        Files.Delete(path);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        Files.SetMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(16);
        while (!stop.IsCancellationRequested)
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
            var answer = words is ["drain", var service, var index] && int.TryParse(index, out var number)
                ? await DrainAsync(new ReplicaId(service, number), stop)
                : "error: unknown request";
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer + "\n"), stop);
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
        {
            // Whoever asked has left, or the gateway ends.
        }
    }

    private async Task<string> DrainAsync(ReplicaId id, CancellationToken stop)
    {
        var drained = Find(id);
        if (drained is null) return "gone";
        drained.SetMode(ReplicaMode.Draining, GatewayLoop.Steady);
        while (drained.Requests > 0) await Task.Delay(Look, stop);
        return "drained";
    }

    private ReplicaState? Find(ReplicaId id)
    {
        foreach (var route in state.Tables.Router.Table.Routes)
        {
            foreach (var replica in route.Replicas)
            {
                if (replica.Id == id) return replica;
            }
        }

        return null;
    }
}
