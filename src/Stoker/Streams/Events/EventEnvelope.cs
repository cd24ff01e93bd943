using System.Text;

namespace Stoker.Streams.Events;

/// <summary>
/// One event. Texts are UTF-8 without escapes, places in the request or the frame that they were read from; empty means not there. One
/// object is used again for one event after the other.
/// </summary>
internal sealed class EventEnvelope
{
    private readonly List<EventAttribute> _extensions = [];

    public EventForm Form { get; set; }

    public ReadOnlyMemory<byte> Source { get; set; }

    public ReadOnlyMemory<byte> Id { get; set; }

    public ReadOnlyMemory<byte> Type { get; set; }

    public ReadOnlyMemory<byte> Subject { get; set; }

    /// <summary>When it happened, as RFC 3339 and just as the producer wrote it.</summary>
    public ReadOnlyMemory<byte> Time { get; set; }

    public ReadOnlyMemory<byte> DataSchema { get; set; }

    /// <summary>The media type of the data.</summary>
    public ReadOnlyMemory<byte> ContentType { get; set; }

    /// <summary>The schema that the data were held to; empty: none is declared for the type.</summary>
    public ReadOnlyMemory<byte> Schema { get; set; }

    /// <summary>The name of the key that sent it.</summary>
    public ReadOnlyMemory<byte> Producer { get; set; }

    /// <summary>W3C trace context of the request, or the event's own.</summary>
    public ReadOnlyMemory<byte> TraceParent { get; set; }

    public IReadOnlyList<EventAttribute> Extensions => _extensions;

    /// <summary>When the door had it whole.</summary>
    public DateTime Received { get; set; }

    /// <summary>Numbers of the vector at <c>embedding</c> in the data; 0: there is none.</summary>
    public int Dimension { get; set; }

    public bool HasData { get; set; }

    /// <summary>As they came, byte for byte.</summary>
    public ReadOnlyMemory<byte> Data { get; set; }

    public void Clear()
    {
        _extensions.Clear();
        Form = EventForm.Metadata;
        Source = Id = Type = Subject = Time = DataSchema = ContentType = Schema = Producer = TraceParent = Data = default;
        Received = default;
        Dimension = 0;
        HasData = false;
    }

    public void Add(EventAttribute attribute) => _extensions.Add(attribute);

    /// <summary>Of the extension at this index.</summary>
    public void Change(int index, AttributeKind kind) => _extensions[index] = _extensions[index] with { Kind = kind };

    public EventAttribute? Find(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _extensions.Count; i++)
        {
            if (_extensions[i].Name.Span.SequenceEqual(name)) return _extensions[i];
        }

        return null;
    }

    public override string ToString() => $"{Encoding.UTF8.GetString(Type.Span)} {Encoding.UTF8.GetString(Source.Span)} {Encoding.UTF8.GetString(Id.Span)}";
}
