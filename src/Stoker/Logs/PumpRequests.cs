using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>What other threads want done on the pump thread, which alone touches pipes and files.</summary>
internal sealed class PumpRequests(PipeWatch watch)
{
    private readonly Queue<Action> _waiting = new();
    private Thread? _owner;
    private bool _closed;

    public bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Says that the calling thread is the one that runs the requests.</summary>
    public void Own() => Volatile.Write(ref _owner, Thread.CurrentThread);

    /// <summary>Has it done later; false when the pump has ended.</summary>
    public bool TryPost(Action request)
    {
        lock (_waiting)
        {
            if (_closed)
            {
                return false;
            }

            _waiting.Enqueue(request);
            watch.Wake();
            return true;
        }
    }

    /// <summary>Has it done and waits for the answer. On the pump thread itself it is done at once.</summary>
    public T Ask<T>(Func<T> request)
    {
        if (Thread.CurrentThread == Volatile.Read(ref _owner))
        {
            return request();
        }

        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool posted = TryPost(() =>
        {
            try
            {
                answer.SetResult(request());
            }
            catch (Exception failure)
            {
                answer.SetException(failure);
            }
        });
        ObjectDisposedException.ThrowIf(!posted, typeof(LogPump));
        return answer.Task.GetAwaiter().GetResult();
    }

    /// <summary>Does what is waiting.</summary>
    public void Run()
    {
        while (true)
        {
            Action? request;
            lock (_waiting)
            {
                if (!_waiting.TryDequeue(out request))
                {
                    return;
                }
            }

            request();
        }
    }

    /// <summary>Takes no more requests, and ends the pump's wait; false when that was done before.</summary>
    public bool Close()
    {
        lock (_waiting)
        {
            bool first = !_closed;
            _closed = true;
            if (first)
            {
                watch.Wake();
            }

            return first;
        }
    }
}
