using System.Diagnostics;
using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>
/// Catches what services write to stdout and stderr and stores it: every line once, whole, in order, also when the daemon is killed.
/// <code>
///   child ──▶ FIFO ──(1 splice)──▶ spool ──(2 read, cut, format)──▶ (3 cursor) ──▶ (4 log) ──▶ observers, followers
///     holds both open       FIFO.spool                            LOG.cursor     LOG, LOG.1, …
/// </code>
/// The child opens its FIFOs for reading and writing, so it never gets SIGPIPE, and what it writes while no daemon runs stays in the pipe.
/// One thread serves all FIFOs, in turns of at most 256 KiB, so that a service that floods delays no other. Back-pressure is
/// the full pipe: the service that floods waits, nobody else.
/// <para>
/// Exactly once, across a kill at any instant: (1) a byte leaves the pipe in the same kernel step in which it enters the spool file. (2) Lines are
/// cut at the last newline; a line that has none yet waits in the spool, and a piece of 256 KiB goes out as a partial record. (3) The
/// cursor announces the batch: where in the log, from where in the spool, and its time. (4) The batch is written. The next pump compares: is
/// the log shorter than announced, it cuts it to the batch's start and writes the same bytes again; otherwise the batch is complete. Nothing is guessed
/// from content. Rotation happens between batches: the cursor names the log by inode, and another inode at the log's path means that the
/// batch before was complete. A spool that has grown is replaced by rename; its positions go on.
/// </para>
/// <para>
/// Not promised: what a service wrote after the daemon's death is lost if the service itself ends before the next daemon attaches, because a FIFO
/// lives only while somebody has it open. A power failure may lose or repeat what the kernel had not written back: nothing here waits
/// for the disk. Lines of stdout and stderr are in order each; between the two, as they were read.
/// </para>
/// <para>
/// On a full disk nothing is taken from the pipe: the pump says so once, tries again every second, and says when it goes on. Secret values are
/// replaced before the log; a spool that held one is made anew at once.
/// </para>
/// </summary>
internal sealed class LogPump : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // A pipe that gave little is left alone this long, so that a flood of small writes is fetched in thousands of lines, not one by one.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(1);
    private const int Little = 64 << 10;

    private readonly TimeProvider _time;
    private readonly Action<LogPumpEvent> _report;
    private readonly PumpBuffers _buffers = new();
    private readonly PipeWatch _watch = new();
    private readonly Thread _thread;
    private readonly ITimer _retry;
    private readonly PumpRequests _requests;
    private readonly Dictionary<ulong, PumpedStream> _streams = [];
    private readonly Queue<PumpedStream> _ready = new();
    private readonly Queue<PumpedStream> _resting = new();
    private readonly List<LogAttachment> _stalled = [];
    private LogFollower[] _followers = [];
    private ulong _nextKey;

    /// <summary>Starts the thread. <paramref name="report"/> is called on it.</summary>
    public LogPump(TimeProvider time, Action<LogPumpEvent> report)
    {
        _time = time;
        _report = report;
        _requests = new PumpRequests(_watch);
        _retry = time.CreateTimer(_ => _requests.TryPost(RetryStalled), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new Thread(Run) { IsBackground = true, Name = "logs" };
        _thread.Start();
    }

    /// <summary>
    /// Takes over a replica's pipes, which must exist, and finishes what an earlier pump began. When the replica's process is known to have ended
    /// meanwhile, drain before starting the next one, or an unfinished last line of the old one is joined to the first of the new one.
    /// </summary>
    /// <exception cref="IOException">A file or pipe cannot be opened.</exception>
    public LogAttachment Attach(LogSource source) => _requests.Ask(() =>
    {
        var attachment = new LogAttachment(this, source, _buffers, _time);
        foreach (LogStream stream in (ReadOnlySpan<LogStream>)[LogStream.Output, LogStream.Error])
        {
            var pumped = new PumpedStream(attachment, stream, _nextKey++);
            _streams.Add(pumped.Key, pumped);
            attachment.Streams.Add(pumped);
            _watch.Register(attachment.Log.Pipe(stream), pumped.Key);

            // A line that a pipe no longer holds may wait in the spool: so a turn without waiting for the pipe.
            MakeReady(pumped);
        }

        return attachment;
    });

    /// <summary>Begins to collect new lines of the replicas that <paramref name="wants"/> names, and says where in each attached log they begin.</summary>
    public LogFollower Follow(Func<string, int, bool> wants) => Follow(wants, static () => new Dictionary<string, LogPosition>());

    /// <summary>The same; <paramref name="resting"/> runs while nothing is written, and finds the ends of logs that no replica is attached to.</summary>
    internal LogFollower Follow(Func<string, int, bool> wants, Func<Dictionary<string, LogPosition>> resting) => _requests.Ask(() =>
    {
        Dictionary<string, LogPosition> starts = resting();
        foreach (LogAttachment attachment in _streams.Values.Select(static stream => stream.Attachment).Distinct())
        {
            starts[attachment.Source.LogPath] = attachment.Log.Position;
        }

        var follower = new LogFollower(wants, starts, this);
        _followers = [.. _followers, follower];
        return follower;
    });

    public void Dispose()
    {
        if (!_requests.Close())
        {
            return;
        }

        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }

        _requests.Run();
        _retry.Dispose();
        foreach (LogAttachment attachment in _streams.Values.Select(static stream => stream.Attachment).Distinct().ToList())
        {
            Remove(attachment);
        }

        foreach (LogFollower follower in _followers)
        {
            follower.End();
        }

        _watch.Dispose();
    }

    internal ReadOnlySpan<LogFollower> Followers => _followers;

    /// <summary>A clock that only goes forward, for pacing; not for times that anyone is shown.</summary>
    private static TimeSpan Elapsed => Stopwatch.GetElapsedTime(0);

    internal void Detach(LogAttachment attachment) => _requests.Ask(() => Remove(attachment));

    internal void Unfollow(LogFollower follower) => _requests.TryPost(() => _followers = [.. _followers.Where(other => other != follower)]);

    internal void Report(LogPumpEvent happened) => _report(happened);

    internal Task Drain(LogAttachment attachment)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _requests.Ask(() =>
        {
            if (attachment.IsDetached)
            {
                done.SetException(new ObjectDisposedException(nameof(LogAttachment)));
                return false;
            }

            attachment.Drains.Add(done);
            RunDrains(attachment);
            return true;
        });
        return done.Task;
    }

    private void Run()
    {
        Span<ReadyDescriptor> reported = stackalloc ReadyDescriptor[64];
        _requests.Own();
        while (!_requests.IsClosed)
        {
            int timeout = _ready.Count > 0 ? 0 : _resting.Count > 0 ? 1 : -1;
            int count = _watch.Wait(reported, timeout);
            foreach (ReadyDescriptor pipe in reported[..count])
            {
                if (_streams.TryGetValue(pipe.Token, out PumpedStream? stream) && stream.State == PumpedState.Armed)
                {
                    MakeReady(stream);
                }
            }

            _requests.Run();
            EndRests();
            for (int turns = _ready.Count; turns > 0; turns--)
            {
                Serve(_ready.Dequeue());
            }
        }
    }

    private void MakeReady(PumpedStream stream)
    {
        stream.State = PumpedState.Ready;
        _ready.Enqueue(stream);
    }

    private void Arm(PumpedStream stream)
    {
        stream.State = PumpedState.Armed;
        _watch.Arm(stream.Attachment.Log.Pipe(stream.Stream), stream.Key);
    }

    private void Serve(PumpedStream stream)
    {
        LogAttachment attachment = stream.Attachment;
        stream.State = PumpedState.Parked;
        if (attachment.IsDetached || attachment.Trouble is not null)
        {
            return;
        }

        try
        {
            TurnOutcome turn = attachment.Log.Turn(stream.Stream);
            if (turn.Error != 0)
            {
                Stall(attachment, new LogPumpEvent.StorageFailed(attachment.Service, attachment.Replica, turn.Error, Errno.Text(turn.Error)));
            }
            else if (turn.Taken >= Little)
            {
                MakeReady(stream);
            }
            else if (turn.Taken > 0)
            {
                stream.State = PumpedState.Resting;
                stream.RestUntil = Elapsed + Rest;
                _resting.Enqueue(stream);
            }
            else
            {
                Arm(stream);
            }
        }
        catch (Exception fault)
        {
            // A fault of this program stops one replica's log, is said, and is tried again like a disk's.
            stream.State = PumpedState.Parked;
            Stall(attachment, new LogPumpEvent.Faulted(attachment.Service, attachment.Replica, fault));
        }
    }

    private void EndRests()
    {
        while (_resting.TryPeek(out PumpedStream? stream) && stream.RestUntil <= Elapsed)
        {
            _resting.Dequeue();
            if (!stream.Attachment.IsDetached)
            {
                Arm(stream);
            }
        }
    }

    private void Stall(LogAttachment attachment, LogPumpEvent trouble)
    {
        bool isNew = attachment.Trouble is null;
        bool isOther = !trouble.IsLike(attachment.Trouble);
        attachment.Trouble = trouble;
        if (isNew)
        {
            _stalled.Add(attachment);
            _retry.Change(RetryAfter, RetryAfter);
        }

        if (isOther)
        {
            _report(trouble);
        }
    }

    private void RetryStalled()
    {
        foreach (LogAttachment attachment in _stalled.ToArray())
        {
            try
            {
                TurnOutcome output = attachment.Log.Turn(LogStream.Output), error = attachment.Log.Turn(LogStream.Error);
                int errno = output.Error != 0 ? output.Error : error.Error;
                if (errno == 0)
                {
                    Resume(attachment);
                }
                else
                {
                    Stall(attachment, new LogPumpEvent.StorageFailed(attachment.Service, attachment.Replica, errno, Errno.Text(errno)));
                }
            }
            catch (Exception fault)
            {
                Stall(attachment, new LogPumpEvent.Faulted(attachment.Service, attachment.Replica, fault));
            }
        }
    }

    private void Resume(LogAttachment attachment)
    {
        attachment.Trouble = null;
        Forget(attachment);
        _report(new LogPumpEvent.StorageRecovered(attachment.Service, attachment.Replica));
        foreach (PumpedStream stream in attachment.Streams.Where(static stream => stream.State == PumpedState.Parked))
        {
            MakeReady(stream);
        }

        RunDrains(attachment);
    }

    private void RunDrains(LogAttachment attachment)
    {
        if (attachment.Drains.Count == 0 || attachment.Trouble is not null)
        {
            return;
        }

        try
        {
            int error = attachment.Log.Drain();
            if (error != 0)
            {
                Stall(attachment, new LogPumpEvent.StorageFailed(attachment.Service, attachment.Replica, error, Errno.Text(error)));
                return;
            }
        }
        catch (Exception fault)
        {
            Stall(attachment, new LogPumpEvent.Faulted(attachment.Service, attachment.Replica, fault));
            return;
        }

        attachment.Drains.ForEach(static done => done.SetResult());
        attachment.Drains.Clear();
    }

    private void Forget(LogAttachment attachment)
    {
        _stalled.Remove(attachment);
        if (_stalled.Count == 0)
        {
            _retry.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private bool Remove(LogAttachment attachment)
    {
        if (attachment.IsDetached)
        {
            return false;
        }

        attachment.IsDetached = true;
        Forget(attachment);
        foreach (PumpedStream stream in attachment.Streams)
        {
            _streams.Remove(stream.Key);
            _watch.Unregister(attachment.Log.Pipe(stream.Stream));
        }

        attachment.Log.Dispose();
        string why = $"the log of {attachment.Service}.{attachment.Replica} was detached before its last lines could be stored";
        attachment.Drains.ForEach(done => done.SetException(new IOException(why)));
        attachment.Drains.Clear();
        return true;
    }
}
