using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>One event of a request and the verdict on it. Used again for other requests: what is to stay is copied from it.</summary>
internal sealed class IngestItem
{
    /// <summary>Its place among the items of the request, from 0.</summary>
    public int Index { get; set; }

    /// <summary>Complete only where nothing is wrong.</summary>
    public EventEnvelope Event { get; } = new();

    public MistakeList Mistakes { get; } = new();

    /// <summary>The id was made of the content, because the document has none.</summary>
    public bool IsIdDerived { get; set; }

    public bool IsAccepted => Mistakes.Count == 0;

    public void Clear(int index)
    {
        Index = index;
        Event.Clear();
        Mistakes.Clear();
        IsIdDerived = false;
    }
}
