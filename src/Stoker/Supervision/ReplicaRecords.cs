using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Estates;
using Stoker.Platform;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>
/// What a later daemon needs to take over a replica: one small file per replica. Written before the process starts (without a
/// pid, so that a daemon killed in that very moment is succeeded by one that looks for the run's mark) and again after.
/// </summary>
internal sealed record ReplicaRecord(string Service, int Replica, string RunId, int Run, string BootId)
{
    public int Pid { get; init; }

    public ulong StartTicks { get; init; }

    public int SessionId { get; init; }

    public string Fingerprint { get; init; } = "";

    public DateTimeOffset StartedAt { get; init; }

    public bool WasHealthy { get; init; }

    public int Restarts { get; init; }

    public int Attempt { get; init; }

    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>Name of the container; null for a process.</summary>
    public string? Container { get; init; }

    /// <summary>What the image of the container says of health; null: not known, or not asked.</summary>
    public ImageHealthcheck? Image { get; init; }

    /// <summary>What it was when this was written; null in records of older versions.</summary>
    public ServiceState? State { get; init; }

    /// <summary>Since when it was that, or had ended.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Set when nothing runs: <c>Completed</c>, <c>Failed</c> or <c>Stopped</c>, so that a later daemon neither repeats a task nor starts what was stopped.</summary>
    public ServiceState? Ended { get; init; }

    /// <summary>The container tool, for a run that must be ended after its service has left the file.</summary>
    public string? Tool { get; init; }

    public int StopSignal { get; init; } = 15;

    public ContainerHandle? Handle() => Container is { } name && Tool is { } tool ? new ContainerHandle(tool, name) : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ReplicaRecord))]
internal sealed partial class ReplicaRecordJson : JsonSerializerContext;

/// <summary>The files of <see cref="ReplicaRecord"/>.</summary>
internal sealed class ReplicaRecords(string directory)
{
    public void Save(ReplicaRecord record) => Files.Replace(PathOf(record.Service, record.Replica), Write(record));

    public void Drop(string service, int replica) => Files.Delete(PathOf(service, replica));

    /// <summary>Those of this boot; what an earlier boot left is removed, for its processes are gone.</summary>
    public IReadOnlyList<ReplicaRecord> ReadAll(string bootId)
    {
        var records = new List<ReplicaRecord>();
        foreach (var path in Files.List(directory, "*.json"))
        {
            if (Parse(path) is { } record && record.BootId == bootId) records.Add(record);
            else Files.Delete(path);
        }

        return records;
    }

    /// <summary>The same, and nothing is removed: for whom does not hold the daemon's lock.</summary>
    public IReadOnlyList<ReplicaRecord> Look(string bootId) =>
        [.. Files.List(directory, "*.json").Select(Parse).OfType<ReplicaRecord>().Where(r => r.BootId == bootId)];

    internal static byte[] Write(ReplicaRecord record) => JsonByHand.Object(record, static (json, record) =>
    {
        json.WriteString("service", record.Service);
        json.WriteNumber("replica", record.Replica);
        json.WriteString("run_id", record.RunId);
        json.WriteNumber("run", record.Run);
        json.WriteString("boot_id", record.BootId);
        json.WriteNumber("pid", record.Pid);
        json.WriteNumber("start_ticks", record.StartTicks);
        json.WriteNumber("session_id", record.SessionId);
        json.WriteString("fingerprint", record.Fingerprint);
        json.WriteString("started_at", record.StartedAt);
        json.WriteBoolean("was_healthy", record.WasHealthy);
        json.WriteNumber("restarts", record.Restarts);
        json.WriteNumber("attempt", record.Attempt);
        json.WriteNumbers("ports", record.Ports);
        json.WriteString("container", record.Container);
        json.WritePropertyName("image");
        if (record.Image is { } image) JsonSerializer.Serialize(json, image, ReplicaRecordJson.Default.ImageHealthcheck);
        else json.WriteNullValue();
        json.WriteOptional("state", (int?)record.State);
        json.WriteOptional("since", record.Since);
        json.WriteOptional("ended", (int?)record.Ended);
        json.WriteString("tool", record.Tool);
        json.WriteNumber("stop_signal", record.StopSignal);
    });

    private static ReplicaRecord? Parse(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(Files.ReadAllBytes(path), ReplicaRecordJson.Default.ReplicaRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string PathOf(string service, int replica) => Path.Combine(directory, $"{service}.{replica}.json");
}
