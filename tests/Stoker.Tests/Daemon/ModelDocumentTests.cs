using Stoker.Daemon;
using Stoker.Estates;
using Stoker.Gateway;
using Stoker.Planning;
using Stoker.Supervision;
using Stoker.Tests.Estates;
using Stoker.Tests.Planning;
using Xunit;

namespace Stoker.Tests.Daemon;

/// <summary>The plan, what is known of its services, and what the gateway says, in one document.</summary>
public sealed class ModelDocumentTests
{
    private const string Yaml = "models: {a: {engine: simulator, name: org/a, replicas: 2}, b: {engine: simulator, canary: {of: a, share: 5}}, far: {url: \"http://10.0.0.9/v1\"}}";

    private static readonly Dictionary<ServiceName, ServiceStatus> Statuses = new()
    {
        [new("a")] = new(new("a"), ServiceState.Starting, DateTimeOffset.UnixEpoch)
        {
            Replicas = [new(1, ServiceState.Healthy, DateTimeOffset.UnixEpoch), new(2, ServiceState.Starting, DateTimeOffset.UnixEpoch)],
        },
    };

    [Fact]
    public void Requests_are_counted_where_they_are_worked_on_those_of_a_canary_with_the_canary()
    {
        var gateway = new GatewayStatus(
        [
            new("org/a", 3, [Routed("a", 1, 4), Routed("a", 2, 0), Routed("b", 1, 2) with { Mode = "draining" }]),
            new("b", 0, [Routed("b", 1, 1)]),
            new("far", 0, [Routed("far", 1, 5)]),
        ]);
        var models = ModelEndpoints.Document("box", Plan(), Statuses, gateway).Models;
        Assert.Equal([(4, 3), (3, 0), (5, 0)], models.Select(m => (m.InFlight!.Value, m.Waiting!.Value)));
        Assert.Equal([4, 0], models[0].Servers.Select(s => s.InFlight!.Value));
        Assert.Equal("serving", Assert.Single(models[1].Servers).Mode);
    }

    [Fact]
    public void Each_replica_says_whether_it_has_the_model_and_one_elsewhere_says_nothing()
    {
        var models = ModelEndpoints.Document("box", Plan(), Statuses, null).Models;
        Assert.Equal([true, false], models[0].Servers.Select(s => s.Loaded!.Value));
        Assert.Equal(1, models[0].Loaded);
        Assert.Null(Assert.Single(models[2].Servers).Loaded);
        Assert.All(models, m => Assert.True(m.InFlight is null && m.Waiting is null));
    }

    private static RoutedReplica Routed(string service, int index, int requests) => new(service, index, requests) { Mode = "serving", Health = "well" };

    private static EstatePlan Plan()
    {
        var estate = EstateText.Good(Yaml);
        return Planner.Plan(estate, new PlanRequest(), Plans.Machine(estate, []));
    }
}
