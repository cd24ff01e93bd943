using System.Text;

namespace Stoker.Streams.Transform;

/// <summary>Where a log has an event.</summary>
internal readonly record struct EventPlace(string Log, int Partition, long Offset);

/// <summary>What the estate knows of where an event comes from; null: nothing.</summary>
internal sealed record EventEnrichment(string? Host, string? Gpu)
{
    /// <summary>Empty: not known.</summary>
    public ReadOnlyMemory<byte> HostBytes { get; } = Encoding.UTF8.GetBytes(Host ?? "");

    public ReadOnlyMemory<byte> GpuBytes { get; } = Encoding.UTF8.GetBytes(Gpu ?? "");

    /// <summary>What else is known of the host: JSON, an object; null: nothing.</summary>
    public byte[]? Facts { get; init; }

    public static EventEnrichment None { get; } = new(null, null);
}
