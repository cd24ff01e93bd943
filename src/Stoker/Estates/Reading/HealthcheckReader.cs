using System.Globalization;
using System.Text.RegularExpressions;
using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>How health is asked: Compose's <c>test</c>, or one of Stoker's own kinds.</summary>
internal static class HealthcheckReader
{
    private static readonly string[] Kinds = ["test", "http", "tcp", "exec", "log", "notify", "gpu"];

    private static readonly (string Key, HealthcheckTimes Time)[] Times =
    [
        ("interval", HealthcheckTimes.Interval), ("timeout", HealthcheckTimes.Timeout), ("retries", HealthcheckTimes.Retries),
        ("start_period", HealthcheckTimes.StartPeriod), ("start_interval", HealthcheckTimes.StartInterval),
    ];

    private static HealthcheckTimes AllTimes { get; } = Times.Aggregate(HealthcheckTimes.None, (all, time) => all | time.Time);

    public static HealthcheckSpec? Read(ServiceSource source)
    {
        if (source.Map.Map("healthcheck") is not { } map) return source.IsContainer ? new HealthcheckSpec(new ProbeSpec.Image(), source.Where) { LeftToImage = AllTimes } : null;
        var defaults = new HealthcheckSpec(new ProbeSpec.None(), map.Where);
        if (ReadProbe(source, map) is not { } probe) return null;
        return defaults with
        {
            Probe = probe,
            LeftToImage = source.IsContainer && probe is ProbeSpec.Exec or ProbeSpec.Image ? Unsaid(map) : HealthcheckTimes.None,
            Interval = map.Duration("interval") ?? defaults.Interval,
            Timeout = map.Duration("timeout") ?? defaults.Timeout,
            Retries = map.Int("retries") ?? defaults.Retries,
            StartPeriod = map.Duration("start_period") ?? defaults.StartPeriod,
            StartInterval = map.Duration("start_interval"),
        };
    }

    private static HealthcheckTimes Unsaid(MappingNode map)
    {
        var unsaid = HealthcheckTimes.None;
        foreach (var (key, time) in Times)
        {
            if (map.Find(key) is null) unsaid |= time;
        }

        return unsaid;
    }

    private static ProbeSpec? ReadProbe(ServiceSource source, MappingNode map)
    {
        if (map.Flag("disable") == true) return new ProbeSpec.None();
        var kinds = Kinds.Where(kind => map.Find(kind) is { } node && !IsOff(kind, node)).ToList();
        switch (kinds)
        {
            case [] when source.IsContainer:
                return new ProbeSpec.Image();
            case []:
                source.Report(EstateDiagnostics.NoProbe, map.Where, "has a healthcheck that does not say what to ask", "say its `test`, `http`, `tcp`, `exec`, `log`, `notify` or `gpu`");
                return null;
            case [var kind]:
                return ReadKind(source, kind, map.Find(kind)!);
            default:
                source.Report(EstateDiagnostics.SeveralProbes, map.WhereOf(kinds[1]), $"has a healthcheck of {kinds.Count} kinds: `{string.Join("`, `", kinds)}`",
                    "keep one of them");
                return null;
        }
    }

    private static bool IsOff(string kind, Node node) => kind is "notify" or "gpu" && node is ScalarNode { Value: { } text } && Scalars.Flag(text) == false;

    private static ProbeSpec? ReadKind(ServiceSource source, string kind, Node node) => kind switch
    {
        "test" => ReadTest(source, node),
        "http" => ReadHttp(source, node),
        "tcp" => ReadTcp(source, node),
        "exec" => source.Words(node, "an `exec` healthcheck") is { } words ? Command(source, node, words) : null,
        "log" => ReadLog(source, node),
        "gpu" => ReadGpu(source, node),
        _ => new ProbeSpec.Notify((node as MappingNode).Duration("watchdog")),
    };

    private static ProbeSpec? ReadTest(ServiceSource source, Node node)
    {
        if (node is ScalarNode { Value: { Length: > 0 } line })
            return line == "NONE" ? new ProbeSpec.None() : Shell(line);
        if (node is not SequenceNode) return null;
        string[] words = [.. source.Words(node, "a `test`")!];
        switch (words)
        {
            case ["NONE"]:
                return new ProbeSpec.None();
            case ["CMD", .. var command]:
                return Command(source, node, command);
            case ["CMD-SHELL", var script]:
                return Shell(script);
            default:
                source.Report(EstateDiagnostics.InvalidTest, node.Where, words is ["CMD-SHELL", ..]
                        ? "has a healthcheck `test` with CMD-SHELL and not exactly one line for the shell"
                        : "has a healthcheck `test` that does not begin with `CMD`, `CMD-SHELL` or `NONE`",
                    words is ["CMD-SHELL", ..] ? "use `CMD` for a list of words" : $"`[CMD, {string.Join(", ", words)}]`");
                return null;
        }
    }

    private static ProbeSpec.Exec Shell(string line) => new(["/bin/sh", "-c", line]);

    private static ProbeSpec.Exec? Command(ServiceSource source, Node node, IReadOnlyList<string> words)
    {
        if (words is [{ Length: > 0 }, ..]) return new ProbeSpec.Exec(words);
        source.Report(EstateDiagnostics.EmptyCommand, node.Where, "has a healthcheck command without a word");
        return null;
    }

    private static ProbeSpec.Http? ReadHttp(ServiceSource source, Node node)
    {
        var url = node is MappingNode map ? map.Scalar("url") : node as ScalarNode;
        if (url?.Value is not { Length: > 0 } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0)
            return new ProbeSpec.Http(uri, (node as MappingNode).Int("status"));
        source.Report(EstateDiagnostics.InvalidUrl, url.Where, $"has healthcheck `http` `{text}`, which is not an http or https URL",
            text.Contains("://", StringComparison.Ordinal) ? null : $"`http://{(text.StartsWith('/') ? "127.0.0.1:PORT" : "")}{text}`");
        return null;
    }

    private static ProbeSpec.Tcp? ReadTcp(ServiceSource source, Node node)
    {
        if (node is not ScalarNode { Value: { Length: > 0 } text }) return null;
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "127.0.0.1" : text[..colon].Trim('[', ']');
        var isPort = int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535;
        if (isPort && Uri.CheckHostName(host) != UriHostNameType.Unknown) return new ProbeSpec.Tcp(host, port);
        source.Report(EstateDiagnostics.InvalidAddress, node.Where, $"has healthcheck `tcp` `{text}`, which is neither PORT nor HOST:PORT");
        return null;
    }

    private static ProbeSpec.Gpu? ReadGpu(ServiceSource source, Node node)
    {
        if (source.Map.Find("gpus") is null && source.Map.Find("gpu") is null && source.Map.Map("deploy") is null)
            source.Report(EstateDiagnostics.InvalidGpuCheck, node.Where, "has healthcheck `gpu` and asks for no GPU", "say which it needs: `gpus: all`, or `gpu: {memory: 6GiB}`");
        if (node is not MappingNode map) return new ProbeSpec.Gpu(null, Activity: false, null);
        ByteSize? moreThan = null;
        if (map.Scalar("memory") is { Value: { Length: > 0 } text } memory)
        {
            moreThan = Scalars.Size(text.TrimStart('>', ' '));
            if (moreThan is null) source.Report(EstateDiagnostics.InvalidGpuCheck, memory.Where, $"has healthcheck `gpu` with memory `{text}`, which is no size", "`\">2GiB\"`");
        }

        Uri? canary = null;
        if (map.Scalar("canary") is { Value: { Length: > 0 } url } asked && !(Uri.TryCreate(url, UriKind.Absolute, out canary) && canary.Scheme is "http" or "https"))
            source.Report(EstateDiagnostics.InvalidUrl, asked.Where, $"has healthcheck `gpu` with canary `{url}`, which is not an http or https URL");
        return new ProbeSpec.Gpu(moreThan, map.Flag("activity") == true, canary);
    }

    private static ProbeSpec.Log? ReadLog(ServiceSource source, Node node)
    {
        if (node is not ScalarNode { Value: { Length: > 0 } pattern }) return null;
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant);
            return new ProbeSpec.Log(pattern);
        }
        catch (RegexParseException mistake)
        {
            source.Report(EstateDiagnostics.InvalidPattern, node.Where,
                $"has healthcheck `log` `{pattern}`, which is no regular expression: {Sentence(mistake)}");
            return null;
        }
    }

    /// <summary><c>Invalid pattern 'x(' at offset 2. Not enough )'s.</c> becomes <c>not enough )'s (at character 3)</c>.</summary>
    private static string Sentence(RegexParseException mistake)
    {
        var marker = $"at offset {mistake.Offset}. ";
        var at = mistake.Message.IndexOf(marker, StringComparison.Ordinal);
        var reason = (at < 0 ? mistake.Message : mistake.Message[(at + marker.Length)..]).TrimEnd('.');
        return $"{char.ToLowerInvariant(reason[0])}{reason[1..]} (at character {mistake.Offset + 1})";
    }
}
