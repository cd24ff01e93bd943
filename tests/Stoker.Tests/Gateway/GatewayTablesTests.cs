using System.Net;
using Stoker.Gateway;
using Stoker.Gateway.Routing;
using Xunit;

namespace Stoker.Tests.Gateway;

public sealed class GatewayTablesTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_canary_gets_the_key_of_its_own_model_wherever_that_stands(bool isFirst)
    {
        var next = new RoutePlan("next", "openai") { Replicas = [new ReplicaAddress("next", 1, "10.0.0.2", 9000)] };
        var main = new RoutePlan("m", "openai") { Replicas = [new ReplicaAddress("m", 1, "10.0.0.1", 9000), new ReplicaAddress("next", 1, "10.0.0.2", 9000) { CanaryShare = 0.5 }] };
        var plan = new GatewayPlan("test", [], RequiresKeys: false) { Routes = isFirst ? [next, main] : [main, next] };
        var targets = GatewayTables.TargetsOf(plan, IPAddress.Parse, route => $"key of {route.Name}");
        Assert.Equal("key of next", targets[new ReplicaId("next", 1)].Key);
        Assert.Equal("key of m", targets[new ReplicaId("m", 1)].Key);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void What_is_loaded_on_request_is_not_asked_before_the_daemon_says_that_it_serves(bool onRequest, bool serves)
    {
        var plan = new GatewayPlan("test", [], RequiresKeys: false)
        {
            Routes = [new RoutePlan("m", "vllm") { Replicas = [new ReplicaAddress("m", 1, "10.0.0.1", 9000)], LoadsOnRequest = onRequest }],
        };
        var router = new Router(RouterOptions.Default, seed: 7);
        router.Apply(GatewayTables.RoutesOf(plan), 0);
        var replica = router.Table.Routes[0].Replicas[0];
        Assert.Equal(serves, replica.IsUsable);
        Assert.Equal(serves, replica.TryTake(1, 0, despiteEjection: false, out _));
        replica.SetMode(ReplicaMode.Serving, 1);
        Assert.True(replica.TryTake(1, 1, despiteEjection: false, out _));
    }
}
