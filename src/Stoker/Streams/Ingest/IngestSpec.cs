using Stoker.Streams.Events;
using Stoker.Streams.Schemas;

namespace Stoker.Streams.Ingest;

/// <summary>What a stream takes.</summary>
internal sealed record IngestSpec
{
    /// <summary>The type of metadata documents; they are the data that it is about.</summary>
    public string MetadataType { get; init; } = EventsModule.GpuFacts;

    /// <summary>Types that are declared. <c>gpu.facts.v1</c> is there in any case, and may be declared again with another schema.</summary>
    public IReadOnlyList<EventTypeSpec> Types { get; init; } = [];

    /// <summary>Only declared types are taken.</summary>
    public bool OnlyDeclaredTypes { get; init; }

    /// <summary>Fields that a metadata document must have beyond what its schema asks for: <c>embedding</c>, <c>source_uri</c>.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>What vectors of metadata documents must be.</summary>
    public VectorSpec Embedding { get; init; } = new();

    /// <summary>The largest event, in bytes.</summary>
    public int MaxEvent { get; init; } = IngestModule.MaxEvent;

    /// <summary>The most items of a batch.</summary>
    public int MaxBatch { get; init; } = IngestModule.MaxBatch;
}

/// <summary>A type of events: the schema of their data, and whether these have a vector at <c>embedding</c>.</summary>
internal sealed record EventTypeSpec(string Type, JsonSchema? Schema, VectorSpec? Embedding = null);
