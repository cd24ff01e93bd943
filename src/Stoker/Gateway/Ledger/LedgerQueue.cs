namespace Stoker.Gateway.Ledger;

/// <summary>
/// Rows on their way to the disk. Who adds one waits for nobody but another who adds one, for as long as copying a row takes. In chunks that are
/// used again: nothing is allocated while the writer keeps up, and memory is given back after it did not.
/// </summary>
/// <param name="most">Rows held at once; further ones are not taken.</param>
internal sealed class LedgerQueue(int most)
{
    /// <summary>Rows of one chunk, which stays below the size at which the runtime treats arrays as large.</summary>
    private const int ChunkRows = 256;

    private const int SpareChunks = 8;

    private readonly Lock _access = new();
    private readonly Queue<LedgerRow[]> _full = new();
    private readonly Stack<LedgerRow[]> _spare = new();
    private LedgerRow[] _current = new LedgerRow[ChunkRows];
    private int _inCurrent;
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
            if (_inCurrent == ChunkRows)
            {
                _full.Enqueue(_current);
                _current = _spare.TryPop(out var spare) ? spare : new LedgerRow[ChunkRows];
                _inCurrent = 0;
            }

            _current[_inCurrent++] = row;
            return ++_count;
        }
    }

    /// <summary>Moves rows out, oldest first, a chunk at a time, until there are none or the list has so many or more.</summary>
    public void MoveTo(List<LedgerRow> rows, int enough)
    {
        while (rows.Count < enough)
        {
            LedgerRow[] chunk;
            int length;
            lock (_access)
            {
                if (_count == 0) return;
                if (_full.TryDequeue(out var full))
                {
                    (chunk, length) = (full, ChunkRows);
                }
                else
                {
                    (chunk, length) = (_current, _inCurrent);
                    _current = _spare.TryPop(out var spare) ? spare : new LedgerRow[ChunkRows];
                    _inCurrent = 0;
                }

                _count -= length;
            }

            rows.AddRange(chunk.AsSpan(0, length));
            // What it refers to must not be kept alive.
            Array.Clear(chunk, 0, length);
            lock (_access)
            {
                if (_spare.Count < SpareChunks) _spare.Push(chunk);
            }
        }
    }
}
