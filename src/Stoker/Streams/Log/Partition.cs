using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Log.Writing;

namespace Stoker.Streams.Log;

/// <summary>
/// One order of records. Appends come from any thread; one thread writes, and it alone changes what is on the disk:
/// <code>
/// Append ─► queue ─► writer: all that waits, as one batch ─► disk, synced ─► readers see it ─► inboxes are told
///             │ too much waits: Busy      │ disk full: DiskFull, to all, and to what comes, until there is room (asked every second)
///                                         └ disk failed: Failed, to all, and to what comes, until the log is opened again
/// </code>
/// </summary>
internal sealed class Partition : IEventPartition, IDisposable
{
    /// <summary>The consumer under whose name the store's position is kept.</summary>
    public const string Store = "store";

    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly LogOptions _options;
    private readonly Reserve _reserve;
    private readonly AppendQueue _queue;
    private readonly SegmentWriter _writer;
    private readonly PartitionPositions _positions;
    private readonly Thread _thread;
    private readonly List<AppendInbox> _toAnnounce = [];
    private readonly TimeSpan _window;
    private volatile LogEnd _end;
    private volatile Begin _begin;
    private volatile SegmentList _segments;
    private volatile TaskCompletionSource? _more;
    private volatile PartitionState _state = PartitionState.Writable;
    private long _commits;

    internal Partition(IDisk disk, string root, LogId log, PartitionOpened opened, LogOptions options, Reserve reserve, TimeSpan window)
    {
        (_disk, _options, _reserve, _window) = (disk, options, reserve, window);
        (Log, Number) = (log, opened.Partition);
        _directory = Path.Combine(root, Number.ToString());
        _queue = new AppendQueue(options.BatchBytes, options.MostWaiting);
        _segments = new SegmentList(_directory, [.. opened.Sealed], opened.Tally.Header.FirstOffset);
        _writer = new SegmentWriter(disk, _directory, opened.File, opened.Tally, options) { Sealed = entry => _segments = _segments.With(entry) };
        _end = new LogEnd(opened.Tally.NextOffset, opened.Tally.Hash);
        _positions = new PartitionPositions(disk, _directory, log.TagOf(Number), opened.Positions);
        _begin = new Begin(_positions.Begin.Next);
        _thread = new Thread(Run) { IsBackground = true, Name = $"log partition {Number}" };
        _thread.Start();
    }

    public LogId Log { get; }

    public int Number { get; }

    /// <summary>What is on the disk ends here.</summary>
    public LogEnd End => _end;

    public ulong NextOffset => _end.NextOffset;

    /// <summary>The first record there is, if there is one.</summary>
    public ulong BeginOffset => _begin.Offset;

    string IEventPartition.LogName => Log.ToString();

    /// <summary>As the store's position is kept here, for retention's sake; what counts is the store's.</summary>
    ulong? IEventPartition.Kept => Position(Store).Current is { Required: true } known ? known.Next : null;

    internal SegmentList Segments => _segments;

    internal IDisk Disk => _disk;

    /// <summary>Takes one record; from any thread, without waiting for anything but another append.</summary>
    /// <param name="time">Microseconds of UTC since 1970.</param>
    /// <param name="key">A hash of what the record is about, kept beside it.</param>
    /// <param name="state">Given back with the outcome.</param>
    public AppendAnswer Append(ReadOnlySpan<byte> payload, long time, ulong key, AppendInbox inbox, object? state = null) => _queue.Add(payload, time, key, inbox, state);

    /// <summary>Takes records that are committed together, all or none. They are copied: the buffer may be used again at once.</summary>
    public AppendAnswer Append(RecordBuffer records, AppendInbox inbox, object? state) =>
        records.Count > 0 ? _queue.Add(records, inbox, state) : throw new ArgumentException("there are no records in it", nameof(records));

    public PartitionStatus Status() => new(
        Number, _state, _state == PartitionState.Failed ? _writer.Failure : "", BeginOffset, _end.NextOffset, _end.Hash, _segments.Sealed.Length + 1,
        _segments.Sealed.Sum(entry => entry.Bytes) + _options.SegmentBytes, _queue.WaitingBytes, Interlocked.Read(ref _commits));

    /// <summary>Reads from a record on.</summary>
    public LogReader Read(ulong from) => new(this, from);

    IEventReader IEventPartition.Read(ulong from) => Read(from);

    public ReadOutcome Find(ulong offset)
    {
        using var reader = Read(offset);
        return reader.Read();
    }

    /// <summary>At once: whoever has the log open is the only one.</summary>
    public Task<PartitionHold> HoldAsync(string consumer, CancellationToken cancellation) => Task.FromResult(new PartitionHold(default));

    public string? Contradicts(ulong next, ulong hash) =>
        next > NextOffset ? $"the store has had {next} events of this log, which has only {NextOffset}: it is not the log that it was" : null;

    /// <summary>For retention: what is stored may go. A step back after a crash keeps only more.</summary>
    public void Keep(ulong next, ulong? hash)
    {
        var kept = Position(Store);
        if (kept.Current.Required && kept.Current.Next == next) return;
        _ = kept.Set(kept.Current with { Next = next, Hash = hash is { } known ? new RunningHash(known) : kept.Current.Hash, Required = true });
    }

    /// <summary>The first record that is not older than a time; the end where all are.</summary>
    /// <exception cref="IOException"/>
    public ulong OffsetAt(long time) => TimeSearch.Run(this, time);

    /// <summary>Completes when there are records from this one on; at once when there are.</summary>
    public async Task WaitForAsync(ulong offset, CancellationToken cancellation = default)
    {
        while (_end.NextOffset <= offset)
        {
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var more = _more ?? Interlocked.CompareExchange(ref _more, fresh, null) ?? fresh;
            // What was committed before the wait was known has not ended it.
            if (_end.NextOffset > offset) return;
            await more.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>The kept position of a consumer, made where there is none.</summary>
    /// <param name="name">Letters, digits and hyphens.</param>
    /// <exception cref="IOException"/>
    public PositionFile Position(string name) => _positions.Open(name, new Position(BeginOffset, _positions.Begin.Hash));

    /// <summary>Nobody wants the events for a consumer any more: its position stays, and keeps nothing from being deleted.</summary>
    /// <exception cref="IOException"/>
    public void Release(string consumer) => DiskCalls.Check(_positions.Release(consumer), "write the position of", consumer);

    /// <summary>Deletes what nobody needs any more: whole segments, from the front.</summary>
    /// <returns>The first record there is then.</returns>
    /// <exception cref="IOException"/>
    public Task<ulong> TrimAsync(RetentionLimits limits)
    {
        var done = new TaskCompletionSource<ulong>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_queue.Request(() => Trim(limits, done))) done.SetException(new ObjectDisposedException(nameof(Partition)));
        return done.Task;
    }

    /// <summary>Commits what waits and closes.</summary>
    public void Dispose()
    {
        _queue.Refuse(AppendAnswer.Closed);
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Run()
    {
        while (true)
        {
            var most = _state == PartitionState.DiskFull ? _options.ProbeEvery : Timeout.InfiniteTimeSpan;
            var batch = _queue.Take(_window, most, out var request, out var closed);
            if (request is not null) request();
            else if (batch is not null) Commit(batch);
            else if (closed) break;
            else if (_state == PartitionState.DiskFull) Probe();
        }

        _state = PartitionState.Closed;
        _writer.Dispose();
        _positions.Dispose();
    }

    private void Commit(BatchBuffer batch)
    {
        var first = _writer.NextOffset;
        var outcome = _state switch
        {
            PartitionState.Failed => CommitOutcome.Failed,
            PartitionState.DiskFull => CommitOutcome.Full,
            _ => _writer.Commit(batch),
        };
        if (outcome == CommitOutcome.Durable)
        {
            Interlocked.Increment(ref _commits);
            Publish();
        }
        else
        {
            Stop(outcome);
        }

        Answer(batch, first, outcome switch
        {
            CommitOutcome.Durable => AppendOutcome.Durable,
            CommitOutcome.Full => AppendOutcome.DiskFull,
            CommitOutcome.Failed => AppendOutcome.Failed,
        });
        _queue.GiveBack(batch);
    }

    private void Publish()
    {
        _end = new LogEnd(_writer.NextOffset, _writer.Hash);
        // An exchange, and not a look first: it also keeps the end from being seen later than the question whether anyone waits for it.
        Interlocked.Exchange(ref _more, null)?.SetResult();
    }

    private void Answer(BatchBuffer batch, ulong first, AppendOutcome outcome)
    {
        foreach (var ticket in batch.Tickets)
        {
            if (ticket.Inbox.Put(new AppendResult(outcome, ticket.State, Number, first + ticket.First, ticket.Count))) _toAnnounce.Add(ticket.Inbox);
        }

        foreach (var inbox in _toAnnounce) inbox.Announce();
        _toAnnounce.Clear();
    }

    private void Stop(CommitOutcome outcome)
    {
        _state = outcome == CommitOutcome.Full ? PartitionState.DiskFull : PartitionState.Failed;
        _queue.Refuse(outcome == CommitOutcome.Full ? AppendAnswer.DiskFull : AppendAnswer.Failed);
    }

    /// <summary>The reserve first: what is appended must not eat it up.</summary>
    private void Probe()
    {
        if (_reserve.Take() != 0) return;
        var outcome = _writer.Restore();
        if (outcome != CommitOutcome.Durable)
        {
            Stop(outcome);
            return;
        }

        _state = PartitionState.Writable;
        _queue.Refuse(AppendAnswer.Taken);
    }

    private void Trim(RetentionLimits limits, TaskCompletionSource<ulong> done)
    {
        try
        {
            var active = new SegmentEntry("", _writer.Segment.FirstOffset, _writer.NextOffset, long.MaxValue, _options.SegmentBytes, _writer.Segment.Before);
            var to = RetentionPolicy.Decide([.. _segments.Sealed, active], _begin.Offset, _positions.LowestRequired, limits);
            if (to.Begin > _begin.Offset) Delete(to);
            done.SetResult(_begin.Offset);
        }
        catch (IOException e)
        {
            done.SetException(e);
        }
    }

    /// <summary>The beginning is written before anything is deleted: after a crash in between, opening deletes the rest.</summary>
    private void Delete(RetentionDecision decision)
    {
        DiskCalls.Check(_positions.SetBegin(new Position(decision.Begin, decision.Hash)), "write", Path.Combine(_directory, PartitionSurvey.BeginName));
        _begin = new Begin(decision.Begin);
        var gone = _segments.Sealed.Take(decision.Segments).ToList();
        _segments = _segments.Without(decision.Segments);
        foreach (var each in gone) DiskCalls.Check(_disk.Delete(each.Path), "delete", each.Path);
        DiskCalls.Check(_disk.SyncDirectory(_directory), "sync", _directory);
    }

    private sealed record Begin(ulong Offset);
}

/// <summary>Where what is on the disk ends.</summary>
/// <param name="Hash">Of all before.</param>
internal sealed record LogEnd(ulong NextOffset, RunningHash Hash);

internal enum PartitionState
{
    Writable,

    /// <summary>Goes on by itself when there is room.</summary>
    DiskFull,

    /// <summary>The disk failed; goes on when the log is opened again.</summary>
    Failed,

    /// <summary>The log's server does not answer; goes on by itself.</summary>
    Unavailable,

    /// <summary>Taken here, and stored by another process.</summary>
    Elsewhere,
    Closed,
}

/// <param name="Failure">What failed, in words.</param>
/// <param name="Bytes">On the disk.</param>
/// <param name="WaitingBytes">In memory, not yet on the disk.</param>
internal sealed record PartitionStatus(
    int Number, PartitionState State, string Failure, ulong BeginOffset, ulong NextOffset, RunningHash? Hash, int Segments, long Bytes, int WaitingBytes, long Commits);
