namespace Stoker.Platform.Gpus;

/// <summary>
/// The one way to a driver: all calls are made on a thread of its own, and who asks waits no longer than it has patience. A library that hangs costs that thread, and nothing else:
/// until the call comes back, whoever asks is told at once that the driver does not answer.
/// </summary>
internal sealed class GpuDoor : IDisposable
{
    /// <summary>NVML's slowest call, its start without persistence mode, takes up to some seconds on machines with eight cards.</summary>
    public static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(15);

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>A driver that was not there, or failed, is not looked for more often.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);

    private readonly Func<GpuOpening> _open;
    private readonly TimeSpan _patience;
    private readonly TimeSpan _openingPatience;

    /// <summary>Waited for by its monitor: a collection that blocks spins before it sleeps, which once a second cost more than the look.</summary>
    private readonly Queue<Action> _calls = [];

    /// <summary>Begun with the first question.</summary>
    private readonly Lazy<Thread> _thread;

    private readonly TimeProvider _clock;
    private GpuOpening? _opening;
    private long _openedAt;
    private volatile bool _isStuck;
    private bool _isClosed;
    private long _stuckAt;

    /// <param name="open">Called on the thread, with the first question, and again after a driver that was not there or failed.</param>
    public GpuDoor(Func<GpuOpening> open, TimeProvider clock, TimeSpan? patience = null)
    {
        (_open, _clock, _patience, _openingPatience) = (open, clock, patience ?? Patience, patience ?? OpeningPatience);
        _thread = new Lazy<Thread>(() =>
        {
            var thread = new Thread(Work, 256 << 10) { IsBackground = true, Name = "gpus" };
            thread.Start();
            return thread;
        });
    }

    /// <param name="question">On the door's thread; a <see cref="GpuDriverException"/> is an answer in words.</param>
    /// <param name="patience">For what takes longer than a look; null: as always.</param>
    public async Task<GpuReply<T>> AskAsync<T>(Func<IGpuDriver, T> question, TimeSpan? patience = null)
    {
        if (_isStuck) return new GpuReply<T>.Silent(StuckWords());
        var answer = new TaskCompletionSource<GpuReply<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = _clock.GetTimestamp();
        if (!TryCall(() => answer.TrySetResult(Answer(question)))) return new GpuReply<T>.Silent("the driver is closed");
        try
        {
            return await answer.Task.WaitAsync(patience ?? (_opening is null ? _openingPatience : _patience));
        }
        catch (TimeoutException)
        {
            (_stuckAt, _isStuck) = (asked, true);
            // It may have come back in this moment; then the next question finds it well.
            if (answer.Task.IsCompleted) _isStuck = false;
            return new GpuReply<T>.Silent(StuckWords());
        }
    }

    /// <summary>For whom has nothing else to do.</summary>
    public GpuReply<T> Ask<T>(Func<IGpuDriver, T> question) => AskAsync(question).GetAwaiter().GetResult();

    /// <summary>A call that hangs is left behind with its thread.</summary>
    public void Dispose()
    {
        lock (_calls)
        {
            if (_isClosed) return;
            _isClosed = true;
            Monitor.Pulse(_calls);
        }

        if (_thread.IsValueCreated && !_isStuck) _thread.Value.Join(_patience);
    }

    private string StuckWords() => $"the driver does not answer (for {Math.Max(1, (int)_clock.GetElapsedTime(_stuckAt).TotalSeconds)} s)";

    private GpuReply<T> Answer<T>(Func<IGpuDriver, T> question)
    {
        if (_opening is null || (_opening is not GpuOpening.Opened && _clock.GetElapsedTime(_openedAt) > Retry)) (_opening, _openedAt) = (_open(), _clock.GetTimestamp());
        switch (_opening)
        {
            case GpuOpening.NotThere:
                return new GpuReply<T>.NoDriver();
            case GpuOpening.Failed failed:
                return new GpuReply<T>.Silent(failed.Words);
            case GpuOpening.Opened opened:
                try
                {
                    return new GpuReply<T>.Told(question(opened.Driver));
                }
                catch (GpuDriverException wrong)
                {
                    return new GpuReply<T>.Silent(wrong.Message);
                }
        }

        throw new InvalidOperationException("an opening has three outcomes");
    }

    private bool TryCall(Action call)
    {
        _ = _thread.Value;
        lock (_calls)
        {
            if (_isClosed) return false;
            _calls.Enqueue(call);
            Monitor.Pulse(_calls);
            return true;
        }
    }

    private void Work()
    {
        while (Next() is { } call)
        {
            call();
            _isStuck = false;
        }

        (_opening as GpuOpening.Opened)?.Driver.Dispose();
    }

    /// <summary>Null: it is closed, and all calls are made.</summary>
    private Action? Next()
    {
        lock (_calls)
        {
            while (_calls.Count == 0)
            {
                if (_isClosed) return null;
                Monitor.Wait(_calls);
            }

            return _calls.Dequeue();
        }
    }
}

/// <summary>What a driver answered.</summary>
internal abstract record GpuReply<T>
{
    private GpuReply()
    {
    }

    internal sealed record Told(T Value) : GpuReply<T>;

    /// <summary>No driver is installed.</summary>
    internal sealed record NoDriver : GpuReply<T>;

    /// <summary>It does not answer, or not as it should, in words.</summary>
    internal sealed record Silent(string Words) : GpuReply<T>;
}
