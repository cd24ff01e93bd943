using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Schemas;

namespace Stoker.Streams.Ingest;

/// <summary>The types that a stream knows, found by their names. Immutable.</summary>
internal sealed class EventTypes
{
    private readonly NameTable<EventType> _types;

    public EventTypes(IngestSpec spec)
    {
        var metadata = new EventTypeSpec(spec.MetadataType, spec.MetadataType == EventsModule.GpuFacts ? GpuFacts.Schema : null, spec.Embedding);
        var types = new Dictionary<string, EventTypeSpec>
        {
            [EventsModule.GpuFacts] = new(EventsModule.GpuFacts, GpuFacts.Schema, spec.Embedding),
            [spec.MetadataType] = metadata,
        };
        foreach (var type in spec.Types) types[type.Type] = type.Type == spec.MetadataType ? type with { Embedding = type.Embedding ?? spec.Embedding } : type;
        _types = new NameTable<EventType>([.. types.Select(type => KeyValuePair.Create(type.Key, new EventType(type.Value)))]);
        Metadata = _types.Find(Encoding.UTF8.GetBytes(spec.MetadataType))!;
        Names = string.Join(", ", types.Keys.Order(StringComparer.Ordinal));
    }

    public EventType Metadata { get; }

    public string Names { get; }

    public EventType? Find(ReadOnlySpan<byte> type) => _types.Find(type);
}

internal sealed class EventType(EventTypeSpec spec)
{
    public ReadOnlyMemory<byte> Name { get; } = Encoding.UTF8.GetBytes(spec.Type);

    public JsonSchema? Schema => spec.Schema;

    public VectorSpec? Embedding => spec.Embedding;
}
