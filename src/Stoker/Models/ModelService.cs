using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;

namespace Stoker.Models;

/// <summary>
/// Makes the supervised service of a model. What the model says in a service's own words (<c>host</c>, <c>environment</c>,
/// <c>restart</c>, …) is read by the services' own readers.
/// </summary>
internal sealed class ModelService(SectionSource source, EstateSpec estate)
{
    /// <summary>Weights are unmapped and answers finished before it is killed.</summary>
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(60);

    /// <summary>Reading the prompt of a long request can keep an engine from answering for some seconds.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(15);

    public ServiceSpec Make(ModelSpec model, MappingNode map, int port, string listen)
    {
        var told = ServiceReader.Read(Told(model, map), estate.Secrets);
        var gpu = told.Resources.Gpus.Count > 0 ? told.Resources.Gpus[0] : null;
        if (map.Find("command") is not null) model = model with { Command = told.Command };
        var start = EngineCommands.Of(model, port, listen, gpu, ShareOf(model, told, gpu));
        var healthcheck = told.Healthcheck ?? Loaded(model, map, start.Probe);
        return told with
        {
            Command = start.Words,
            CommandWhere = (map.Find("command") ?? map.Find("engine"))?.Where ?? model.Where,
            Environment = EnvironmentOf(start, told, model.Where),
            Ports = [Port(port, "http", listen, model.Where), .. start.FurtherPorts.Select(p => Port(p.Port, p.Purpose, null, model.Where))],
            Healthcheck = healthcheck,
            Restart = map.Find("restart") is null && map.Find("restart_policy") is null ? Restart : told.Restart,
            StopGracePeriod = map.Duration("stop_grace_period") ?? DefaultGrace,
            StartsOnRequest = model.Load.Policy == LoadPolicy.OnRequest,
            Simulation = model.Engine == EngineKind.Simulator ? null : EngineCommands.Simulation(model, healthcheck, port),
        };
    }

    /// <summary>An engine that ends, for whatever reason, is started again; one that cannot load (out of memory, files broken) ever more slowly.</summary>
    private static RestartSpec Restart { get; } = new(RestartMode.Always) { Delay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromMinutes(2), Window = TimeSpan.FromMinutes(1) };

    /// <summary>The model's mapping as a service would have it.</summary>
    private ServiceSource Told(ModelSpec model, MappingNode map)
    {
        var entries = map.Entries.Where(e => ModelKeys.OfServices.Contains(e.Key.Value)).ToList();
        // The engine's words come later; a service has to have some.
        entries.Add(Entry("command", map.Find("command") ?? Sequence(ServiceSpec.OwnProgram)));
        if (map.Find("gpu") is { } gpu) entries.Add(Entry("gpu", gpu));
        List<KeyValuePair<ScalarNode, Node>> deploy = [];
        if (map.Find("replicas") is { } replicas) deploy.Add(Entry("replicas", replicas));
        if (map.Find("resources") is { } resources) deploy.Add(Entry("resources", resources));
        if (deploy.Count > 0) entries.Add(Entry("deploy", new MappingNode(deploy, map.Where)));
        return new ServiceSource(model.Service, model.Where, new MappingNode(entries, map.Where), source.Context, source.Bag) { Noun = "model" };

        KeyValuePair<ScalarNode, Node> Entry(string key, Node value) => KeyValuePair.Create(new ScalarNode(key, Plain: true, value.Where), value);

        SequenceNode Sequence(string word) => new([new ScalarNode(word, Plain: true, map.Where)], map.Where);
    }

    private static HealthcheckSpec Loaded(ModelSpec model, MappingNode map, ProbeSpec probe) => new(probe, map.Where)
    {
        Interval = TimeSpan.FromSeconds(10),
        // An exec probe loads the model itself, and may fetch it before.
        Timeout = probe is ProbeSpec.Exec ? model.Load.Timeout : ProbeTimeout,
        Retries = 3,
        StartPeriod = model.Load.Timeout,
        StartInterval = TimeSpan.FromSeconds(1),
    };

    private static Dictionary<string, Positioned<string?>> EnvironmentOf(EngineStart start, ServiceSpec told, SourcePosition where)
    {
        var environment = new Dictionary<string, Positioned<string?>>();
        foreach (var (name, value) in start.Environment) environment[name] = new Positioned<string?>(value, where);
        foreach (var (name, value) in told.Environment) environment[name] = value;
        return environment;
    }

    private static PortSpec Port(int port, string purpose, string? listen, SourcePosition where) =>
        new(listen, port, null, port, "tcp", where) { Purpose = purpose, ApplicationProtocol = purpose == "http" ? "http" : null };

    /// <summary>
    /// Of engines that take nine tenths of a card unless told otherwise, the part that the plan gives them; it can be told only where
    /// the size of the cards is declared.
    /// </summary>
    private double? ShareOf(ModelSpec model, ServiceSpec told, GpuRequest? gpu)
    {
        string[] flags = model.Engine switch
        {
            EngineKind.Vllm => ["--gpu-memory-utilization", "--kv-cache-memory-bytes"],
            EngineKind.Sglang => ["--mem-fraction-static"],
            EngineKind.Tgi => ["--cuda-memory-fraction"],
            _ => [],
        };
        if (flags.Length == 0 || gpu is not { Memory: { } memory } || model.Arguments.Any(a => flags.Any(f => a == f || a.StartsWith(f + "=", StringComparison.Ordinal)))) return null;
        var cards = HostOf(told) is { } host ? host.Gpus : [];
        if (cards.Count > 0 && cards.Min(c => c.Memory?.Bytes ?? 0) is > 0 and var card) return Math.Floor(100.0 * memory.Bytes / card) is >= 1 and <= 100 and var percent ? percent / 100 : null;
        source.Bag.Add(ModelDiagnostics.GpuMemory, gpu.Where,
            $"model `{model.Key}` is planned with {memory} on each GPU, and its engine is not told: the memory of the GPU is not declared, and the engine takes most of it",
            $"declare `memory` of the GPUs in `hosts`, or add `{flags[0]}` to `args`");
        return null;
    }

    public HostSpec? HostOf(ServiceSpec service)
    {
        var name = service.Host?.Value ?? (service.Group is { } group ? estate.Groups.GetValueOrDefault(group.Value)?.Host : null);
        return name is null ? (estate.Hosts.Count == 1 ? estate.Hosts.Values.First() : null) : estate.Hosts.GetValueOrDefault(name);
    }
}
