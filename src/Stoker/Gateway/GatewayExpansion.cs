using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Models;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>From <c>gateway:</c> to the service <c>gateway</c>, and to the hook by which each model is drained before it stops. Pure.</summary>
internal static class GatewayExpansion
{
    public static EstateSpec Expand(EstateSpec estate, SectionSource source)
    {
        if (source.Section is not { } section) return estate;
        if (estate.Services.TryGetValue(GatewaySpec.Service, out var taken))
        {
            source.Bag.Add(GatewayDiagnostics.NameTaken, taken.Where, "`gateway` is the name of the gateway's own service", "call this one something else");
            return estate;
        }

        var models = estate.Part<ModelsSpec>()?.Models ?? [];
        var spec = new GatewayReader(estate, source, [.. models.SelectMany(m => m.Aliases.Prepend(m.Name))]).Read(section);
        var supervised = models.Where(m => m.IsSupervised && estate.Services.ContainsKey(m.Service)).Select(m => estate.Services[m.Service]).ToList();
        var services = new Dictionary<ServiceName, ServiceSpec>(estate.Services);
        foreach (var model in supervised.Where(m => IsBeside(m, spec, estate))) services[model.Name] = model with { PreStop = [.. model.PreStop, Drain(model)] };
        services[GatewaySpec.Service] = ServiceOf(spec, supervised.Where(m => IsBeside(m, spec, estate)));
        return estate with { Services = services, Parts = [.. estate.Parts, spec] };
    }

    /// <summary>On the gateway's own host: only there can it be asked.</summary>
    private static bool IsBeside(ServiceSpec model, GatewaySpec gateway, EstateSpec estate)
    {
        var host = model.Host?.Value ?? (model.Group is { } group ? estate.Groups.GetValueOrDefault(group.Value)?.Host : null);
        return estate.Hosts.Count <= 1 || host == gateway.Host;
    }

    private static ServiceSpec ServiceOf(GatewaySpec spec, IEnumerable<ServiceSpec> models) => new(GatewaySpec.Service, spec.Where)
    {
        Command = [ServiceSpec.OwnProgram, GatewayProcess.Verb, "--state", "$(STOKER_STATE)"],
        CommandWhere = spec.Where,
        Host = spec.Host is { } host ? new Positioned<HostName>(host, spec.Where) : null,
        Ports = [.. spec.Listen.Select(l => new PortSpec(l.Value.Address.ToString(), l.Value.Port, null, l.Value.Port, "tcp", l.Where) { Purpose = "http", ApplicationProtocol = "http" })],
        Environment = new Dictionary<string, Positioned<string?>>(BusyRuntime.Settings(spec.Where))
        {
            // A request leaves little behind: so much lasts for seconds under the heaviest load, and the runtime's own bound would only be memory.
            ["DOTNET_GCGen0MaxBudget"] = new("0x1000000", spec.Where),
        },
        Healthcheck = new HealthcheckSpec(new ProbeSpec.Http(HealthOf(spec)), spec.Where)
        {
            Interval = TimeSpan.FromSeconds(10),
            Timeout = TimeSpan.FromSeconds(5),
            StartPeriod = TimeSpan.FromSeconds(30),
        },
        Restart = new RestartSpec(RestartMode.Always) { MaxDelay = TimeSpan.FromSeconds(10) },
        StopGracePeriod = GatewayProcess.DrainTime + TimeSpan.FromSeconds(10),
        Reload = new ReloadSpec(Signals.Hangup, null, spec.Where),

        // Started after the models only so that it is stopped before them: what it is answering can end.
        DependsOn = models.Where(m => !m.StartsOnRequest).ToDictionary(
            m => m.Name, m => new DependencySpec(m.Name, DependencyCondition.Started, Restart: false, Required: false, spec.Where)),
    };

    private static Uri HealthOf(GatewaySpec spec)
    {
        var address = spec.Listen[0].Value;
        var host = address.Address.Equals(IPAddress.Any) ? "127.0.0.1" : address.Address.Equals(IPAddress.IPv6Any) ? "[::1]"
            : address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address.Address}]" : address.Address.ToString();
        return new Uri($"http://{host}:{address.Port}/health");
    }

    private static HookSpec Drain(ServiceSpec model) => new(["$(STOKER)", GatewayDrain.Verb], null, null, new Dictionary<string, string>(), model.Where);
}
