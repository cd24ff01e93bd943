using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>What became of one request: a refusal of the whole, or items. Filled anew for each request by its reader.</summary>
internal sealed class IngestResult
{
    private readonly List<IngestItem> _items = [];

    /// <summary>Several items may be in it, and the answer has one for each.</summary>
    public bool IsBatch { get; set; }

    /// <summary><c>?atomic=true</c>: all or none.</summary>
    public bool IsAtomic { get; set; }

    /// <summary>The request as a whole cannot be taken; then there are no items.</summary>
    public IngestRefusal? Refusal { get; private set; }

    public int Count { get; private set; }

    public int AcceptedCount { get; private set; }

    /// <summary>Some items are to be logged.</summary>
    public bool HasAccepted => Refusal is null && AcceptedCount > 0 && (!IsAtomic || AcceptedCount == Count);

    public IngestItem this[int index] => _items[index];

    /// <summary>The item is to be logged: nothing is wrong with it, nor, where all or none is asked for, with any other.</summary>
    public bool Takes(IngestItem item) => item.IsAccepted && HasAccepted;

    public void Clear()
    {
        (Count, AcceptedCount, Refusal, IsBatch, IsAtomic) = (0, 0, null, false, false);
    }

    public IngestItem Begin()
    {
        if (Count == _items.Count) _items.Add(new IngestItem());
        var item = _items[Count];
        item.Clear(Count++);
        return item;
    }

    public void End(IngestItem item)
    {
        if (item.IsAccepted) AcceptedCount++;
    }

    public void Refuse(int status, Mistake mistake)
    {
        (Count, AcceptedCount) = (0, 0);
        Refusal = new IngestRefusal(status, mistake);
    }
}

/// <param name="Status">400, 413 or 415.</param>
internal sealed record IngestRefusal(int Status, Mistake Mistake);
