using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Keys;
using Stoker.Streams.Archive;
using Stoker.Streams.Ingest;
using Stoker.Streams.Kafka;
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
        Log = ReadLog(map, name),
        LogPasswordVariable = map.Text("log_password"),
        Path = ReadPath(map),
        Host = ReadHost(map, name),
        RequiresKeys = RequiresKeys(map),
        Keys = ReadKeys(map, name),
        Partitions = map.Int("partitions") ?? (KafkaModule.IsAddress(map.Text("log") ?? "") ? 0 : 1),
        Dimension = map.Int("embedding_dim"),
        Types = new StreamTypeReader(source).Read(map.Map("types")),
        OnlyDeclaredTypes = map.Text("unknown_types") == "refuse",
        Map = new StreamMapReader(estate, _bag).Read(map),
        MaxEvent = ReadMaxEvent(map),
        MaxBatch = map.Int("max_batch") ?? IngestModule.MaxBatch,
        KeepFor = map.Map("retention").Duration("age"),
        KeepBytes = map.Map("retention").Size("size"),
        Archive = ReadArchive(map, name),
    };

    private IPEndPoint ReadListen(MappingNode? map)
    {
        var usual = new IPEndPoint(IPAddress.Loopback, DefaultPort);
        if (map.PositionedText("listen") is not { } text) return usual;
        if (Scalars.Endpoint(text.Value) is not { } address)
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

    private string ReadStore(MappingNode? map, string stream)
    {
        if (map.PositionedText("store") is not { } store) return "";
        if (StoreAddress.Parse(store.Value, out var address) is { } problem)
        {
            _bag.Add(StreamDiagnostics.InvalidStore, store.Where, $"the store of stream `{stream}` is none: {problem}",
                "`sqlite:FILE`, `postgres://user@host/database` or `mongodb://user@host/database`");
            return "";
        }

        return address!.Kind == StoreKind.Sqlite ? $"sqlite:{Path.GetFullPath(address.Path, source.Context.Directory)}" : store.Value;
    }

    /// <summary>Null: the embedded one.</summary>
    private string? ReadLog(MappingNode? map, string stream)
    {
        if (map.PositionedText("log") is not { } log || log.Value == "embedded")
        {
            if (map.PositionedText("log_password") is { } idle)
            {
                _bag.Add(StreamDiagnostics.LogPassword, idle.Where, $"stream `{stream}` has the embedded log, which asks for no password",
                    "leave `log_password` out, or name a topic: `log: kafka://broker:9092/topic?user=stoker`");
            }

            return null;
        }

        if (KafkaAddress.Parse(log.Value, out var address) is { } problem)
        {
            _bag.Add(StreamDiagnostics.InvalidLog, log.Where, $"the log of stream `{stream}` is none: {problem}", "`embedded`, or a topic as in `kafka://broker:9092/gpu-metadata`");
            return null;
        }

        CheckKafka(map!, stream, address!, log.Where);
        return log.Value;
    }

    private void CheckKafka(MappingNode map, string stream, KafkaAddress address, SourcePosition where)
    {
        if (map.Find("retention") is { } retention)
        {
            _bag.Add(StreamDiagnostics.RetentionOfBroker, retention.Where, $"how long the events of stream `{stream}` are kept is the topic's own setting",
                "leave `retention` out; `retention.ms` and `retention.bytes` of the topic say it");
        }

        if (address.User is not null != (map.Text("log_password") is not null))
        {
            _bag.Add(StreamDiagnostics.LogPassword, where, address.User is null ? $"stream `{stream}` has a password for Kafka and no user" : $"Kafka's user `{address.User}` has no password",
                "`user=NAME` in the address, and `log_password: VARIABLE` beside it");
        }

        if (!KafkaLibrary.IsInstalled)
        {
            _bag.Add(StreamDiagnostics.KafkaMissing, where, $"stream `{stream}` cannot begin here: {KafkaLibrary.Missing}",
                "install it on the host that runs the stream; on other machines this is of no matter");
        }
    }

    /// <summary>Null: none is declared, or what is declared is none.</summary>
    private ArchiveSpec? ReadArchive(MappingNode? map, string stream)
    {
        var more = map.Map("archive");
        if ((more is null ? map.PositionedText("archive") : more.PositionedText("to")) is not { } to) return null;
        if (ArchiveAddress.Parse(to.Value, out var address) is { } problem)
        {
            _bag.Add(StreamDiagnostics.InvalidArchive, to.Where, $"the archive of stream `{stream}` is none: {problem}", "a directory, or `s3://bucket/prefix`");
            return null;
        }

        if (more.PositionedText("endpoint") is { } endpoint && !IsServer(endpoint.Value))
        {
            _bag.Add(StreamDiagnostics.InvalidArchive, endpoint.Where, $"`{endpoint.Value}` is no address of a server that speaks S3",
                "as in `https://s3.example.com` or `http://127.0.0.1:9000`, without keys");
        }

        var what = more.Strings("what").Select(word => word.Value).ToList();
        if (more?.Find("what") is { } nothing && what.Count == 0)
            _bag.Add(StreamDiagnostics.InvalidArchive, nothing.Where, $"the archive of stream `{stream}` keeps nothing", "`what: [raw, enriched]`, or leave `archive` out");
        if (more.Size("size") is { } size && (size.Bytes is 0 or > ArchiveSpec.MostBytes))
            _bag.Add(StreamDiagnostics.InvalidArchive, more!.Find("size")!.Where, $"an object of {size} cannot be put", "at most 5GiB, as S3 takes in one request; 64MiB is the usual one");
        var spec = new ArchiveSpec(address!.Bucket is null ? Path.GetFullPath(address.Path, source.Context.Directory) : to.Value);
        return spec with
        {
            Endpoint = more.Text("endpoint"),
            Region = more.Text("region") ?? spec.Region,
            AccessKeyVariable = more.Text("access_key") ?? spec.AccessKeyVariable,
            SecretKeyVariable = more.Text("secret_key") ?? spec.SecretKeyVariable,
            EverySeconds = more.Duration("every") is { } every ? Math.Max(1, (long)every.TotalSeconds) : spec.EverySeconds,
            Bytes = more.Size("size")?.Bytes ?? spec.Bytes,
            What = what.Count > 0 ? [.. spec.What.Where(what.Contains)] : spec.What,
        };
    }

    private static bool IsServer(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && parsed.UserInfo.Length == 0;

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
