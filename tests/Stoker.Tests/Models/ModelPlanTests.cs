using Stoker.Estates;
using Stoker.Models;
using Stoker.Planning;
using Stoker.Tests.Estates;
using Stoker.Tests.Planning;
using Xunit;

namespace Stoker.Tests.Models;

/// <summary>What whoever routes requests is told.</summary>
public sealed class ModelPlanTests
{
    [Fact]
    public void Every_replica_has_its_port()
    {
        var model = Assert.Single(Of("models: {phi: {engine: vllm, path: /phi, port: 9000, replicas: 3, aliases: [small]}}"));
        Assert.Equal(["http://127.0.0.1:9000/v1", "http://127.0.0.1:9001/v1", "http://127.0.0.1:9002/v1"], model.Replicas.Select(r => r.Url));
        Assert.Equal([1, 2, 3], model.Replicas.Select(r => r.Index));
        Assert.Equal(["phi", "small"], model.UpstreamNames);
        Assert.Equal(new ServiceName("phi"), model.Service);
    }

    [Fact]
    public void A_scaled_model_has_as_many_as_it_is_scaled_to()
    {
        var plan = Plan("models: {phi: {engine: vllm, path: /phi}}", new PlanRequest { Scale = new Dictionary<ServiceName, int> { [new("phi")] = 2 } });
        Assert.Equal(2, Assert.Single(ModelPlan.Of(plan)).Replicas.Count);
    }

    [Fact]
    public void What_runs_elsewhere_has_its_own_name_path_and_key()
    {
        var model = Assert.Single(Of("""
            models: {m: {url: ["http://10.0.0.9:8000/v1", {url: "https://[2001:db8::1]/openai/v1/", weight: 3}], model: gpt-x, aliases: [best], api_key: {environment: KEY}}}
            """));
        Assert.Null(model.Service);
        Assert.Equal(["gpt-x"], model.UpstreamNames);
        Assert.Equal(["http://10.0.0.9:8000/v1", "https://[2001:db8::1]:443/openai/v1"], model.Replicas.Select(r => r.Url));
        Assert.Equal([1, 3], model.Replicas.Select(r => r.Weight));
        Assert.Equal(new ApiKeySpec(null, "KEY"), model.ApiKey);
    }

    [Fact]
    public void Fallbacks_and_canaries_are_told_by_the_names_that_clients_use()
    {
        var models = Of("models: {a: {engine: simulator, name: org/a, fallbacks: [b]}, b: {engine: simulator, name: org/b, canary: {of: a, share: 5}}}");
        Assert.Equal(["org/b"], models[0].Fallbacks);
        Assert.Equal("org/a", models[1].CanaryOf);
        Assert.Equal(0.05, models[1].CanaryShare);
    }

    [Fact]
    public void A_model_has_the_floor_that_it_says_and_else_ten_tokens_per_second()
    {
        var models = Of("models: {a: {engine: simulator, check: {floor: 2.5}}, b: {engine: simulator}, c: {url: \"http://10.0.0.9/v1\", check: {floor: 0}}}");
        Assert.Equal([2.5, 10, 0], models.Select(m => m.Floor));
    }

    [Fact]
    public void In_a_rehearsal_the_simulator_is_here_whatever_the_host_is()
    {
        const string yaml = "hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}}\ngateway: {host: b}\nmodels: {m: {engine: vllm, path: /m, host: a, port: 9000}}";
        var rehearsed = Assert.Single(ModelPlan.Of(Plan(yaml, new PlanRequest { Rehearse = true }, "vllm")));
        Assert.Equal("http://127.0.0.1:9000/v1", Assert.Single(rehearsed.Replicas).Url);
        Assert.Equal("`vllm` is not installed", rehearsed.StandIn);
        var real = Assert.Single(ModelPlan.Of(Plan(yaml, new PlanRequest { Host = new("b") })));
        Assert.Equal("http://10.0.0.1:9000/v1", Assert.Single(real.Replicas).Url);
    }

    [Fact]
    public void A_model_of_a_profile_that_is_not_active_is_not_there()
    {
        const string yaml = "models: {m: {engine: simulator, profiles: [big]}}";
        Assert.Empty(Of(yaml));
        Assert.Single(ModelPlan.Of(Plan(yaml, new PlanRequest { Profiles = Plans.Set("big") })));
    }

    private static IReadOnlyList<ModelPlan> Of(string yaml) => ModelPlan.Of(Plan(yaml, new PlanRequest()));

    private static EstatePlan Plan(string yaml, PlanRequest request, params string[] missing)
    {
        var estate = EstateText.Good(yaml);
        var plan = Planner.Plan(estate, request, Plans.Machine(estate, missing));
        Assert.False(plan.IsRefused, string.Join('\n', plan.Diagnostics));
        return plan;
    }
}
