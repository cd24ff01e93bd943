using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Models;

/// <summary>
/// Tells services where the models are that they use, by the variables that Compose names: the gateway's address and the model's name, or
/// without a gateway the address of what serves it.
/// </summary>
internal sealed class ModelUses(
    EstateSpec estate,
    IReadOnlyList<ModelSpec> models,
    IReadOnlyDictionary<ServiceName, ServiceSpec> services,
    GatewayAddress? gateway,
    ModelService hosts,
    DiagnosticBag bag)
{
    public ServiceSpec Tell(ServiceSpec service)
    {
        var environment = new Dictionary<string, Positioned<string?>>(service.Environment);
        foreach (var use in service.Models)
        {
            if (models.FirstOrDefault(m => m.Key == use.Model) is not { } model || UrlFor(service, model, use.Where) is not { } url) continue;
            // What the service declares itself goes first, as everywhere.
            environment.TryAdd(use.EndpointVariable!, new Positioned<string?>(url, use.Where));
            environment.TryAdd(use.ModelVariable!, new Positioned<string?>(gateway is null ? EngineCommands.NamesOf(model)[0] : model.Name, use.Where));
        }

        return service with { Environment = environment };
    }

    private string? UrlFor(ServiceSpec service, ModelSpec model, SourcePosition where)
    {
        if (gateway is not null) return Url(service, gateway.Listen, gateway.Port, gateway.Host, where);
        if (!model.IsSupervised) return model.Upstreams[0].Url.AbsoluteUri.TrimEnd('/');
        if (!services.TryGetValue(model.Service, out var engine) || engine.Ports is not [var port, ..]) return null;
        return Url(service, port.HostIp ?? "127.0.0.1", port.Published!.Value, hosts.HostOf(engine)?.Name, where);
    }

    private string Url(ServiceSpec service, string listen, int port, HostName? at, SourcePosition where)
    {
        var own = hosts.HostOf(service)?.Name;
        var elsewhere = at is not null && own is not null && at != own;
        var address = ModelPlan.Reachable(listen);
        if (elsewhere || (service.IsContainer && address == "127.0.0.1"))
            address = (at is null ? null : estate.Hosts.GetValueOrDefault(at)?.Address) ?? (service.IsContainer ? "host.containers.internal" : address);
        if (service.IsContainer && !SharesNetwork(service) && System.Net.IPAddress.TryParse(listen, out var ip) && System.Net.IPAddress.IsLoopback(ip))
        {
            bag.Add(ModelDiagnostics.Unreachable, where,
                $"service `{service.Name}` is a container and is told http://{address}:{port}/v1, where nobody answers: {(gateway is null ? "the model" : "the gateway")} listens on {listen} only",
                $"{(gateway is null ? "give the model `listen: 0.0.0.0`" : "let the gateway listen on an address of the host too")}, or give the service `network_mode: host`");
        }

        return $"http://{(address.Contains(':') ? $"[{address}]" : address)}:{port}/v1";
    }

    private static bool SharesNetwork(ServiceSpec service) =>
        service.ContainerOptions.Any(o => o is "--network=host") || service.ContainerOptions.Zip(service.ContainerOptions.Skip(1)).Any(pair => pair is ("--network", "host"));
}
