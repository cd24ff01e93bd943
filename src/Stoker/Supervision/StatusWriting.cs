using System.Text.Json;

namespace Stoker.Supervision;

/// <summary>Writes a <see cref="StatusDocument"/>, which a starting daemon is asked for many times a second, by hand.</summary>
internal static class StatusWriting
{
    public static byte[] Write(StatusDocument status) => JsonByHand.Object(status, static (json, status) =>
    {
        json.WriteString("estate", status.Estate);
        json.WriteString("host", status.Host);
        json.WriteObjects("services", status.Services, Service);
    });

    private static void Service(Utf8JsonWriter json, ServiceDocument service)
    {
        json.WriteString("name", service.Name);
        json.WriteString("state", StateWords.Of(service.State));
        json.WriteString("since", service.Since);
        json.WriteString("group", service.Group);
        json.WriteString("host", service.Host);
        json.WriteOptional("pid", service.Pid);
        json.WriteNumber("restarts", service.Restarts);
        json.WriteBoolean("starts_on_request", service.StartsOnRequest);
        json.WriteString("stand_in", service.StandIn);
        json.WriteStrings("gpus", service.Gpus);
        json.WriteString("reason", service.Reason);
        json.WriteStrings("not_enforced", service.NotEnforced);
        json.WriteStrings("waits_for", service.WaitsFor);
        json.WriteObjects("replicas", service.Replicas, Replica);
    }

    private static void Replica(Utf8JsonWriter json, ReplicaDocument replica)
    {
        json.WriteNumber("index", replica.Index);
        json.WriteString("state", StateWords.Of(replica.State));
        json.WriteString("since", replica.Since);
        json.WriteOptional("pid", replica.Pid);
        json.WriteNumber("restarts", replica.Restarts);
        json.WriteNumbers("ports", replica.Ports);
        json.WriteOptional("started_at", replica.StartedAt);
        json.WriteOptional("start_took_ms", replica.StartTookMs);
        json.WritePropertyName("last_exit");
        if (replica.LastExit is { } exit) json.WriteObject(exit, Exit);
        else json.WriteNullValue();
        json.WriteOptional("retry_at", replica.RetryAt);
        json.WriteString("last_probe", replica.LastProbe);
        json.WriteString("own_status", replica.OwnStatus);
        json.WriteString("reason", replica.Reason);
        json.WriteOptional("cpu_percent", replica.CpuPercent);
        json.WriteOptional("memory_bytes", replica.MemoryBytes);
    }

    private static void Exit(Utf8JsonWriter json, ExitDocument exit)
    {
        json.WriteOptional("code", exit.Code);
        json.WriteOptional("signal", exit.Signal);
        json.WriteString("at", exit.At);
        json.WriteString("last_words", exit.LastWords);
        json.WriteBoolean("out_of_memory", exit.OutOfMemory);
    }
}
