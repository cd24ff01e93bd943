using System.Text.Json;

namespace Stoker.Supervision;

/// <summary>
/// Reads a <see cref="StatusDocument"/> by hand, in one pass. The generated reader does the same, but has some 450 generic methods
/// compiled at the first use: three times what the rest of <c>stoker status</c> takes. The two are held together by a test.
/// </summary>
/// <remarks>Absent and null are the same, and what is not known is passed over, so that a client reads an older and a newer daemon.</remarks>
internal static class StatusReading
{
    /// <exception cref="JsonException">It is not such a document.</exception>
    public static StatusDocument Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json.Span);
            reader.Read();
            return Status(ref reader);
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or FormatException)
        {
            throw new JsonException("a value of a status is not what it should be", wrong);
        }
    }

    private static StatusDocument Status(ref Utf8JsonReader reader)
    {
        string? estate = null, host = null;
        List<ServiceDocument> services = [];
        while (NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "estate": estate = reader.GetString(); break;
                case "host": host = reader.GetString(); break;
                case "services":
                    while (NextItem(ref reader)) services.Add(Service(ref reader));
                    break;
                default: reader.Skip(); break;
            }
        }

        return new StatusDocument(estate ?? throw Missing("estate"), host, services);
    }

    private static ServiceDocument Service(ref Utf8JsonReader reader)
    {
        string? service = null, state = null;
        DateTimeOffset? since = null;
        string? group = null, host = null, standIn = null, reason = null;
        int? pid = null, restarts = null;
        var startsOnRequest = false;
        List<string> gpus = [], notEnforced = [], waitsFor = [];
        List<ReplicaDocument> replicas = [];
        while (NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "name": service = reader.GetString(); break;
                case "state": state = reader.GetString(); break;
                case "since": since = Time(ref reader); break;
                case "group": group = reader.GetString(); break;
                case "host": host = reader.GetString(); break;
                case "pid": pid = Number(ref reader); break;
                case "restarts": restarts = Number(ref reader); break;
                case "starts_on_request": startsOnRequest = reader.TokenType == JsonTokenType.True; break;
                case "stand_in": standIn = reader.GetString(); break;
                case "reason": reason = reader.GetString(); break;
                case "gpus": Texts(ref reader, gpus); break;
                case "not_enforced": Texts(ref reader, notEnforced); break;
                case "waits_for": Texts(ref reader, waitsFor); break;
                case "replicas":
                    while (NextItem(ref reader)) replicas.Add(Replica(ref reader));
                    break;
                default: reader.Skip(); break;
            }
        }

        return new ServiceDocument(service ?? throw Missing("name"), StateWords.Read(state), since ?? throw Missing("since"))
        {
            Group = group,
            Host = host,
            Pid = pid,
            Restarts = restarts ?? throw Missing("restarts"),
            StartsOnRequest = startsOnRequest,
            StandIn = standIn,
            Gpus = gpus,
            Reason = reason,
            NotEnforced = notEnforced,
            WaitsFor = waitsFor,
            Replicas = replicas,
        };
    }

    private static ReplicaDocument Replica(ref Utf8JsonReader reader)
    {
        string? state = null, lastProbe = null, ownStatus = null, reason = null;
        int? index = null, pid = null, restarts = null;
        DateTimeOffset? since = null, startedAt = null, retryAt = null;
        double? startTook = null, cpu = null;
        long? memory = null;
        ExitDocument? lastExit = null;
        List<int> ports = [];
        while (NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "index": index = Number(ref reader); break;
                case "state": state = reader.GetString(); break;
                case "since": since = Time(ref reader); break;
                case "pid": pid = Number(ref reader); break;
                case "restarts": restarts = Number(ref reader); break;
                case "ports":
                    while (NextItem(ref reader)) ports.Add(reader.GetInt32());
                    break;
                case "started_at": startedAt = Time(ref reader); break;
                case "start_took_ms": startTook = Fraction(ref reader); break;
                case "last_exit": lastExit = Exit(ref reader); break;
                case "retry_at": retryAt = Time(ref reader); break;
                case "last_probe": lastProbe = reader.GetString(); break;
                case "own_status": ownStatus = reader.GetString(); break;
                case "reason": reason = reader.GetString(); break;
                case "cpu_percent": cpu = Fraction(ref reader); break;
                case "memory_bytes": memory = IsNull(ref reader) ? null : reader.GetInt64(); break;
                default: reader.Skip(); break;
            }
        }

        return new ReplicaDocument(index ?? throw Missing("index"), StateWords.Read(state), since ?? throw Missing("since"))
        {
            Pid = pid,
            Restarts = restarts ?? throw Missing("restarts"),
            Ports = ports,
            StartedAt = startedAt,
            StartTookMs = startTook,
            LastExit = lastExit,
            RetryAt = retryAt,
            LastProbe = lastProbe,
            OwnStatus = ownStatus,
            Reason = reason,
            CpuPercent = cpu,
            MemoryBytes = memory,
        };
    }

    private static ExitDocument? Exit(ref Utf8JsonReader reader)
    {
        if (IsNull(ref reader)) return null;
        int? code = null, signal = null;
        DateTimeOffset? at = null;
        string? lastWords = null;
        var outOfMemory = false;
        while (NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "code": code = Number(ref reader); break;
                case "signal": signal = Number(ref reader); break;
                case "at": at = Time(ref reader); break;
                case "last_words": lastWords = reader.GetString(); break;
                case "out_of_memory": outOfMemory = reader.TokenType == JsonTokenType.True; break;
                default: reader.Skip(); break;
            }
        }

        return new ExitDocument(code, signal, at ?? throw Missing("at"), lastWords, outOfMemory);
    }

    /// <summary>The name of the next property of an object, with the reader at its value; null at the object's end.</summary>
    private static string? NextName(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject) return null;
        if (reader.TokenType != JsonTokenType.PropertyName) throw new JsonException("there is something else where an object should be");
        var name = reader.GetString();
        reader.Read();
        return name;
    }

    /// <summary>Goes to the next item of an array; false at the array's end, and for null.</summary>
    private static bool NextItem(ref Utf8JsonReader reader) => !IsNull(ref reader) && reader.Read() && reader.TokenType != JsonTokenType.EndArray;

    private static void Texts(ref Utf8JsonReader reader, List<string> into)
    {
        while (NextItem(ref reader)) into.Add(reader.GetString()!);
    }

    private static bool IsNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null;

    private static int? Number(ref Utf8JsonReader reader) => IsNull(ref reader) ? null : reader.GetInt32();

    private static double? Fraction(ref Utf8JsonReader reader) => IsNull(ref reader) ? null : reader.GetDouble();

    private static DateTimeOffset? Time(ref Utf8JsonReader reader) => IsNull(ref reader) ? null : reader.GetDateTimeOffset();

    private static JsonException Missing(string name) => new($"`{name}` is missing");
}
