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
    public static StatusDocument Read(ReadOnlyMemory<byte> json) => JsonByHand.Read(json.Span, Status);

    private static StatusDocument Status(ref Utf8JsonReader reader)
    {
        string? estate = null, host = null;
        List<ServiceDocument> services = [];
        while (JsonByHand.NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "estate": estate = reader.GetString(); break;
                case "host": host = reader.GetString(); break;
                case "services":
                    while (JsonByHand.NextItem(ref reader)) services.Add(Service(ref reader));
                    break;
                default: reader.Skip(); break;
            }
        }

        return new StatusDocument(estate ?? throw JsonByHand.Missing("estate"), host, services);
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
        while (JsonByHand.NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "name": service = reader.GetString(); break;
                case "state": state = reader.GetString(); break;
                case "since": since = JsonByHand.ReadTime(ref reader); break;
                case "group": group = reader.GetString(); break;
                case "host": host = reader.GetString(); break;
                case "pid": pid = JsonByHand.ReadInt(ref reader); break;
                case "restarts": restarts = JsonByHand.ReadInt(ref reader); break;
                case "starts_on_request": startsOnRequest = reader.TokenType == JsonTokenType.True; break;
                case "stand_in": standIn = reader.GetString(); break;
                case "reason": reason = reader.GetString(); break;
                case "gpus": JsonByHand.ReadStrings(ref reader, gpus); break;
                case "not_enforced": JsonByHand.ReadStrings(ref reader, notEnforced); break;
                case "waits_for": JsonByHand.ReadStrings(ref reader, waitsFor); break;
                case "replicas":
                    while (JsonByHand.NextItem(ref reader)) replicas.Add(Replica(ref reader));
                    break;
                default: reader.Skip(); break;
            }
        }

        return new ServiceDocument(service ?? throw JsonByHand.Missing("name"), StateWords.Read(state), since ?? throw JsonByHand.Missing("since"))
        {
            Group = group,
            Host = host,
            Pid = pid,
            Restarts = restarts ?? throw JsonByHand.Missing("restarts"),
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
        while (JsonByHand.NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "index": index = JsonByHand.ReadInt(ref reader); break;
                case "state": state = reader.GetString(); break;
                case "since": since = JsonByHand.ReadTime(ref reader); break;
                case "pid": pid = JsonByHand.ReadInt(ref reader); break;
                case "restarts": restarts = JsonByHand.ReadInt(ref reader); break;
                case "ports":
                    while (JsonByHand.NextItem(ref reader)) ports.Add(reader.GetInt32());
                    break;
                case "started_at": startedAt = JsonByHand.ReadTime(ref reader); break;
                case "start_took_ms": startTook = JsonByHand.ReadDouble(ref reader); break;
                case "last_exit": lastExit = Exit(ref reader); break;
                case "retry_at": retryAt = JsonByHand.ReadTime(ref reader); break;
                case "last_probe": lastProbe = reader.GetString(); break;
                case "own_status": ownStatus = reader.GetString(); break;
                case "reason": reason = reader.GetString(); break;
                case "cpu_percent": cpu = JsonByHand.ReadDouble(ref reader); break;
                case "memory_bytes": memory = JsonByHand.IsNull(ref reader) ? null : reader.GetInt64(); break;
                default: reader.Skip(); break;
            }
        }

        return new ReplicaDocument(index ?? throw JsonByHand.Missing("index"), StateWords.Read(state), since ?? throw JsonByHand.Missing("since"))
        {
            Pid = pid,
            Restarts = restarts ?? throw JsonByHand.Missing("restarts"),
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
        if (JsonByHand.IsNull(ref reader)) return null;
        int? code = null, signal = null;
        DateTimeOffset? at = null;
        string? lastWords = null;
        var outOfMemory = false;
        while (JsonByHand.NextName(ref reader) is { } name)
        {
            switch (name)
            {
                case "code": code = JsonByHand.ReadInt(ref reader); break;
                case "signal": signal = JsonByHand.ReadInt(ref reader); break;
                case "at": at = JsonByHand.ReadTime(ref reader); break;
                case "last_words": lastWords = reader.GetString(); break;
                case "out_of_memory": outOfMemory = reader.TokenType == JsonTokenType.True; break;
                default: reader.Skip(); break;
            }
        }

        return new ExitDocument(code, signal, at ?? throw JsonByHand.Missing("at"), lastWords, outOfMemory);
    }
}
