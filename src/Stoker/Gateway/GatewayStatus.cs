using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway;

/// <summary>How the gateway is at this moment: what it answers to <c>status</c> on its own socket, one line of JSON.</summary>
internal sealed record GatewayStatus(IReadOnlyList<RouteStatus> Models)
{
    /// <summary>A gateway that hangs is not waited for; it answers within milliseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <param name="now">Steady ticks.</param>
    public static GatewayStatus Of(RouteTable table, long now) => new([.. table.Routes.Select(route => Of(route, now))]);

    public string ToJson() => JsonSerializer.Serialize(this, GatewayStatusJson.Default.GatewayStatus);

    /// <summary>Asks the gateway of a state directory.</summary>
    /// <returns>Null: none answers.</returns>
    public static async Task<GatewayStatus?> AskAsync(StateDirectory state, CancellationToken cancel)
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
            await stream.WriteAsync("status\n"u8.ToArray(), patience.Token);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return await reader.ReadLineAsync(patience.Token) is { } line ? JsonSerializer.Deserialize(line, GatewayStatusJson.Default.GatewayStatus) : null;
        }
        catch (Exception absent) when (absent is SocketException or IOException or JsonException || (absent is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return null;
        }
    }

    private static RouteStatus Of(Route route, long now)
    {
        var replicas = new List<RoutedReplica>();
        foreach (var replica in route.Replicas)
        {
            replicas.Add(new RoutedReplica(replica.Id.Service, replica.Id.Index, replica.Requests)
            {
                Mode = Word(replica.Mode),
                Health = Word(replica.Health.PhaseAt(now)),
            });
        }

        return new RouteStatus(route.Spec.Name.Value, route.Life.Queue.Waiting, replicas);
    }

    private static string Word(ReplicaMode mode) => mode switch
    {
        ReplicaMode.Serving => "serving",
        ReplicaMode.Loading => "loading",
        ReplicaMode.Asleep => "asleep",
        ReplicaMode.Draining => "draining",
    };

    private static string Word(HealthPhase phase) => phase switch
    {
        HealthPhase.Well => "well",
        HealthPhase.Ejected => "ejected",
        HealthPhase.Trial => "trial",
    };
}

/// <param name="Name">What clients call the model.</param>
/// <param name="Waiting">Requests without a place.</param>
/// <param name="Replicas">Canaries of the model too, which are replicas of another one.</param>
internal sealed record RouteStatus(string Name, int Waiting, IReadOnlyList<RoutedReplica> Replicas);

/// <param name="InFlight">Requests of this route that it works on.</param>
internal sealed record RoutedReplica(string Service, int Index, int InFlight)
{
    public string Mode { get; init; } = "";

    public string Health { get; init; } = "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(GatewayStatus))]
internal sealed partial class GatewayStatusJson : JsonSerializerContext;
