using System.Globalization;
using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Keys;
using Stoker.Planning;
using Stoker.Streams.Serving;

namespace Stoker.Streams;

/// <summary>From <c>streams:</c> to a service for each. Pure, but that schemas are read from their files.</summary>
internal static class StreamExpansion
{
    public static EstateSpec Expand(EstateSpec estate, SectionSource source)
    {
        DeclaredKeyReader.CheckStreams((estate.Sections.GetValueOrDefault("gateway") as MappingNode).Map("keys"), [.. source.Section.Named().Select(stream => stream.Name)], source.Bag);
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
            services[spec.Name] = ServiceOf(estate, spec);
        }

        return estate with { Services = services, Parts = [.. estate.Parts, new StreamsSpec(streams)] };
    }

    private static ServiceSpec ServiceOf(EstateSpec estate, StreamSpec spec) => new(spec.Name, spec.Where)
    {
        Command = [ServiceSpec.OwnProgram, StreamProcess.Verb, "--state", "$(STOKER_STATE)", "--stream", spec.Name.Value],
        CommandWhere = spec.Where,
        Host = spec.Host,
        Ports = [new PortSpec(spec.Listen.Address.ToString(), spec.Listen.Port, null, spec.Listen.Port, "tcp", spec.Where) { Purpose = "http", ApplicationProtocol = "http" }],
        Environment = EnvironmentOf(estate, spec),
        Healthcheck = new HealthcheckSpec(new ProbeSpec.Http(HealthOf(spec.Listen)), spec.Where)
        {
            Interval = TimeSpan.FromSeconds(10),
            Timeout = TimeSpan.FromSeconds(5),
            StartPeriod = TimeSpan.FromSeconds(60),
        },
        Restart = new RestartSpec(RestartMode.Always) { MaxDelay = TimeSpan.FromSeconds(10) },
        StopGracePeriod = StreamProcess.DrainTime + TimeSpan.FromSeconds(10),
    };

    /// <summary>The variables of the daemon's environment that its process needs.</summary>
    private static IEnumerable<string> SecretsOf(StreamSpec spec) =>
    [
        .. new[] { spec.PasswordVariable, spec.LogPasswordVariable }.OfType<string>(),
        .. spec.Archive is { } archive && archive.To.StartsWith("s3://", StringComparison.Ordinal) ? archive.Variables : [],
    ];

    /// <summary>What stands in its plan is known by its hash, so that another plan is another service, which `up` starts anew.</summary>
    private static Dictionary<string, Positioned<string?>> EnvironmentOf(EstateSpec estate, StreamSpec spec)
    {
        var hash = Fnv.Of(StreamPlan.Of(estate, spec).ToJson()).ToString("x16", CultureInfo.InvariantCulture);
        var variables = new Dictionary<string, Positioned<string?>>(BusyRuntime.Settings(spec.Where)) { ["STOKER_STREAM_PLAN"] = new(hash, spec.Where) };
        foreach (var secret in SecretsOf(spec)) variables[secret] = new Positioned<string?>(null, spec.Where);
        return variables;
    }

    /// <summary>Where it is asked from this machine.</summary>
    private static Uri HealthOf(IPEndPoint listen)
    {
        var address = listen.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : listen.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : listen.Address;
        return new Uri($"http://{new IPEndPoint(address, listen.Port)}/health");
    }
}
