using System.Net;
using Stoker.Estates;
using Stoker.Probes;

namespace Stoker.StandIns;

/// <summary>The healthcheck of a stand-in.</summary>
/// <param name="Check">Null: none was declared, and none is needed.</param>
/// <param name="Note">What differs from the declared one, in words; null when it is the same.</param>
/// <param name="Line">A line that the stand-in must write for it.</param>
internal sealed record StandInHealth(HealthcheckSpec? Check, string? Note, string? Line = null);

/// <summary>Makes a stand-in from the declaration of the service it replaces. Pure.</summary>
internal static class StandInSpec
{
    /// <summary>
    /// Variables for the process of a stand-in: its heap never needs more than this, and a runtime that knows reserves and
    /// keeps less.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["DOTNET_GCHeapHardLimit"] = "0x2000000",
        ["DOTNET_TieredCompilation"] = "1",
    };

    /// <param name="ports">The published TCP ports of this replica: as declared, and as it has them.</param>
    /// <param name="address">Where it listens for ports that name no address.</param>
    /// <param name="completes">Others wait for its successful completion.</param>
    public static StandInOptions For(
        ServiceSpec service, int replica, IReadOnlyList<(int Declared, int Actual)> ports, string why, bool completes, string address = "127.0.0.1")
    {
        var health = HealthcheckFor(service, ports);
        return new StandInOptions(service.Name.Value, replica, why)
        {
            Ports = Endpoints(service, ports, health.Check?.Probe, IPAddress.Parse(address)),
            Line = health.Line,
            Status = health.Check?.Probe is ProbeSpec.Http { Status: { } status } ? status : 200,
            Completes = completes,
            StopSignal = service.StopSignal,
            ReloadSignal = service.Reload?.Signal ?? 1,
        };
    }

    /// <summary>
    /// The declared healthcheck where a stand-in can answer it. Where it cannot (a command of the missing image, TLS, a pattern that
    /// no line can be made for), a connection to the service's first port, or else the stand-in's own word that it is ready.
    /// Times and retries stay as declared.
    /// </summary>
    public static StandInHealth HealthcheckFor(ServiceSpec service, IReadOnlyList<(int Declared, int Actual)> ports) =>
        service.Healthcheck switch
        {
            null or { Probe: ProbeSpec.None } => new StandInHealth(service.Healthcheck, null),
            { Probe: ProbeSpec.Notify } told => new StandInHealth(told, null),
            { Probe: ProbeSpec.Tcp { Held: not null } held } asked => HealthcheckFor(service with { Healthcheck = asked with { Probe = held with { Held = null } } }, ports),
            { Probe: ProbeSpec.Tcp tcp } asked => ProbeTarget.IsThisMachine(tcp.Host)
                ? new StandInHealth(asked, null)
                : Here(asked, tcp with { Host = "127.0.0.1" }, tcp.Host),
            { Probe: ProbeSpec.Http http } asked when http.Url.Scheme == Uri.UriSchemeHttp && http.Status is null or >= 200 =>
                ProbeTarget.IsThisMachine(http.Url.Host.Trim('[', ']'))
                    ? new StandInHealth(asked, null)
                    : Here(asked, http with { Url = new UriBuilder(http.Url) { Host = "127.0.0.1" }.Uri }, http.Url.Host),
            { Probe: ProbeSpec.Http http } asked => Replaced(asked, $"`{http.Url.Scheme}` on port {http.Url.Port}", [(http.Url.Port, http.Url.Port)]),
            { Probe: ProbeSpec.Log log } told when PatternExample.TryMake(log.Pattern, out var line) => new StandInHealth(told, null, line),
            { Probe: ProbeSpec.Log log } told => Replaced(told, $"the log pattern `{log.Pattern}`", ports),
            { Probe: ProbeSpec.Image } asked => Replaced(asked, "that of the image, if it has one", ports),
            { Probe: ProbeSpec.Exec exec } asked => Replaced(asked, $"`{string.Join(' ', exec.Command)}`", ports),
            { Probe: ProbeSpec.Gpu } asked => Replaced(asked, "its use of the GPU", ports),
            var other => throw new InvalidOperationException($"no such healthcheck: {other}"),
        };

    private static StandInHealth Here(HealthcheckSpec check, ProbeSpec probe, string host) =>
        new(check with { Probe = probe }, $"its healthcheck asks 127.0.0.1 instead of {host}");

    private static StandInHealth Replaced(HealthcheckSpec check, string what, IReadOnlyList<(int Declared, int Actual)> ports) => ports.Count > 0
        ? new StandInHealth(
            check with { Probe = new ProbeSpec.Tcp("127.0.0.1", ports[0].Declared), LeftToImage = HealthcheckTimes.None },
            $"its healthcheck is a connection to port {ports[0].Declared} instead of {what}")
        : new StandInHealth(
            check with { Probe = new ProbeSpec.Notify(null), LeftToImage = HealthcheckTimes.None },
            $"its healthcheck is the stand-in's own word instead of {what}");

    /// <summary>Its published ports, and those that its healthcheck asks on this machine.</summary>
    private static List<IPEndPoint> Endpoints(
        ServiceSpec service, IReadOnlyList<(int Declared, int Actual)> ports, ProbeSpec? probe, IPAddress address)
    {
        List<IPEndPoint> endpoints = [];
        foreach (var (declared, actual) in ports)
        {
            var own = service.Ports.FirstOrDefault(p => p.Protocol == "tcp" && p.Published <= declared && declared <= (p.PublishedEnd ?? p.Published))?.HostIp;
            endpoints.Add(new IPEndPoint(IPAddress.TryParse(own, out var given) ? given : address, actual));
        }

        var (host, asked) = probe switch
        {
            ProbeSpec.Tcp tcp => (tcp.Host, tcp.Port),
            ProbeSpec.Http http => (http.Url.Host, http.Url.Port),
            _ => ("", 0),
        };
        var port = ports.FirstOrDefault(p => p.Declared == asked, (Declared: asked, Actual: asked)).Actual;
        if (port > 0 && endpoints.TrueForAll(e => e.Port != port))
        {
            endpoints.Add(new IPEndPoint(IPAddress.TryParse(host.Trim('[', ']'), out var literal) && IPAddress.IsLoopback(literal) ? literal : address, port));
        }

        return endpoints;
    }
}
