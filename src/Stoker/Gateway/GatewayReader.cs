using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Keys;
using Stoker.Limits;

namespace Stoker.Gateway;

/// <summary>Reads <c>gateway:</c>, whose shape has been checked.</summary>
internal sealed class GatewayReader(EstateSpec estate, SectionSource source, IReadOnlyCollection<string> models)
{
    public const int DefaultPort = 8000;

    private readonly DiagnosticBag _bag = source.Bag;

    public GatewaySpec Read(MappingNode map)
    {
        var listen = ReadListen(map);
        var limits = map.Map("limits");
        CheckModels(limits);
        DeclaredKeyReader.CheckModels(map.Map("keys"), models, _bag);
        return new GatewaySpec(listen, map.Where)
        {
            RequiresKeys = ReadAuth(map, listen),
            Host = ReadHost(map),
            Keys = DeclaredKeyReader.Read(map.Find("keys"), source.Context.Directory, _bag),
            Limits = [.. limits.Named().Select(l => ReadLimit(l.Name, l.Value as MappingNode))],
            Times = ReadTimes(map.Map("timeouts")),
            MaxBody = map.Size("max_body") ?? ByteSize.FromMebibytes(32),
            CorsOrigins = [.. map.Strings("cors").Select(o => o.Value)],
            SessionHeader = map.Text("session_header"),
            KeepLedger = map.Duration("keep_ledger") ?? TimeSpan.FromDays(90),
            LogDecisions = map.Int("log_decisions") ?? 100,
        };
    }

    private List<Positioned<IPEndPoint>> ReadListen(MappingNode map)
    {
        var found = new List<Positioned<IPEndPoint>>();
        foreach (var text in map.Strings("listen"))
        {
            if (Scalars.Endpoint(text.Value) is { } address) found.Add(new Positioned<IPEndPoint>(address, text.Where));
            else _bag.Add(GatewayDiagnostics.InvalidListen, text.Where, $"the gateway cannot listen on `{text.Value}`", "an IP address with a port, as in `127.0.0.1:8000` or `[::1]:8000`");
        }

        if (found.Count == 0) found.Add(new Positioned<IPEndPoint>(new IPEndPoint(IPAddress.Loopback, DefaultPort), map.Where));
        return found;
    }

    /// <summary><c>127.0.0.1:8000</c>, <c>[::1]:8000</c>, <c>:8000</c> and <c>8000</c>, which mean this machine, and <c>localhost:8000</c>.</summary>
    private bool ReadAuth(MappingNode map, List<Positioned<IPEndPoint>> listen)
    {
        if (map.PositionedText("auth") is not { Value: "none" } none) return true;
        foreach (var open in listen.Where(l => !IPAddress.IsLoopback(l.Value.Address)))
        {
            _bag.Add(GatewayDiagnostics.OpenToNetwork, open.Where, $"the gateway would be open to everyone who reaches {open.Value}, because `auth` is `none`",
                "remove `auth: none` and make keys with `stoker key create`, or listen on `127.0.0.1`");
        }

        if (listen.TrueForAll(l => IPAddress.IsLoopback(l.Value.Address)))
        {
            _bag.Add(GatewayDiagnostics.OpenToMachine, none.Where, "every program of every user on this machine may use the gateway, because `auth` is `none`",
                "`auth: keys`, and `stoker key create`");
        }

        return false;
    }

    private HostName? ReadHost(MappingNode map)
    {
        if (map.PositionedText("host") is not { } host) return null;
        var name = new HostName(host.Value);
        if (estate.Hosts.ContainsKey(name)) return name;
        _bag.Add(GatewayDiagnostics.UnknownHost, host.Where, $"the gateway is on unknown host `{name}`",
            Suggestion.For(name.Value, estate.Hosts.Keys.Select(h => h.Value)) ?? "declare it in `hosts`");
        return null;
    }

    private ModelLimitPlan ReadLimit(string model, MappingNode? map)
    {
        var limit = DeclaredKeyReader.ReadLimit(map, $"gateway.limits.{model}", _bag);
        return new ModelLimitPlan(model) { RequestsPerMinute = limit.RequestsPerMinute, TokensPerMinute = limit.TokensPerMinute, Concurrent = limit.Concurrent };
    }

    private void CheckModels(MappingNode? limits)
    {
        foreach (var (name, key, _) in limits.Named())
        {
            if (NamePattern.HasWildcard(name) || models.Contains(name)) continue;
            _bag.Add(GatewayDiagnostics.UnknownModel, key.Where, $"`gateway.limits` names unknown model `{name}`", Suggestion.For(name, models) ?? "declare it in `models`");
        }
    }

    private static TimesPlan ReadTimes(MappingNode? map)
    {
        var usual = new TimesPlan();
        return new TimesPlan
        {
            Connect = Milliseconds(map, "connect", usual.Connect),
            FirstByte = Milliseconds(map, "first_byte", usual.FirstByte),
            BetweenChunks = Milliseconds(map, "between_chunks", usual.BetweenChunks),
            Total = Milliseconds(map, "total", usual.Total),
            Queue = Milliseconds(map, "queue", usual.Queue),
        };
    }

    private static long Milliseconds(MappingNode? map, string key, long usual) => map.Duration(key) is { } time ? (long)time.TotalMilliseconds : usual;
}
