namespace Stoker.Streams.Kafka;

/// <summary>What one thread has fetched and another takes, all at once: each of them once, in their order. One puts, one takes.</summary>
/// <param name="most">Of these, or of bytes, beyond which whoever puts waits.</param>
internal sealed class FetchQueue<T>(int most, long mostBytes) : IDisposable
{
    private readonly Lock _access = new();
    private readonly AutoResetEvent _room = new(false);
    private List<T> _fetched = [];
    private TaskCompletionSource? _more;
    private string? _failure;
    private ulong _end;
    private long _bytes;
    private volatile bool _isClosed;

    public bool IsClosed => _isClosed;

    /// <summary>Waits for room. What is put into a queue that is closed is nobody's.</summary>
    public void Put(T item, long bytes)
    {
        while (IsFull()) _room.WaitOne();
        lock (_access)
        {
            _fetched.Add(item);
            _bytes += bytes;
        }

        Tell();
    }

    /// <summary>There is nothing before this offset but what was put.</summary>
    public void PutEnd(ulong offset)
    {
        lock (_access) _end = offset;
    }

    public void PutFailure(string reason)
    {
        lock (_access) _failure = reason;
        Tell();
    }

    public Fetched<T> Take()
    {
        Fetched<T> taken;
        lock (_access)
        {
            // The list itself only when another takes its place: the other thread goes on adding to the one that stays.
            if (_fetched.Count > 0) (taken, _fetched, _bytes) = (new Fetched<T>(_fetched, null, _end), [], 0);
            else (taken, _failure) = (new Fetched<T>(null, _failure, _end), null);
        }

        _room.Set();
        return taken;
    }

    /// <summary>Until there is something to be taken.</summary>
    public Task WaitAsync(CancellationToken cancellation)
    {
        lock (_access)
        {
            if (_fetched.Count > 0 || _failure is not null) return Task.CompletedTask;
            _more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _more.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>Whoever puts does not wait any more.</summary>
    public void Close()
    {
        _isClosed = true;
        _room.Set();
    }

    public void Dispose() => _room.Dispose();

    private bool IsFull()
    {
        lock (_access) return !_isClosed && (_fetched.Count >= most || _bytes >= mostBytes);
    }

    private void Tell()
    {
        TaskCompletionSource? more;
        lock (_access) (more, _more) = (_more, null);
        more?.SetResult();
    }
}

/// <param name="Items">Null: there are none.</param>
/// <param name="Failure">Why there are none; null: there are no more for now.</param>
/// <param name="End">See <see cref="FetchQueue{T}.PutEnd"/>.</param>
internal readonly record struct Fetched<T>(IReadOnlyList<T>? Items, string? Failure, ulong End);
