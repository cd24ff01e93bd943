using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Daemon;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway;

/// <summary>How the gateway is at this moment: what it answers to <c>status</c> on its own socket, one line of JSON.</summary>
internal sealed record GatewayStatus(IReadOnlyList<RouteStatus> Models)
{
    /// <param name="now">Steady ticks.</param>
    public static GatewayStatus Of(RouteTable table, long now) => new([.. table.Routes.Select(route => Of(route, now))]);

    public string ToJson() => JsonSerializer.Serialize(this, GatewayStatusJson.Default.GatewayStatus);

    /// <summary>Asks the gateway of a state directory.</summary>
    /// <returns>Null: none answers.</returns>
    public static async Task<GatewayStatus?> AskAsync(StateDirectory state, CancellationToken cancel)
    {
        try
        {
            return await GatewaySocket.AskAsync(state, "status", cancel) is { } line ? JsonSerializer.Deserialize(line, GatewayStatusJson.Default.GatewayStatus) : null;
        }
        catch (JsonException)
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
