namespace Stoker.Streams.Work;

/// <summary>When events were stored, for the last few thousand batches since the process began. Written by the worker, read by anybody.</summary>
internal sealed class CommitTimes
{
    private const int Most = 4096;

    private readonly Lock _access = new();
    private readonly Queue<(ulong Next, long At)> _commits = new();
    private ulong? _from;
    private ulong _next;

    /// <summary>The store was found here: what is before was stored by an earlier process, or by this one without an answer, which is known now.</summary>
    public void Begin(ulong next, long at)
    {
        lock (_access)
        {
            if (_from is not null && next > _next) Add(next, at);
            _from ??= next;
            _next = next;
        }
    }

    public void Add(ulong next, long at)
    {
        lock (_access)
        {
            if (_commits.Count == Most) _from = _commits.Dequeue().Next;
            _commits.Enqueue((next, at));
            _next = next;
        }
    }

    /// <summary>Microseconds of UTC; null: not known, or not any more.</summary>
    public long? Of(ulong offset)
    {
        lock (_access)
        {
            if (_from is not { } from || offset < from) return null;
            foreach (var (next, at) in _commits)
            {
                if (offset < next) return at;
            }

            return null;
        }
    }
}
