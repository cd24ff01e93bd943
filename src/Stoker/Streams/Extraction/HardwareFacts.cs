using System.Text.Json;
using Stoker.Platform;

namespace Stoker.Streams.Extraction;

/// <summary>What is known of the GPUs beside the data, as documents have it at <c>gpu_hardware</c>.</summary>
/// <param name="Origin"><c>nvml</c>: the driver said it; <c>declared</c>: the estate file did, and nothing was looked at; <c>none</c>: there is no GPU.</param>
/// <param name="Problems">What the driver did not tell, in words.</param>
internal sealed record HardwareFacts(string Origin, IReadOnlyList<DeviceFacts> Devices, IReadOnlyList<string> Problems)
{
    /// <summary>The driver's facts where there is one with a card, else the declared, else none.</summary>
    public static HardwareFacts Of(NvmlAnswer answer, IReadOnlyList<DeviceFacts> declared)
    {
        var problems = answer switch
        {
            NvmlAnswer.Found found => found.Problems,
            NvmlAnswer.Failed failed => [failed.Words],
            _ => [],
        };
        // A card without a name is none that a document may have.
        if (answer is NvmlAnswer.Found { Cards: var cards } all && cards.Where(card => card.Name is not null).ToList() is { Count: > 0 } named)
            return new HardwareFacts("nvml", [.. named.Select(card => Of(card, all))], problems);
        return declared.Count > 0 ? new HardwareFacts("declared", declared, problems) : new HardwareFacts("none", [new DeviceFacts("cpu") { Count = 0 }], problems);
    }

    /// <summary>An object, or an array where there are several.</summary>
    public void Write(Utf8JsonWriter json)
    {
        if (Devices.Count > 1) json.WriteStartArray();
        foreach (var device in Devices) device.Write(json);
        if (Devices.Count > 1) json.WriteEndArray();
    }

    private static DeviceFacts Of(NvmlCard card, NvmlAnswer.Found all) => new(card.Name!)
    {
        Index = card.Index, Count = all.Count, Uuid = card.Uuid, TotalMemory = card.TotalMemory, AllocatedMemory = card.UsedMemory, ComputeCapability = card.ComputeCapability, Cuda = all.Cuda,
        Driver = all.Driver, Celsius = card.Celsius, Watts = card.Watts, Percent = card.Percent,
    };
}

/// <summary>One device; null is not known, and is left out. Memory in bytes.</summary>
internal sealed record DeviceFacts(string Name)
{
    public int? Index { get; init; }

    public int? Count { get; init; }

    public string? Uuid { get; init; }

    public long? TotalMemory { get; init; }

    public long? AllocatedMemory { get; init; }

    public string? ComputeCapability { get; init; }

    public string? Cuda { get; init; }

    public string? Driver { get; init; }

    public double? Celsius { get; init; }

    public double? Watts { get; init; }

    public double? Percent { get; init; }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("device_name", Name);
        Number("device_index", Index);
        Number("device_count", Count);
        Text("uuid", Uuid);
        Number("total_memory", TotalMemory);
        Number("allocated_memory", AllocatedMemory);
        Text("compute_capability", ComputeCapability);
        Text("cuda_version", Cuda);
        Text("driver_version", Driver);
        Number("temperature_c", Celsius);
        Number("power_w", Watts);
        Number("utilization", Percent);
        json.WriteEndObject();

        void Text(string name, string? value)
        {
            if (value is not null) json.WriteString(name, value);
        }

        void Number(string name, double? value)
        {
            if (value is { } known) json.WriteNumber(name, known);
        }
    }
}
