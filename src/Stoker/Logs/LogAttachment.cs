namespace Stoker.Logs;

/// <summary>
/// Sees each line of a replica right after it was stored, on the pump thread: it must be quick, and must copy what it keeps. A partial line goes on
/// in the next call for the same stream. Secrets are already replaced.
/// </summary>
internal delegate void LogObserver(DateTimeOffset time, LogStream stream, ReadOnlySpan<byte> message, bool partial);

/// <summary>A replica whose output is being caught.</summary>
internal sealed class LogAttachment
{
    private readonly LogPump _pump;
    private LogObserver[] _observers = [];
    private long _lines;
    private long _bytes;

    internal LogAttachment(LogPump pump, LogSource source, PumpBuffers buffers, TimeProvider time)
    {
        _pump = pump;
        Source = source;
        Log = ReplicaLog.Open(source, buffers, time, OnStored);
    }

    public LogSource Source { get; }

    public string Service => Source.Service;

    public int Replica => Source.Replica;

    /// <summary>Records stored since this attachment began.</summary>
    public long Lines => Interlocked.Read(ref _lines);

    /// <summary>Bytes stored since this attachment began, as they stand in the file.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    // The rest belongs to the pump thread.
    internal ReplicaLog Log { get; }

    internal List<PumpedStream> Streams { get; } = [];

    internal List<TaskCompletionSource> Drains { get; } = [];

    internal LogPumpEvent? Trouble { get; set; }

    internal bool IsDetached { get; set; }

    /// <summary>
    /// Completes when all that the process had written by now is in the file, with a last line that has no newline. To be called when the process
    /// has ended. While the disk is full it waits for room.
    /// </summary>
    public Task DrainAsync() => _pump.Drain(this);

    /// <summary>Shows every line to come to <paramref name="observer"/>, until the result is disposed of.</summary>
    public IDisposable Observe(LogObserver observer)
    {
        Change(observers => [.. observers, observer]);
        return new Observation(this, observer);
    }

    /// <summary>Lets go of the pipes and files; what is in the pipes stays there. Once it returns another pump may attach.</summary>
    public void Detach() => _pump.Detach(this);

    private void OnStored(LogStream stream, DateTimeOffset time, ReadOnlySpan<byte> records, int lines)
    {
        Interlocked.Add(ref _lines, lines);
        Interlocked.Add(ref _bytes, records.Length);
        LogObserver[] observers = Volatile.Read(ref _observers);
        ReadOnlySpan<LogFollower> followers = _pump.Followers;
        if (observers.Length == 0 && followers.Length == 0)
        {
            return;
        }

        while (!records.IsEmpty)
        {
            int end = records.IndexOf((byte)'\n');
            ReadOnlySpan<byte> message = records[CriFormat.HeaderLength..end];
            bool partial = CriFormat.IsPartial(records);
            foreach (LogObserver observer in observers)
            {
                Show(observer, time, stream, message, partial);
            }

            foreach (LogFollower follower in followers)
            {
                follower.Offer(Service, Replica, time, stream, message, partial);
            }

            records = records[(end + 1)..];
        }
    }

    private void Show(LogObserver observer, DateTimeOffset time, LogStream stream, ReadOnlySpan<byte> message, bool partial)
    {
        try
        {
            observer(time, stream, message, partial);
        }
        catch (Exception fault)
        {
            if (Remove(observer))
            {
                _pump.Report(new LogPumpEvent.ObserverFailed(Service, Replica, fault));
            }
        }
    }

    private bool Remove(LogObserver observer)
    {
        bool found = false;
        Change(observers =>
        {
            found = observers.Contains(observer);
            return [.. observers.Where(other => other != observer)];
        });
        return found;
    }

    private void Change(Func<LogObserver[], LogObserver[]> change)
    {
        lock (Streams)
        {
            Volatile.Write(ref _observers, change(_observers));
        }
    }

    private sealed class Observation(LogAttachment attachment, LogObserver observer) : IDisposable
    {
        public void Dispose() => attachment.Remove(observer);
    }
}

/// <summary>What happens next to a pipe: it is reported when it has something, has a turn, is left alone a moment, or waits for its disk.</summary>
internal enum PumpedState
{
    Armed,
    Ready,
    Resting,
    Parked,
}

/// <summary>One pipe of an attachment, as the pump thread sees it.</summary>
internal sealed class PumpedStream(LogAttachment attachment, LogStream stream, ulong key)
{
    public LogAttachment Attachment => attachment;

    public LogStream Stream => stream;

    public ulong Key => key;

    public PumpedState State { get; set; }

    public TimeSpan RestUntil { get; set; }
}
