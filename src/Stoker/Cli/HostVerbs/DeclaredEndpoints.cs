using Stoker.Estates;
using Stoker.Hosts.Facts;
using Stoker.Models;

namespace Stoker.Cli.HostVerbs;

/// <summary>What an estate declares on other machines: the ports of services on other hosts, and models that run elsewhere.</summary>
internal static class DeclaredEndpoints
{
    private const int Ssh = 22;

    /// <param name="self">The host that this machine is; null: not said, and then each host with an address is tried.</param>
    public static IReadOnlyList<DeclaredEndpoint> Of(EstateSpec estate, HostName? self)
    {
        var endpoints = new List<DeclaredEndpoint>();
        foreach (var host in estate.Hosts.Values)
        {
            if (host.Name == self || host.Address is not { } address) continue;
            var ports = estate.Services.Values.Where(s => HostOf(s, estate) == host.Name).SelectMany(s => s.Ports)
                .Where(p => p is { Protocol: "tcp", Published: > 0 }).Select(p => p.Published!.Value).Distinct().ToList();
            // Nothing is declared there that listens: whether the machine answers at all is told by a refusal, too.
            if (ports.Count == 0) ports.Add(Ssh);
            endpoints.AddRange(ports.Select(port => new DeclaredEndpoint($"hosts.{host.Name}", address, port)));
        }

        foreach (var model in estate.Part<ModelsSpec>()?.Models ?? [])
        {
            endpoints.AddRange(model.Upstreams.Select(u => new DeclaredEndpoint($"models.{model.Key}", u.Url.Host, u.Url.Port)));
        }

        return [.. endpoints.Distinct()];
    }

    private static HostName? HostOf(ServiceSpec service, EstateSpec estate) =>
        service.Host?.Value ?? (service.Group is { } group && estate.Groups.TryGetValue(group.Value, out var spec) ? spec.Host : null);
}
