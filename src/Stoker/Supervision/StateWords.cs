using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoker.Supervision;

/// <summary>States in lower case, as everywhere a person or a program meets them.</summary>
internal static class StateWords
{
    public static string Of(ServiceState state) => state switch
    {
        ServiceState.Waiting => "waiting",
        ServiceState.Starting => "starting",
        ServiceState.Healthy => "healthy",
        ServiceState.Running => "running",
        ServiceState.Unhealthy => "unhealthy",
        ServiceState.Backoff => "backoff",
        ServiceState.Stopping => "stopping",
        ServiceState.Stopped => "stopped",
        ServiceState.Completed => "completed",
        ServiceState.Failed => "failed",
    };

    /// <exception cref="JsonException">There is no such state.</exception>
    public static ServiceState Read(string? word) => word switch
    {
        "waiting" => ServiceState.Waiting,
        "starting" => ServiceState.Starting,
        "healthy" => ServiceState.Healthy,
        "running" => ServiceState.Running,
        "unhealthy" => ServiceState.Unhealthy,
        "backoff" => ServiceState.Backoff,
        "stopping" => ServiceState.Stopping,
        "stopped" => ServiceState.Stopped,
        "completed" => ServiceState.Completed,
        "failed" => ServiceState.Failed,
        _ => throw new JsonException($"no such state: {word}"),
    };

    /// <summary>The same words in generated JSON.</summary>
    internal sealed class Converter : JsonConverter<ServiceState>
    {
        public override ServiceState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => StateWords.Read(reader.GetString());

        public override void Write(Utf8JsonWriter writer, ServiceState value, JsonSerializerOptions options) => writer.WriteStringValue(Of(value));
    }
}
