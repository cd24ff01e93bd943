using System.Globalization;
using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>
/// Makes of <c>tunnel:</c> the service that it stands for: the real command (<c>ssh -N …</c>, <c>ngrok</c>, <c>cloudflared</c>), the ports that it takes here, restarts, and a
/// healthcheck that has to cross it. What the service declares itself goes before all of these.
/// </summary>
internal static class TunnelReader
{
    /// <summary>What ssh does: no answer to three questions in a row, 3 s apart, and it ends. A connection that is held for longer is one that the far end knows of.</summary>
    private const int KeepAlive = 3, KeepAlives = 2;

    private static readonly TimeSpan Held = TimeSpan.FromSeconds((KeepAlive * (KeepAlives + 1)) + 1);

    private static readonly string[] Kinds = ["ssh", "ngrok", "cloudflared", "ssh_reverse"];
    private static readonly string[] OfSsh = ["forward", "reverse", "identity", "known_hosts"];
    private static readonly string[] Excluded = ["command", "entrypoint", "image", "build"];

    public static ServiceSpec Read(ServiceSpec spec, ServiceSource source)
    {
        if (source.Map.Map("tunnel") is not { } tunnel) return spec;
        var kinds = Kinds.Where(kind => tunnel.Find(kind) is not null).ToList();
        if (kinds.Count != 1)
        {
            var count = kinds.Count == 0 ? "has a tunnel of no kind" : $"has a tunnel of {kinds.Count} kinds: {string.Join(", ", kinds)}";
            source.Report(TunnelDiagnostics.NotOneKind, tunnel.Where, count, $"one of {string.Join(", ", Kinds)}");
            return spec;
        }

        if (Excluded.FirstOrDefault(key => source.Map.Find(key) is not null) is { } other)
        {
            source.Report(EstateDiagnostics.Exclusive, tunnel.Where, $"has a `tunnel` and `{other}`", "a tunnel is a service of its own");
            return spec;
        }

        foreach (var key in OfSsh.Where(key => tunnel.Find(key) is not null && (kinds[0] is "ngrok" or "cloudflared" || (kinds[0] == "ssh_reverse" && key is "forward" or "reverse"))))
        {
            source.Report(TunnelDiagnostics.NotOfThisKind, tunnel.WhereOf(key), $"has `{key}` in a tunnel by `{kinds[0]}`",
                "`forward`, `reverse`, `identity` and `known_hosts` are for `ssh`; `ssh_reverse` has `listen` and `to`");
        }

        var made = kinds[0] switch
        {
            "ngrok" => Ngrok(spec, source, tunnel.Map("ngrok")!),
            "cloudflared" => Cloudflared(spec, source, tunnel.Map("cloudflared")),
            _ => Ssh(spec, source, tunnel, kinds[0]),
        };
        if (made is null) return spec;
        if (source.Map.Find("restart") is null && source.Map.Find("restart_policy") is null && source.Map.Map("deploy")?.Find("restart_policy") is null)
            made = made with { Restart = new RestartSpec(RestartMode.Always) { Delay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromSeconds(15) } };
        return Probed(made with { CommandWhere = tunnel.Where }, source, tunnel);
    }

    /// <returns>Null: it is not as it should be, which has been said.</returns>
    private static ServiceSpec? Ssh(ServiceSpec spec, ServiceSource source, MappingNode tunnel, string kind)
    {
        var reverseOnly = kind == "ssh_reverse" ? tunnel.Map("ssh_reverse") : null;
        var forwards = reverseOnly is null ? ReadForwards(source, tunnel, "forward") : [];
        var reverses = reverseOnly is null ? ReadForwards(source, tunnel, "reverse") : ReadReverse(source, reverseOnly);
        if ((reverseOnly ?? tunnel).PositionedText("ssh") is not { } written || ReadFarEnd(source, written) is not { } end || forwards is null || reverses is null) return null;
        if (forwards.Count + reverses.Count == 0)
        {
            source.Report(TunnelDiagnostics.NothingForwarded, tunnel.Where, "is a tunnel through which nothing is forwarded", "`forward: [\"9092:kafka:9092\"]`, or `reverse`");
            return null;
        }

        var far = new TunnelSpec(end.Host, end.Port, tunnel.Where) { Identity = PathOf(source, tunnel, "identity"), KnownHosts = PathOf(source, tunnel, "known_hosts") };
        List<string> words =
        [
            "ssh", "-N", "-T", "-S", "none", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", $"ServerAliveInterval={KeepAlive}", "-o", $"ServerAliveCountMax={KeepAlives}",
            "-o", "ConnectTimeout=10", "-o", "StrictHostKeyChecking=yes",
        ];
        if (far.KnownHosts is { } known) words.AddRange(["-o", $"UserKnownHostsFile={Quoted(known.Value)}"]);
        if (far.Identity is { } identity) words.AddRange(["-o", "IdentitiesOnly=yes", "-i", identity.Value]);
        foreach (var each in forwards) words.AddRange(["-L", each.ToString()]);
        foreach (var each in reverses) words.AddRange(["-R", each.ToString()]);
        if (end.Port != 22) words.AddRange(["-p", $"{end.Port}"]);
        words.Add(end.User is null ? end.Host : $"{end.User}@{end.Host}");
        return spec with
        {
            Command = words,
            Tunnel = far,
            Ports = [.. spec.Ports, .. forwards.Select(each => new PortSpec(each.Address, each.Port, null, each.Port, "tcp", each.Where))],
        };
    }

    private static ServiceSpec? Ngrok(ServiceSpec spec, ServiceSource source, MappingNode map)
    {
        if (ReadTarget(source, map.PositionedText("to")) is not { } to) return null;
        List<string> words = ["ngrok", "http", "--log", "stdout", "--log-format", "logfmt"];
        if (map.PositionedText("config") is { } config) words.AddRange(["--config", source.Context.PathAt(config.Value, config.Where)]);
        if (map.Text("url") is { Length: > 0 } url) words.AddRange(["--url", url]);
        words.Add(to);
        return spec with { Command = words, Environment = With(spec, "NGROK_AUTHTOKEN", null, map.Where) };
    }

    private static ServiceSpec? Cloudflared(ServiceSpec spec, ServiceSource source, MappingNode? map)
    {
        if (map.PositionedText("to") is { } to)
            return ReadTarget(source, to) is { } target ? spec with { Command = ["cloudflared", "tunnel", "--no-autoupdate", "--url", $"http://{target}"] } : null;
        // A token among the arguments is in the list of processes; cloudflared takes it from its environment, or from a file.
        return spec with
        {
            Command = ["cloudflared", "tunnel", "--no-autoupdate", "run"],
            Environment = map.PositionedText("token_file") is { } file
                ? With(spec, "TUNNEL_TOKEN_FILE", source.Context.PathAt(file.Value, file.Where), file.Where)
                : With(spec, "TUNNEL_TOKEN", null, source.Where),
        };
    }

    private static Dictionary<string, Positioned<string?>> With(ServiceSpec spec, string name, string? value, SourcePosition where)
    {
        var environment = new Dictionary<string, Positioned<string?>>(spec.Environment);
        environment.TryAdd(name, new Positioned<string?>(value, where));
        return environment;
    }

    /// <summary>The service's own healthcheck, or what `probe` says, or else the first forward.</summary>
    private static ServiceSpec Probed(ServiceSpec spec, ServiceSource source, MappingNode tunnel)
    {
        if (spec.Healthcheck is not null) return spec;
        var probe = tunnel.PositionedText("probe");
        var first = spec.Tunnel is not null ? spec.Ports.FirstOrDefault(port => port.Protocol == "tcp") : null;
        var near = first is null ? null : first.HostIp is "0.0.0.0" or "*" ? "127.0.0.1" : first.HostIp;
        switch (probe?.Value)
        {
            case { } url when url.StartsWith("http", StringComparison.Ordinal) && Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https":
                return spec with { Healthcheck = Check(new ProbeSpec.Http(uri)) };
            case ['/', ..] path when first is not null:
                return spec with { Healthcheck = Check(new ProbeSpec.Http(new Uri($"http://{near}:{first.Published}{path}"))) };
            case null or "tcp" when first is not null:
                return spec with { Healthcheck = Check(new ProbeSpec.Tcp(near!.Trim('[', ']'), first.Published!.Value) { Held = Held }) };
            case null or "tcp" or ['/', ..]:
                source.Report(TunnelDiagnostics.NotProbed, tunnel.Where, "is a tunnel that no question crosses, so that it counts as well while its process runs",
                    "`probe: https://PUBLIC-ADDRESS/health`, or a `forward` to the far end's port");
                return spec;
            default:
                source.Report(TunnelDiagnostics.InvalidProbe, probe!.Value.Where, $"has a tunnel with the probe `{probe.Value.Value}`", "`tcp`, a path such as `/health`, or a URL");
                return spec;
        }

        HealthcheckSpec Check(ProbeSpec asked) => new(asked, probe?.Where ?? tunnel.Where)
        {
            Interval = TimeSpan.FromSeconds(asked is ProbeSpec.Tcp ? 15 : 5),
            Timeout = asked is ProbeSpec.Tcp ? Held + TimeSpan.FromSeconds(5) : TimeSpan.FromSeconds(10),
            Retries = 2,
            StartPeriod = TimeSpan.FromSeconds(20),
        };
    }

    private static List<Forward>? ReadForwards(ServiceSource source, MappingNode tunnel, string key)
    {
        var written = tunnel.Strings(key);
        var forwards = written.Select(item => Forward.Parse(item.Value, item.Where)).ToList();
        foreach (var (item, _) in written.Zip(forwards).Where(each => each.Second is null))
            source.Report(TunnelDiagnostics.InvalidForward, item.Where, $"has the {key} `{item.Value}`", "`[ADDRESS:]PORT:HOST:PORT`, as in `9092:kafka.internal:9092`; IPv6 addresses in brackets");
        return forwards.Contains(null) ? null : [.. forwards.OfType<Forward>()];
    }

    private static List<Forward>? ReadReverse(ServiceSource source, MappingNode map)
    {
        var (listen, to) = (map.PositionedText("listen"), map.PositionedText("to"));
        if (listen is not { } at || ReadTarget(source, to) is not { } target) return null;
        if (Forward.Parse($"{at.Value}:{target}", at.Where) is { } forward) return [forward];
        source.Report(TunnelDiagnostics.InvalidForward, at.Where, $"listens on `{at.Value}`", "a port, or `ADDRESS:PORT`");
        return null;
    }

    /// <summary><c>HOST:PORT</c> of a port alone, or of both; null where it is neither, which has been said, or missing.</summary>
    private static string? ReadTarget(ServiceSource source, Positioned<string>? written)
    {
        if (written is not { } text) return null;
        var target = text.Value.Contains(':', StringComparison.Ordinal) ? text.Value : $"127.0.0.1:{text.Value}";
        if (Forward.Parse($"1:{target}", text.Where) is not null) return target;
        source.Report(TunnelDiagnostics.InvalidForward, text.Where, $"leads to `{text.Value}`", "a port, or `HOST:PORT`");
        return null;
    }

    private static (string? User, string Host, int Port)? ReadFarEnd(ServiceSource source, Positioned<string> text)
    {
        var at = text.Value.LastIndexOf('@');
        var user = at < 0 ? null : text.Value[..at];
        var rest = text.Value[(at + 1)..];
        var end = rest.StartsWith('[') ? rest.IndexOf(']') : -1;
        var colon = rest.IndexOf(':', Math.Max(end, 0));
        var host = (colon < 0 ? rest : rest[..colon]).Trim('[', ']');
        var port = 22;
        // What begins with a hyphen would be an option.
        var isGood = user is not "" && user?.StartsWith('-') != true && host.Length > 0 && host[0] != '-' && Uri.CheckHostName(host) != UriHostNameType.Unknown
            && (colon < 0 || (int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535));
        if (isGood) return (user, host, port);
        source.Report(TunnelDiagnostics.InvalidFarEnd, text.Where, $"has a tunnel to `{text.Value}`", "`[USER@]HOST[:PORT]`, as in `ec2-user@bastion.example.org:22`");
        return null;
    }

    private static Positioned<string>? PathOf(ServiceSource source, MappingNode map, string key) =>
        map.PositionedText(key) is { } path ? new Positioned<string>(source.Context.PathAt(path.Value, path.Where), path.Where) : null;

    /// <summary>The value of an option of ssh, which splits it into several at white space.</summary>
    private static string Quoted(string path) => path.AsSpan().IndexOfAny(' ', '\t') < 0 ? path : $"\"{path}\"";

    /// <summary><c>[ADDRESS:]PORT:HOST:PORT</c>, as ssh takes it.</summary>
    private sealed record Forward(string Address, int Port, string Host, int HostPort, SourcePosition Where)
    {
        public static Forward? Parse(string text, SourcePosition where)
        {
            var parts = Split(text);
            if (parts.Count == 3) parts.Insert(0, "127.0.0.1");
            if (parts.Count != 4 || parts[0].Length == 0 || parts[2].Length == 0 || PortOf(parts[1]) is not { } port || PortOf(parts[3]) is not { } hostPort) return null;
            return parts[0].StartsWith('-') || parts[2].StartsWith('-') ? null : new Forward(parts[0] == "localhost" ? "127.0.0.1" : parts[0], port, parts[2], hostPort, where);
        }

        public override string ToString() => $"{Address}:{Port}:{Host}:{HostPort}";

        /// <summary>At colons, but for those of an address in brackets.</summary>
        private static List<string> Split(string text)
        {
            var (parts, from, depth) = (new List<string>(), 0, 0);
            for (var i = 0; i < text.Length; i++)
            {
                if (text[i] is '[') depth++;
                if (text[i] is ']') depth--;
                if (text[i] != ':' || depth > 0) continue;
                parts.Add(text[from..i]);
                from = i + 1;
            }

            parts.Add(text[from..]);
            return parts;
        }

        private static int? PortOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : null;
    }
}
