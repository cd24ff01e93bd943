using System.Buffers;
using System.Runtime.InteropServices;

namespace Stoker.Streams.Stores;

/// <summary>
/// Documents of one partition that are written together, with the position that they bring the store to. Used again and again: <see cref="Begin"/>, <see cref="Add"/>
/// in the log's order, <see cref="End"/>, apply.
/// </summary>
/// <param name="deadLetters">
/// Takes what the store will never take, before the position passes it: has it durable when it returns. May be called again with the same when the store
/// breaks off afterwards. What it throws comes out of the apply, which then has not happened.
/// </param>
internal sealed class DocumentBatch(Func<IReadOnlyList<PoisonDocument>, CancellationToken, Task> deadLetters)
{
    private readonly List<StoredDocument> _documents = [];
    private readonly List<int> _distinct = [];
    private readonly Dictionary<Guid, int> _byKey = [];
    private readonly List<PoisonDocument> _poison = [];
    private ItemOutcome[] _outcomes = [];

    /// <summary>Where it begins: the position that the store has to be at. Null: a replay, or a dead letter again, which leaves the position alone.</summary>
    public long? From { get; private set; }

    /// <summary>Where it ends.</summary>
    public StorePosition Next { get; private set; }

    public ReadOnlySpan<StoredDocument> Documents => CollectionsMarshal.AsSpan(_documents);

    /// <summary>Those to write: of several with the same key only the one that is to stay.</summary>
    public ReadOnlySpan<int> Distinct => CollectionsMarshal.AsSpan(_distinct);

    public IReadOnlyList<PoisonDocument> Poison => _poison;

    /// <param name="from">See <see cref="From"/>.</param>
    public void Begin(long? from)
    {
        _documents.Clear();
        From = from;
        Next = default;
    }

    public void Add(in StoredDocument document) => _documents.Add(document with
    {
        Id = WithoutNul(document.Id),
        Source = WithoutNul(document.Source),
        Type = WithoutNul(document.Type),
        Host = WithoutNul(document.Host),
        Gpu = WithoutNul(document.Gpu),
    });

    /// <param name="next">Past everything that the batch stands for, also what was dropped on the way.</param>
    public void End(StorePosition next)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(next.Next, From ?? next.Next);
        Next = next;
    }

    public ItemOutcome Outcome(int item) => _outcomes[item];

    /// <summary>For the store: begins an attempt.</summary>
    public void Prepare(StoreMode mode)
    {
        if (_outcomes.Length < _documents.Count) _outcomes = new ItemOutcome[Math.Max(_documents.Count, 2 * _outcomes.Length)];
        _outcomes.AsSpan().Clear();
        _byKey.Clear();
        _distinct.Clear();
        _poison.Clear();
        var documents = Documents;
        for (var item = 0; item < documents.Length; item++)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_byKey, documents[item].Key, out var isKnown);
            if (!isKnown)
            {
                place = _distinct.Count;
                _distinct.Add(item);
                continue;
            }

            var other = _distinct[place];
            var isLater = mode == StoreMode.Latest && documents[item].Sequence > documents[other].Sequence;
            if (isLater) _distinct[place] = item;
            _outcomes[isLater ? other : item] = ItemOutcome.Duplicate;
        }
    }

    /// <summary>For the store: the item with this key was not written.</summary>
    public void MarkDuplicate(int item) => _outcomes[item] = ItemOutcome.Duplicate;

    /// <summary>For the store: of those to write only these were written.</summary>
    public void MarkDuplicatesBut(HashSet<Guid> written)
    {
        foreach (var item in Distinct)
        {
            if (_outcomes[item] != ItemOutcome.Poison && !written.Contains(Documents[item].Key)) MarkDuplicate(item);
        }
    }

    public void MarkPoison(int item, string reason)
    {
        _outcomes[item] = ItemOutcome.Poison;
        _poison.Add(new PoisonDocument(item, reason));
    }

    /// <summary>For the store, before the position moves.</summary>
    public Task HandOverPoisonAsync(CancellationToken cancellation)
    {
        if (_poison.Count == 0) return Task.CompletedTask;
        MarkThoseBehindPoison();
        return deadLetters([.. _poison.OrderBy(dead => dead.Item)], cancellation);
    }

    /// <summary>For the store, when it is done.</summary>
    public ApplyOutcome.Applied Applied()
    {
        var outcomes = _outcomes.AsSpan(0, _documents.Count);
        var duplicates = outcomes.Count(ItemOutcome.Duplicate);
        return new ApplyOutcome.Applied(_documents.Count - duplicates - _poison.Count, duplicates, _poison.Count);
    }

    // They gave way to one with the same key, which is then not there; they may be better, and are not lost.
    private void MarkThoseBehindPoison()
    {
        var refused = _poison.ToDictionary(dead => Documents[dead.Item].Key, dead => dead.Item);
        for (var item = 0; item < _documents.Count; item++)
        {
            if (_outcomes[item] == ItemOutcome.Duplicate && refused.TryGetValue(_documents[item].Key, out var other))
                MarkPoison(item, $"its key is that of item {other} of the same batch, which was refused");
        }
    }

    // Some stores refuse NUL in text; a column is for finding, and the document has it as it was.
    private static ReadOnlyMemory<byte> WithoutNul(ReadOnlyMemory<byte> text)
    {
        if (!text.Span.Contains((byte)0)) return text;
        var clean = new ArrayBufferWriter<byte>(text.Length + 8);
        foreach (var unit in text.Span) clean.Write(unit == 0 ? "\uFFFD"u8 : new ReadOnlySpan<byte>(in unit));
        return clean.WrittenMemory;
    }
}
