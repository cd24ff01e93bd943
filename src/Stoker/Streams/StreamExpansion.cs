using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Platform;
using Stoker.Streams.Serving;

namespace Stoker.Streams;

/// <summary>From <c>streams:</c> to a service for each. Pure.</summary>
internal static class StreamExpansion
{
    public static EstateSpec Expand(EstateSpec estate, SectionSource source)
    {
        if (source.Section is not { } section) return estate;
        var reader = new StreamsReader(estate, source);
        var services = new Dictionary<ServiceName, ServiceSpec>(estate.Services);
        var streams = new List<StreamSpec>();
        foreach (var (name, key, value) in section.Named())
        {
            if (services.ContainsKey(new ServiceName(name)))
            {
                source.Bag.Add(StreamDiagnostics.NameTaken, key.Where, $"stream `{name}` has the name of a service", "call one of them something else");
                continue;
            }

            var spec = reader.Read(name, value as MappingNode, key.Where);
            streams.Add(spec);
            services[spec.Name] = ServiceOf(spec);
        }

        return estate with { Services = services, Parts = [.. estate.Parts, new StreamsSpec(streams)] };
    }

    private static ServiceSpec ServiceOf(StreamSpec spec) => new(spec.Name, spec.Where)
    {
        Command = [ServiceSpec.OwnProgram, StreamProcess.Verb, "--state", "$(STOKER_STATE)", "--stream", spec.Name.Value],
        CommandWhere = spec.Where,
        Host = spec.Host,
        Ports = [new PortSpec(spec.Listen.Address.ToString(), spec.Listen.Port, null, spec.Listen.Port, "tcp", spec.Where) { Purpose = "http", ApplicationProtocol = "http" }],
        Environment = new[] { spec.PasswordVariable, spec.LogPasswordVariable }.OfType<string>().Distinct().ToDictionary(variable => variable, _ => new Positioned<string?>(null, spec.Where)),
        Healthcheck = new HealthcheckSpec(new ProbeSpec.Http(HealthOf(spec.Listen)), spec.Where) { Interval = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(5), StartPeriod = TimeSpan.FromSeconds(60) },
        Restart = new RestartSpec(RestartMode.Always) { MaxDelay = TimeSpan.FromSeconds(10) },
        StopGracePeriod = StreamProcess.DrainTime + TimeSpan.FromSeconds(10),
    };

    private static Uri HealthOf(IPEndPoint listen) => new($"http://{listen}/health");
}
