using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Writing;

/// <summary>
/// Records on their way to the writer. Who appends copies them into the batch that is being gathered, under a lock held no longer than that, and never waits; the
/// writer takes whole batches and gives their memory back.
/// </summary>
internal sealed class AppendQueue(int batchBytes, int mostWaiting)
{
    // What may wait, the batch that is gathered and the one that is written.
    private readonly int _mostSpare = (mostWaiting / batchBytes) + 2;
    private readonly object _access = new();
    private readonly Queue<BatchBuffer> _ready = new();
    private readonly Stack<BatchBuffer> _spare = new();
    private readonly Queue<Action> _requests = new();
    private BatchBuffer _gathering = new(batchBytes);
    private int _waiting;
    private bool _writerWaits;
    private AppendAnswer _refusal = AppendAnswer.Taken;

    public int WaitingBytes
    {
        get
        {
            lock (_access) return _waiting;
        }
    }

    public AppendAnswer Add(ReadOnlySpan<byte> payload, long time, ulong key, AppendInbox inbox, object? state)
    {
        lock (_access)
        {
            var answer = MakeRoom(BatchRecords.HeadSize + payload.Length, inbox, state, 1);
            if (answer == AppendAnswer.Taken) _gathering.Add(payload, time, key);
            return answer;
        }
    }

    public AppendAnswer Add(RecordBuffer records, AppendInbox inbox, object? state)
    {
        lock (_access)
        {
            var answer = MakeRoom(records.Bytes.Length, inbox, state, records.Count);
            if (answer == AppendAnswer.Taken) _gathering.Add(records);
            return answer;
        }
    }

    /// <summary>What appends are answered from now on, without being taken; <see cref="AppendAnswer.Taken"/>: they are taken again.</summary>
    public void Refuse(AppendAnswer answer)
    {
        lock (_access)
        {
            if (_refusal == AppendAnswer.Closed) return;
            _refusal = answer;
            Monitor.Pulse(_access);
        }
    }

    /// <summary>Something for the writer's thread to do between two commits. False: it is closed.</summary>
    public bool Request(Action action)
    {
        lock (_access)
        {
            if (_refusal == AppendAnswer.Closed) return false;
            _requests.Enqueue(action);
            Monitor.Pulse(_access);
            return true;
        }
    }

    /// <summary>Waits until there is something to do.</summary>
    /// <param name="window">How long a batch waits for more.</param>
    /// <param name="most">How long it waits for anything; below 0: for ever.</param>
    /// <param name="request">To be done first.</param>
    /// <returns>A batch to commit; null: there was nothing within the time, there is a request, or it is closed and empty.</returns>
    public BatchBuffer? Take(TimeSpan window, TimeSpan most, out Action? request, out bool closed)
    {
        lock (_access)
        {
            if (!HasWork)
            {
                _writerWaits = true;
                _ = Monitor.Wait(_access, most);
            }

            if (window > TimeSpan.Zero && _ready.Count == 0 && _requests.Count == 0 && _gathering.Count > 0 && _refusal == AppendAnswer.Taken)
            {
                _writerWaits = false;
                _ = Monitor.Wait(_access, window);
            }

            _writerWaits = false;
            closed = _refusal == AppendAnswer.Closed;
            if (_requests.TryDequeue(out request)) return null;
            if (_ready.TryDequeue(out var batch)) return Taken(batch);
            if (_gathering.Count == 0) return null;
            batch = _gathering;
            _gathering = Fresh();
            return Taken(batch);
        }
    }

    /// <summary>Its memory is used again.</summary>
    public void GiveBack(BatchBuffer batch)
    {
        batch.Clear();
        lock (_access)
        {
            if (_spare.Count < _mostSpare) _spare.Push(batch);
        }
    }

    private bool HasWork => _requests.Count > 0 || _ready.Count > 0 || _gathering.Count > 0 || _refusal == AppendAnswer.Closed;

    private AppendAnswer MakeRoom(int bytes, AppendInbox inbox, object? state, uint count)
    {
        if (_refusal != AppendAnswer.Taken) return _refusal;
        if (!_gathering.Fits(bytes))
        {
            if (_gathering.Count == 0) return AppendAnswer.TooLarge;
            if (_waiting + bytes > mostWaiting) return AppendAnswer.Busy;
            var fresh = Fresh();
            if (!fresh.Fits(bytes))
            {
                _spare.Push(fresh);
                return AppendAnswer.TooLarge;
            }

            _ready.Enqueue(_gathering);
            _gathering = fresh;
            // Whatever the window: this one is full.
            Monitor.Pulse(_access);
        }
        else if (_waiting + bytes > mostWaiting)
        {
            return AppendAnswer.Busy;
        }

        _waiting += bytes;
        _gathering.Tickets.Add(new AppendTicket(inbox, state, _gathering.Count, count));
        if (_writerWaits)
        {
            _writerWaits = false;
            Monitor.Pulse(_access);
        }

        return AppendAnswer.Taken;
    }

    private BatchBuffer Taken(BatchBuffer batch)
    {
        _waiting -= batch.Length - BatchHeader.Size;
        return batch;
    }

    private BatchBuffer Fresh() => _spare.TryPop(out var spare) ? spare : new BatchBuffer(batchBytes);
}
