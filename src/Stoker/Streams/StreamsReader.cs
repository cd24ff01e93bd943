using System.Globalization;
using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Keys;
using Stoker.Streams.Ingest;
using Stoker.Streams.Stores;

namespace Stoker.Streams;

/// <summary>Reads <c>streams:</c>, whose shape has been checked.</summary>
internal sealed class StreamsReader(EstateSpec estate, SectionSource source)
{
    private const int DefaultPort = 8010, LeastEvent = 64 << 10;

    /// <summary>Paths that every stream answers itself.</summary>
    private static readonly string[] Own = ["/", "/health", "/metrics", "/status", "/receipts"];

    private readonly DiagnosticBag _bag = source.Bag;

    /// <summary>Keys that are declared, and where: the gateway's, and those of the streams read so far.</summary>
    private readonly Dictionary<string, SourcePosition> _keys =
        (estate.Sections.GetValueOrDefault("gateway") as MappingNode).Named("keys").ToDictionary(key => key.Name, key => key.Key.Where);

    public StreamSpec Read(string name, MappingNode? map, SourcePosition where) => new(new ServiceName(name), ReadListen(map), ReadStore(map, name), where)
    {
        PasswordVariable = map.Text("password"),
        Path = ReadPath(map),
        Host = ReadHost(map, name),
        RequiresKeys = RequiresKeys(map),
        Keys = ReadKeys(map, name),
        Partitions = map.Int("partitions") ?? 1,
        Dimension = map.Int("embedding_dim"),
        Types = new StreamTypeReader(source).Read(map.Map("types")),
        OnlyDeclaredTypes = map.Text("unknown_types") == "refuse",
        Map = new StreamMapReader(estate, _bag).Read(map),
        MaxEvent = ReadMaxEvent(map),
        MaxBatch = map.Int("max_batch") ?? IngestModule.MaxBatch,
        KeepFor = map.Map("retention").Duration("age"),
        KeepBytes = map.Map("retention").Size("size"),
    };

    private IPEndPoint ReadListen(MappingNode? map)
    {
        var usual = new IPEndPoint(IPAddress.Loopback, DefaultPort);
        if (map.PositionedText("listen") is not { } text) return usual;
        if (Parse(text.Value) is not { } address)
        {
            _bag.Add(StreamDiagnostics.InvalidListen, text.Where, $"the stream cannot listen on `{text.Value}`", "an IP address with a port, as in `127.0.0.1:8010`");
            return usual;
        }

        if (!IPAddress.IsLoopback(address.Address) && !RequiresKeys(map))
        {
            _bag.Add(StreamDiagnostics.OpenToNetwork, text.Where, $"everyone who reaches {address} could post to the stream, because it asks for no keys",
                "`auth: keys`, and `stoker key create NAME --scope ingest`; or listen on `127.0.0.1` and let producers of other machines in through `ssh -R`");
        }

        return address;
    }

    private static bool RequiresKeys(MappingNode? map) => map.Text("auth") == "keys";

    private IReadOnlyList<DeclaredKeySpec> ReadKeys(MappingNode? map, string stream)
    {
        if (map.Map("keys") is not { } declared) return [];
        if (!RequiresKeys(map)) _bag.Add(StreamDiagnostics.KeysUnused, map!.WhereOf("keys"), $"stream `{stream}` asks for no keys: those declared for it have no effect", "`auth: keys`");
        foreach (var (name, key, _) in declared.Named())
        {
            // One name is one key, whose revocation ends it everywhere.
            if (_keys.TryAdd(name, key.Where)) continue;
            _bag.Add(KeyDiagnostics.Clash, key.Where, $"key `{name}` is declared twice", $"first at {_keys[name]}; for several streams, declare it once in `gateway.keys` with `streams`");
        }

        return DeclaredKeyReader.ReadOfStream(declared, stream, source.Context.Directory, _bag);
    }

    private static IPEndPoint? Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon] : "127.0.0.1";
        if (host == "localhost") host = "127.0.0.1";
        return IPAddress.TryParse(host.Trim('[', ']'), out var address)
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? new IPEndPoint(address, port)
            : null;
    }

    private string ReadStore(MappingNode? map, string stream)
    {
        if (map.PositionedText("store") is not { } store) return "";
        if (StoreAddress.Parse(store.Value, out var address) is { } problem)
        {
            _bag.Add(StreamDiagnostics.InvalidStore, store.Where, $"the store of stream `{stream}` is none: {problem}", "`sqlite:FILE`, `postgres://user@host/database` or `mongodb://user@host/database`");
            return "";
        }

        return address!.Kind == StoreKind.Sqlite ? $"sqlite:{Path.GetFullPath(address.Path, source.Context.Directory)}" : store.Value;
    }

    private string ReadPath(MappingNode? map)
    {
        if (map.PositionedText("path") is not { } path) return StreamPlan.UsualPath;
        if (path.Value.StartsWith('/') && path.Value.All(c => c is > ' ' and < '\x7f' and not ('?' or '#')) && !Own.Contains(path.Value.TrimEnd('/') is "" ? "/" : path.Value.TrimEnd('/')))
            return path.Value;
        _bag.Add(StreamDiagnostics.InvalidPath, path.Where, $"`{path.Value}` is no path that a stream can take", $"one that begins with a slash and is none of {string.Join(" ", Own)}");
        return StreamPlan.UsualPath;
    }

    private Positioned<HostName>? ReadHost(MappingNode? map, string stream)
    {
        if (map.PositionedText("host") is not { } host) return null;
        var name = new HostName(host.Value);
        if (estate.Hosts.ContainsKey(name)) return new Positioned<HostName>(name, host.Where);
        _bag.Add(StreamDiagnostics.UnknownHost, host.Where, $"stream `{stream}` is on unknown host `{name}`",
            Suggestion.For(name.Value, estate.Hosts.Keys.Select(h => h.Value)) ?? "declare it in `hosts`");
        return null;
    }

    private ByteSize ReadMaxEvent(MappingNode? map)
    {
        if (map.Size("max_event") is not { } size) return ByteSize.FromMebibytes(1);
        if (size.Bytes >= LeastEvent) return size;
        _bag.Add(StreamDiagnostics.EventTooSmall, map!.Find("max_event")!.Where, "CloudEvents requires that events of 64KiB are taken", "`max_event: 64KiB` or more");
        return size;
    }
}
