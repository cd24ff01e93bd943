using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;

namespace Stoker.Models;

/// <summary>From <c>models:</c> to services, and to the variables of the services that use models. Pure.</summary>
internal sealed class ModelExpansion
{
    private readonly EstateSpec _estate;
    private readonly SectionSource _source;
    private readonly GatewayAddress? _gateway;
    private readonly ModelService _services;
    private readonly List<(ModelSpec Spec, MappingNode Map)> _models = [];

    private ModelExpansion(EstateSpec estate, SectionSource source)
    {
        _estate = estate;
        _source = source;
        _gateway = GatewayAddress.Of(estate);
        _services = new ModelService(source, estate);
    }

    public static EstateSpec Expand(EstateSpec estate, SectionSource source) => new ModelExpansion(estate, source).Expand();

    private EstateSpec Expand()
    {
        var reader = new ModelReader(_source.Context, _source.Bag);
        foreach (var (key, name, value) in _source.Section.Named())
        {
            if (value is MappingNode map && reader.Read(key, name, map) is { } spec) _models.Add((spec, map));
        }

        if (_models.Count == 0) return _estate;
        var specs = _models.Select(m => m.Spec).ToList();
        new ModelChecks(_estate, specs, _source.Section!, _source.Bag).Check();
        var ports = ModelPorts.Of(specs, _estate.Services.Values, _source.Bag);
        var services = new Dictionary<ServiceName, ServiceSpec>(_estate.Services);
        foreach (var (spec, map) in _models.Where(m => m.Spec.IsSupervised))
        {
            if (ports.TryGetValue(spec.Key, out var port) && !services.ContainsKey(spec.Service)) services[spec.Service] = ServiceOf(spec, map, port);
        }

        var uses = new ModelUses(_estate, specs, services, _gateway, _services, _source.Bag);
        foreach (var service in _estate.Services.Values.Where(s => s.Models.Count > 0)) services[service.Name] = uses.Tell(service);
        ModelChecks.CheckWaiting(services.Values, services, _source.Bag);
        return _estate with { Services = services, Parts = [.. _estate.Parts, new ModelsSpec(specs)] };
    }

    private ServiceSpec ServiceOf(ModelSpec spec, MappingNode map, int port)
    {
        var service = _services.Make(spec, map, port, spec.Listen ?? "127.0.0.1");
        if (spec.Listen is not null || _services.HostOf(service) is not { Address: { } address } host) return service;
        // Whoever asks it from another machine: the gateway, or without one the services that use it.
        var askers = _gateway is not null ? [_gateway.Host] : _estate.Services.Values.Where(s => s.Models.Any(u => u.Model == spec.Key)).Select(s => _services.HostOf(s)?.Name);
        return askers.All(asker => asker is null || asker == host.Name) ? service : _services.Make(spec, map, port, Literal(address));
    }

    /// <summary>A host with a DNS name for an address listens everywhere: which of its addresses the name means is known only there.</summary>
    private static string Literal(string address) => System.Net.IPAddress.TryParse(address, out _) ? address : "0.0.0.0";
}
