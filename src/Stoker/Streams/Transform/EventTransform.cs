namespace Stoker.Streams.Transform;

/// <summary>All that makes documents of a stream's events. Immutable.</summary>
/// <param name="Usual">What is said of where an event comes from, where no directory is declared.</param>
/// <param name="Hosts">Finds it by the event's data; null: none is declared.</param>
internal sealed record EventTransform(TransformPlan Plan, EventEnrichment Usual, HostDirectory? Hosts)
{
    /// <summary>Nothing is declared.</summary>
    /// <param name="host">Of the stream itself; null: not known.</param>
    public static EventTransform Of(string? host) => new(TransformPlan.Plain, new EventEnrichment(host, null), null);
}
