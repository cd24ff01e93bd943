using System.Text;
using Stoker.Estates;
using Stoker.Tests.Architecture;
using Stoker.Tests.Estates;
using Xunit;

namespace Stoker.Tests.Models;

/// <summary>What each engine is started with, asked for its health by, and stood in for by. <c>UPDATE_GOLDEN=1</c> writes what is made now.</summary>
public sealed class EngineCommandTests
{
    private static readonly string Golden = Path.Combine(Repository.Root, "tests", "Stoker.Tests", "Models", "golden");

    [Fact]
    public void Each_engine_is_started_as_its_reference_says()
    {
        var estate = EstateText.Good(File.ReadAllText(Path.Combine(Golden, "engines.yaml")));
        var text = new StringBuilder();
        foreach (var service in estate.Services.Values) Print(text, service);
        var expected = Path.Combine(Golden, "engines.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(expected, text.ToString());
        Assert.Equal(File.ReadAllText(expected), text.ToString());
    }

    [Fact]
    public void An_engine_is_restarted_without_end_and_given_time_to_load_and_to_finish()
    {
        var service = EstateText.Good("models: {phi: {engine: vllm, path: /phi, load: {timeout: 20m}}}").Services[new ServiceName("phi")];
        Assert.Equal(RestartMode.Always, service.Restart.Mode);
        Assert.Null(service.Restart.MaxAttempts);
        Assert.Equal(TimeSpan.FromMinutes(20), service.Healthcheck!.StartPeriod);
        Assert.Equal(TimeSpan.FromSeconds(60), service.StopGracePeriod);
    }

    [Fact]
    public void What_the_owner_says_of_the_service_goes_before_what_the_engine_brings()
    {
        var service = EstateText.Good("""
            models:
              phi:
                engine: vllm
                path: /phi
                restart: on-failure:3
                stop_grace_period: 5s
                healthcheck: {http: "http://127.0.0.1:9000/ping"}
                environment: [A=b]
                resources: {limits: {memory: 8G}}
                replicas: 3
            """).Services[new ServiceName("phi")];
        Assert.Equal(new RestartSpec(RestartMode.OnFailure, 3), service.Restart);
        Assert.Equal(TimeSpan.FromSeconds(5), service.StopGracePeriod);
        Assert.Equal("/ping", Assert.IsType<ProbeSpec.Http>(service.Healthcheck!.Probe).Url.AbsolutePath);
        Assert.Equal("b", service.Environment["A"].Value);
        Assert.Equal(8L << 30, service.Resources.MemoryLimit!.Value.Bytes);
        Assert.Equal(3, service.Replicas);
    }

    private static void Print(StringBuilder text, ServiceSpec service)
    {
        text.Append($"{service.Name}\n  {Line(service.Command!)}\n");
        foreach (var (name, value) in service.Environment) text.Append($"  {name}={value.Value}\n");
        foreach (var port in service.Ports) text.Append($"  {port.Purpose}: {(port.HostIp is { } ip ? $"{ip} " : "")}{port.Published}\n");
        text.Append($"  healthy: {Probe(service.Healthcheck!.Probe)}\n");
        if (service.Simulation is { } simulation) text.Append($"  rehearsal: stoker {Line(simulation.Arguments)}\n  rehearsal healthy: {Probe(simulation.Healthcheck!.Probe)}\n");
        text.Append('\n');
    }

    private static string Line(IEnumerable<string> words) => string.Join(' ', words.Select(w => w.Length == 0 || w.Any(c => c is ' ' or '"') ? $"'{w}'" : w));

    private static string Probe(ProbeSpec probe) => probe switch
    {
        ProbeSpec.Http http => $"{http.Url} answers {http.Status}",
        ProbeSpec.Exec exec => Line(exec.Command),
        _ => probe.ToString(),
    };
}
