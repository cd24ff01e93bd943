namespace Stoker.Gateway.Ledger;

/// <summary>
/// Rows on their way to the disk. Who adds one waits for nobody but another who adds one, for as long as copying a row takes; the writer takes whole chunks
/// and gives them back. Nothing is allocated while it keeps up, and memory is given back after it did not.
/// </summary>
/// <param name="most">Rows held at once; further ones are not taken.</param>
internal sealed class LedgerQueue(int most)
{
    private const int SpareChunks = 32;

    private readonly Lock _access = new();
    private readonly Queue<LedgerChunk> _full = new();
    private readonly Stack<LedgerChunk> _spare = new();
    private LedgerChunk _current = new();
    private int _count;

    public int Count
    {
        get
        {
            lock (_access) return _count;
        }
    }

    /// <returns>How many are held now; -1: it was full, and the row is not taken.</returns>
    public int Add(in LedgerRow row)
    {
        lock (_access)
        {
            if (_count == most) return -1;
            if (_current.IsFull)
            {
                _full.Enqueue(_current);
                _current = Fresh();
            }

            _current.Add(row);
            return ++_count;
        }
    }

    /// <summary>Moves rows out, oldest first, a chunk at a time, until there are none or the group has so many or more.</summary>
    public void MoveTo(LedgerGroup group, int enough)
    {
        lock (_access)
        {
            while (group.Count < enough && _count > 0)
            {
                if (!_full.TryDequeue(out var chunk)) (chunk, _current) = (_current, Fresh());
                _count -= chunk.Count;
                group.Add(chunk);
            }
        }
    }

    /// <summary>The group's rows are no longer needed: empties it, for its chunks to be used again.</summary>
    public void TakeBack(LedgerGroup group)
    {
        foreach (var chunk in group.Chunks) chunk.Clear();
        lock (_access)
        {
            foreach (var chunk in group.Chunks)
            {
                if (_spare.Count < SpareChunks) _spare.Push(chunk);
            }
        }

        group.Clear();
    }

    private LedgerChunk Fresh() => _spare.TryPop(out var spare) ? spare : new LedgerChunk();
}

/// <summary>Some rows in the order they came. Below the size at which the runtime treats arrays as large.</summary>
internal sealed class LedgerChunk
{
    private readonly LedgerRow[] _rows = new LedgerRow[256];

    public int Count { get; private set; }

    public bool IsFull => Count == _rows.Length;

    public ReadOnlySpan<LedgerRow> Rows => _rows.AsSpan(0, Count);

    public void Add(in LedgerRow row) => _rows[Count++] = row;

    /// <summary>Also of what the rows refer to, which must not be kept alive.</summary>
    public void Clear()
    {
        Array.Clear(_rows, 0, Count);
        Count = 0;
    }
}

/// <summary>Rows that are committed together.</summary>
internal sealed class LedgerGroup
{
    private readonly List<LedgerChunk> _chunks = [];

    public int Count { get; private set; }

    public IReadOnlyList<LedgerChunk> Chunks => _chunks;

    public void Add(LedgerChunk chunk)
    {
        _chunks.Add(chunk);
        Count += chunk.Count;
    }

    public void Clear()
    {
        _chunks.Clear();
        Count = 0;
    }
}
