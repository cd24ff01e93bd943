using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;

namespace Stoker.Streams.Log.Writing;

/// <summary>
/// Puts batches on the disk, one after another, each synced before the next is begun, so that at most one is ever in doubt.
/// <code>
///            ┌─ fits ────────────────────────────► write ─► sync ─► Durable
/// batch ─────┤                                      │        └ any error: Failed, for good
///            └─ does not fit ─► next segment made   ├ disk full: Full, what was written of it is zeroed before the next
///                                 │  └► this sealed └ another error: Failed
///                                 └ disk full: Full, nothing has changed
/// </code>
/// One thread at a time. After <see cref="CommitOutcome.Failed"/> nothing more may be asked of it.
/// </summary>
internal sealed class SegmentWriter(IDisk disk, string directory, IDiskFile file, SegmentTally tally, LogOptions options) : IDisposable
{
    private static readonly byte[] ZeroBlock = new byte[Blocks.Size];

    private readonly SegmentFiles _files = new(disk, directory);
    private readonly byte[] _zeros = new byte[options.ZeroAhead];
    private IDiskFile _file = file;
    private IDiskFile? _next;
    private SegmentTally _tally = tally;
    private long _zeroedTo = tally.Position;
    private long _dirtyTo;
    private bool _fullUp;

    public ulong NextOffset => _tally.NextOffset;

    public RunningHash Hash => _tally.Hash;

    public SegmentHeader Segment => _tally.Header;

    /// <summary>What failed, in words.</summary>
    public string Failure { get; private set; } = "";

    /// <summary>A segment was sealed: itself as readers need it.</summary>
    public Action<SegmentEntry>? Sealed { get; init; }

    /// <summary>Commits a batch; <see cref="NextOffset"/> is behind it then, and only then.</summary>
    public CommitOutcome Commit(BatchBuffer batch)
    {
        var outcome = Restore();
        if (outcome != CommitOutcome.Durable) return outcome;
        if (_tally.Position + batch.Extent + SegmentSeal.RoomFor(Segment.Capacity) > Segment.Capacity)
        {
            _fullUp = true;
            outcome = Rotate();
            if (outcome != CommitOutcome.Durable) return outcome;
        }

        var bytes = batch.Finish(_tally, out var header);
        var end = header.Position + bytes.Length;
        var error = _file.WriteAll(header.Position, bytes);
        if (error != 0)
        {
            _dirtyTo = end;
            return Outcome(error, "written");
        }

        ZeroAhead(end);
        error = _file.Sync();
        if (error != 0) return Fail(error, "synced");
        _tally.Add(header);
        return CommitOutcome.Durable;
    }

    /// <summary>Completes what a full disk interrupted.</summary>
    public CommitOutcome Restore()
    {
        if (_dirtyTo > 0 && Clean() is var cleaned && cleaned != CommitOutcome.Durable) return cleaned;
        return _fullUp ? Rotate() : CommitOutcome.Durable;
    }

    public void Dispose()
    {
        _file.Dispose();
        _next?.Dispose();
    }

    /// <summary>
    /// Behind the end there are zeros, by which a torn batch is told from a damaged one: so they are on the disk before anything is written over a batch that could
    /// not be.
    /// </summary>
    private CommitOutcome Clean()
    {
        for (var at = _tally.Position; at < _dirtyTo;)
        {
            var error = _file.WriteAll(at, ZeroBlock);
            if (error != 0) return Outcome(error, "written");
            at += ZeroBlock.Length;
        }

        var failed = _file.Sync();
        if (failed != 0) return Fail(failed, "synced");
        _dirtyTo = 0;
        return CommitOutcome.Durable;
    }

    /// <summary>
    /// The first write to room that was only claimed changes the file system's bookkeeping too, which makes the sync half as fast again. Zeros written ahead pay that
    /// once for many small batches. What cannot be written is no failure: it was not needed.
    /// </summary>
    private void ZeroAhead(long end)
    {
        if (end <= _zeroedTo) return;
        _zeroedTo = end;
        if (end - _tally.Position > options.ZeroAhead / 4) return;
        var count = (int)Math.Min(_zeros.Length, Segment.Capacity - end);
        if (_file.WriteAll(end, _zeros.AsSpan(0, count)) == 0) _zeroedTo = end + count;
    }

    private CommitOutcome Rotate()
    {
        var header = Segment with { Capacity = options.SegmentBytes, FirstOffset = _tally.NextOffset, Before = _tally.Hash };
        if (_next is null)
        {
            _next = _files.Make(header, out var failed);
            if (_next is null) return Outcome(failed, "followed by another");
        }

        var error = SegmentFiles.Seal(_file, _tally, out var length, out var mayRetry);
        if (error != 0) return mayRetry ? Outcome(error, "sealed") : Fail(error, "sealed");
        _file.Dispose();
        var entry = new SegmentEntry(_files.PathOf(Segment.FirstOffset), Segment.FirstOffset, _tally.NextOffset, _tally.GreatestTime, length, Segment.Before);
        (_file, _next, _tally, _fullUp) = (_next, null, new SegmentTally(header), false);
        _zeroedTo = _tally.Position;
        Sealed?.Invoke(entry);
        return CommitOutcome.Durable;
    }

    private CommitOutcome Outcome(int error, string what) => SegmentFiles.IsFull(error) ? CommitOutcome.Full : Fail(error, what);

    private CommitOutcome Fail(int error, string what)
    {
        Failure = $"`{_files.PathOf(Segment.FirstOffset)}` could not be {what}: {Errno.Text(error)}";
        return CommitOutcome.Failed;
    }
}

internal enum CommitOutcome
{
    Durable,

    /// <summary>Nothing of it is there; may be tried again.</summary>
    Full,

    /// <summary>It may be there or not.</summary>
    Failed,
}
