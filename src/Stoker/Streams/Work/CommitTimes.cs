namespace Stoker.Streams.Work;

/// <summary>When events were stored, for the last few thousand batches since the process began. Written by the worker, read by anybody.</summary>
internal sealed class CommitTimes
{
    private const int Most = 4096;

    private readonly Lock _access = new();
    private readonly Queue<(ulong Next, long At)> _commits = new();
    private ulong _from = ulong.MaxValue;

    public void Add(ulong next, long at)
    {
        lock (_access)
        {
            if (_commits.Count == Most) _from = _commits.Dequeue().Next;
            _commits.Enqueue((next, at));
        }
    }

    /// <summary>Microseconds of UTC; null: not known any more.</summary>
    public long? Of(ulong offset, ulong since)
    {
        lock (_access)
        {
            var first = _from == ulong.MaxValue ? since : _from;
            if (offset < first) return null;
            foreach (var (next, at) in _commits)
            {
                if (offset < next) return at;
            }

            return null;
        }
    }
}
