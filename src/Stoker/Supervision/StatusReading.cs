using System.Text.Json;
namespace Stoker.Supervision;

/// <summary>
/// Reads a <see cref="StatusDocument"/> by hand. The generated reader does the same, but has some 450 generic methods compiled at the
/// first use: three times what the rest of <c>stoker status</c> takes. The two are held together by a test.
/// </summary>
internal static class StatusReading
{
    public static StatusDocument Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var services = new List<ServiceDocument>();
        foreach (var service in root.GetProperty("services").EnumerateArray()) services.Add(Service(service));
        return new StatusDocument(root.GetProperty("estate").GetString()!, Text(root, "host"), services);
    }

    private static ServiceDocument Service(JsonElement json)
    {
        var replicas = new List<ReplicaDocument>();
        foreach (var replica in json.GetProperty("replicas").EnumerateArray()) replicas.Add(Replica(replica));
        return new ServiceDocument(json.GetProperty("name").GetString()!, State(json), Time(json, "since")!.Value)
        {
            Group = Text(json, "group"),
            Host = Text(json, "host"),
            Pid = Number(json, "pid"),
            Restarts = json.GetProperty("restarts").GetInt32(),
            StartsOnRequest = Value(json, "starts_on_request") is { ValueKind: JsonValueKind.True },
            StandIn = Text(json, "stand_in"),
            Gpus = Texts(json, "gpus"),
            Reason = Text(json, "reason"),
            NotEnforced = Texts(json, "not_enforced"),
            WaitsFor = Texts(json, "waits_for"),
            Replicas = replicas,
        };
    }

    private static ReplicaDocument Replica(JsonElement json)
    {
        var ports = new List<int>();
        foreach (var port in json.GetProperty("ports").EnumerateArray()) ports.Add(port.GetInt32());
        return new ReplicaDocument(json.GetProperty("index").GetInt32(), State(json), Time(json, "since")!.Value)
        {
            Pid = Number(json, "pid"),
            Restarts = json.GetProperty("restarts").GetInt32(),
            Ports = ports,
            StartedAt = Time(json, "started_at"),
            StartTookMs = Fraction(json, "start_took_ms"),
            LastExit = Value(json, "last_exit") is { } exit
                ? new ExitDocument(Number(exit, "code"), Number(exit, "signal"), Time(exit, "at")!.Value, Text(exit, "last_words"), Value(exit, "out_of_memory") is { ValueKind: JsonValueKind.True })
                : null,
            RetryAt = Time(json, "retry_at"),
            LastProbe = Text(json, "last_probe"),
            OwnStatus = Text(json, "own_status"),
            Reason = Text(json, "reason"),
            CpuPercent = Fraction(json, "cpu_percent"),
            MemoryBytes = Value(json, "memory_bytes") is { } bytes ? bytes.GetInt64() : null,
        };
    }

    private static ServiceState State(JsonElement json) => StateWords.Read(json.GetProperty("state").GetString());

    /// <summary>Absent and null are the same, so that a client reads an older daemon.</summary>
    private static JsonElement? Value(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement json, string name) => Value(json, name)?.GetString();

    private static int? Number(JsonElement json, string name) => Value(json, name) is { } value ? value.GetInt32() : null;

    private static double? Fraction(JsonElement json, string name) => Value(json, name) is { } value ? value.GetDouble() : null;

    private static DateTimeOffset? Time(JsonElement json, string name) => Value(json, name) is { } value ? value.GetDateTimeOffset() : null;

    private static List<string> Texts(JsonElement json, string name)
    {
        var texts = new List<string>();
        if (Value(json, name) is not { } array) return texts;
        foreach (var text in array.EnumerateArray()) texts.Add(text.GetString()!);
        return texts;
    }
}
