using Stoker.Estates;
using Stoker.Models;
using Stoker.Tests.Estates;
using Xunit;

namespace Stoker.Tests.Models;

/// <summary>What <c>models:</c> makes of an estate.</summary>
public sealed class ModelExpansionTests
{
    private const string Two = """
        hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}}

        """;

    [Fact]
    public void A_model_becomes_a_service_of_its_name_and_what_runs_elsewhere_does_not()
    {
        var estate = EstateText.Good("models: {phi: {engine: vllm, path: /phi}, far: {url: \"http://10.0.0.9:8000/v1\"}}");
        Assert.Equal(["phi"], estate.Services.Keys.Select(n => n.Value));
        Assert.Equal(["phi", "far"], estate.Part<ModelsSpec>()!.Models.Select(m => m.Key));
    }

    [Fact]
    public void An_estate_without_models_stays_as_it_is() => Assert.Null(EstateText.Good("services: {a: {command: b}}").Part<ModelsSpec>());

    [Fact]
    public void A_service_is_told_the_gateway_and_the_name_that_clients_use()
    {
        var app = App("gateway: {listen: \"127.0.0.1:8080\"}\nmodels: {phi-3: {engine: vllm, path: /phi, name: org/phi}}", "models: [phi-3]");
        Assert.Equal("http://127.0.0.1:8080/v1", app.Environment["PHI_3_URL"].Value);
        Assert.Equal("org/phi", app.Environment["PHI_3_MODEL"].Value);
    }

    [Fact]
    public void Without_a_gateway_it_is_told_the_engine_itself_and_the_name_that_the_engine_knows()
    {
        var app = App("models: {o: {engine: ollama, model: qwen3, port: 9000}}", "models: {o: {endpoint_var: AT, model_var: NAMED}}");
        Assert.Equal("http://127.0.0.1:9000/v1", app.Environment["AT"].Value);
        Assert.Equal("qwen3", app.Environment["NAMED"].Value);
    }

    [Fact]
    public void What_runs_elsewhere_is_told_as_it_was_written() =>
        Assert.Equal("https://api.example.com/v1", App("models: {m: {url: \"https://api.example.com/v1/\"}}", "models: [m]").Environment["M_URL"].Value);

    [Fact]
    public void A_variable_that_the_service_declares_itself_stays() =>
        Assert.Equal("http://mine", App("models: {m: {engine: vllm, path: /m}}", "models: [m]\nenvironment: {M_URL: http://mine}").Environment["M_URL"].Value);

    [Fact]
    public void Using_a_model_is_not_waiting_for_it() => Assert.Empty(App("models: {m: {engine: vllm, path: /m}}", "models: [m]").DependsOn);

    [Fact]
    public void A_service_may_wait_until_a_model_is_loaded() =>
        Assert.Equal(DependencyCondition.Healthy, App("models: {m: {engine: vllm, path: /m}}", "depends_on: {m: {condition: service_healthy}}").DependsOn[new ServiceName("m")].Condition);

    [Theory]
    [InlineData("gateway: {host: a}\nmodels: {m: {engine: vllm, path: /m, host: a}}", "127.0.0.1")]
    [InlineData("gateway: {host: b}\nmodels: {m: {engine: vllm, path: /m, host: a}}", "10.0.0.1")]
    [InlineData("models: {m: {engine: vllm, path: /m, host: a}}\nservices: {app: {command: x, host: b, models: [m]}}", "10.0.0.1")]
    [InlineData("models: {m: {engine: vllm, path: /m, host: a}}\nservices: {app: {command: x, host: a, models: [m]}}", "127.0.0.1")]
    [InlineData("gateway: {host: b}\nmodels: {m: {engine: vllm, path: /m, host: a, listen: 0.0.0.0}}", "0.0.0.0")]
    public void An_engine_listens_where_somebody_asks_it_from(string yaml, string expected) =>
        Assert.Equal(expected, EstateText.Good(Two + yaml).Services[new ServiceName("m")].Ports[0].HostIp);

    [Fact]
    public void A_service_on_another_host_is_told_the_address_of_the_gateways_host()
    {
        var estate = EstateText.Good(Two + "gateway: {host: a, listen: \"0.0.0.0:8000\"}\nmodels: {m: {engine: vllm, path: /m, host: a}}\nservices: {app: {command: x, host: b, models: [m]}}");
        Assert.Equal("http://10.0.0.1:8000/v1", estate.Services[new ServiceName("app")].Environment["M_URL"].Value);
    }

    [Fact]
    public void A_port_that_is_given_out_does_not_depend_on_the_other_models()
    {
        var alone = PortOf(EstateText.Good("models: {phi: {engine: vllm, path: /phi}}"), "phi");
        var among = PortOf(EstateText.Good("models: {a: {engine: vllm, path: /a}, b: {engine: simulator}, phi: {engine: vllm, path: /phi}}"), "phi");
        Assert.Equal(alone, among);
        Assert.InRange(alone, ModelPorts.First, ModelPorts.Last);
    }

    [Fact]
    public void A_port_that_is_given_out_is_not_one_of_a_service()
    {
        var port = PortOf(EstateText.Good("models: {phi: {engine: vllm, path: /phi}}"), "phi");
        var estate = EstateText.Good($"models: {{phi: {{engine: vllm, path: /phi}}}}\nservices: {{web: {{command: x, ports: [\"{port + 3}\"]}}}}");
        Assert.NotEqual(port, PortOf(estate, "phi"));
    }

    [Fact]
    public void A_model_on_request_is_planned_and_not_started()
    {
        var estate = EstateText.Good("models: {phi: {engine: vllm, path: /phi, load: {policy: on_request}}}");
        Assert.True(estate.Services[new ServiceName("phi")].StartsOnRequest);
    }

    private static int PortOf(EstateSpec estate, string model) => estate.Services[new ServiceName(model)].Ports[0].Published!.Value;

    private static ServiceSpec App(string sections, string keys) => EstateText.Good($"{sections}\n{EstateText.ServiceYaml("app", "command: run", keys)}").Services[new ServiceName("app")];
}
