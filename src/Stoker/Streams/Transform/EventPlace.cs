namespace Stoker.Streams.Transform;

/// <summary>Where a log has an event.</summary>
internal readonly record struct EventPlace(string Log, int Partition, long Offset);

/// <summary>What the estate knows of where an event comes from; null: nothing.</summary>
internal sealed record EventEnrichment(string? Host, string? Gpu)
{
    public static EventEnrichment None { get; } = new(null, null);
}
