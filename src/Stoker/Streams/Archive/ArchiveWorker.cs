using System.Security.Cryptography;
using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;
using Stoker.Streams.Work;

namespace Stoker.Streams.Archive;

/// <summary>
/// Brings one partition's events into the archive.
/// <code>
/// hold the partition ─► take up the position ─► read on ─► draft ─► closed: full, old, or the day ends ─► objects put ─► manifest put ─► position ─► next draft
///    ▲  retention waits for it           │                                             │ the same again, after a pause, until they are there
///    └────── the log is damaged, the spool cannot be written ◄─────────────────────────┘ (SIGTERM: what is not closed is gathered anew by the next process)
/// </code>
/// </summary>
internal sealed class ArchiveWorker : IDisposable
{
    private static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(100);

    private readonly IEventPartition _partition;
    private readonly IArchivePosition _position;
    private readonly bool _counts;
    private readonly IArchiveStore _store;
    private readonly ArchiveDraft _draft;
    private readonly TimeSpan _every;
    private readonly TimeProvider _clock;
    private readonly Action<string> _say;
    private volatile ArchiveProgress _progress;
    private DateTimeOffset _opened;
    private ulong _next;
    private ulong? _endAt;
    private bool _isFresh;
    private long _events;
    private long _objects;
    private long _bytes;
    private long _failures;
    private string? _problem;

    /// <param name="store">Of all partitions of the stream; its owner is another.</param>
    /// <param name="spool">A directory of this machine for objects that are being made.</param>
    public ArchiveWorker(string stream, IEventPartition partition, ArchiveSpec spec, IArchiveStore store, IDisk disk, string spool, EventTransform transform, TimeProvider clock, Action<string> say)
    {
        (_partition, _store, _clock, _say) = (partition, store, clock, say);
        _counts = partition is not Partition;
        _position = partition is Partition own ? new KeptPosition(store, stream, own) : new ManifestPosition(store, stream, partition);
        _every = TimeSpan.FromSeconds(spec.EverySeconds);
        _draft = new ArchiveDraft(disk, spool, stream, partition, spec, transform, _counts);
        _progress = new ArchiveProgress(partition.BeginOffset, 0, 0, 0, 0, null);
    }

    public ArchiveProgress Progress => _progress;

    public CommitTimes Times { get; } = new();

    /// <summary>Age of the oldest event that is not archived, in seconds; 0: all are. Up to the declared age of an object it is as it should be.</summary>
    public double LagSeconds
    {
        get
        {
            var progress = _progress;
            if (progress.IsElsewhere || progress.Next >= _partition.NextOffset || progress.Oldest is not { } oldest) return 0;
            return Math.Max(0, (LogModule.MicrosecondsOf(_clock.GetUtcNow()) - oldest) / 1e6);
        }
    }

    public void Dispose() => _draft.Dispose();

    /// <summary>Until it is stopped. What throws out of it is a bug.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var backOff = new BackOff(_clock);
        while (true)
        {
            var begun = _clock.GetTimestamp();
            try
            {
                using var hold = await HoldAsync(stop);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, hold.Wanted);
                await WorkAsync(either.Token, stop);
            }
            catch (IOException failed)
            {
                Trouble(failed.Message);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // The partition is wanted elsewhere; what is not closed is gathered anew there.
                backOff.Worked();
            }

            if (_clock.GetElapsedTime(begun) > BackOff.Longest) backOff.Worked();
            await backOff.PauseAsync(stop);
        }
    }

    private async Task<PartitionHold> HoldAsync(CancellationToken stop)
    {
        var holding = _position.HoldAsync(stop);
        if (!holding.IsCompleted) _progress = new ArchiveProgress(_progress.Next, _events, _objects, _bytes, _failures, null) { IsElsewhere = true };
        return await holding;
    }

    /// <summary>From taking up the position until it has to be taken up anew.</summary>
    /// <param name="stop">Nothing new is begun: the process ends, or the partition is wanted elsewhere.</param>
    /// <param name="abandon">The process ends: what is being put is not waited for either.</param>
    private async Task WorkAsync(CancellationToken stop, CancellationToken abandon)
    {
        var point = await _position.TakeAsync(stop);
        if (_partition.Contradicts(point.Next, 0) is not null)
        {
            Trouble(Ahead(point.Next, _partition));
            return;
        }

        using var reader = _partition.Read(point.Next);
        _draft.Begin(point);
        (_next, _endAt, _isFresh) = (point.Next, null, true);
        Times.Begin(_next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
        Tell(_next);
        while (await StepAsync(reader, stop, abandon)) stop.ThrowIfCancellationRequested();
    }

    /// <returns>False: the position has to be taken up anew.</returns>
    private async Task<bool> StepAsync(IEventReader reader, CancellationToken stop, CancellationToken abandon)
    {
        switch (reader.Read())
        {
            case ReadOutcome.Batch { Value: var batch }:
                using (batch)
                {
                    if (!await (_counts ? AddOneByOneAsync(batch, stop, abandon) : AddAsync(batch, stop, abandon))) return false;
                }

                // Taken together only here: a run that is closed begins the next one where the batch began.
                Tell(_next);
                return !(_draft.IsFull || _draft.End.Next == _endAt || _clock.GetUtcNow() - _opened >= _every) || await CloseAsync(stop, abandon);
            case ReadOutcome.Gap gap:
                _say($"warning: events {gap.From} to {gap.To - 1} of partition {_partition.Number} were damaged and taken out of the log; they are not in the archive");
                _draft.Pass(gap.From, gap.To, "damaged");
                return true;
            case ReadOutcome.Deleted deleted:
                _say($"warning: events {deleted.From} to {deleted.To - 1} of partition {_partition.Number} were deleted before they were archived");
                _draft.Pass(deleted.From, deleted.To, "deleted");
                return true;
            case ReadOutcome.Damaged damaged:
                if (_draft.Events > 0) await CloseAsync(stop, abandon);
                Trouble($"the log is damaged: {damaged.Value}; `stoker stream verify` tells more");
                return false;
            default:
                return await RestAsync(reader, stop, abandon);
        }
    }

    /// <summary>What was committed together, with the log's hash at its end.</summary>
    /// <returns>False: the position has to be taken up anew.</returns>
    private async Task<bool> AddAsync(RecordBatch batch, CancellationToken stop, CancellationToken abandon)
    {
        if (_draft.Events > 0 && DayOf(batch) > DayOf(_draft.FirstLogged) && !await CloseAsync(stop, abandon)) return false;
        if (_draft.Events == 0) _opened = _clock.GetUtcNow();
        _draft.Add(batch);
        return true;
    }

    /// <summary>What was fetched together, which says nothing: a run may end at any event.</summary>
    /// <returns>False: the position has to be taken up anew.</returns>
    private async Task<bool> AddOneByOneAsync(RecordBatch batch, CancellationToken stop, CancellationToken abandon)
    {
        foreach (var record in batch)
        {
            if (_draft.Events > 0 && (DayOf(record.Time) > DayOf(_draft.FirstLogged) || record.Offset >= _endAt) && !await CloseAsync(stop, abandon)) return false;
            if (_draft.Events == 0) _opened = _clock.GetUtcNow();
            _draft.Add(record, batch.AsItCame(record));
            if (!_isFresh) continue;
            // Whoever had the partition before may have ended between an object and its manifest.
            _isFresh = false;
            _endAt = await _position.LeftoverAsync(_draft.Place, stop);
        }

        return true;
    }

    /// <summary>At the log's end: until there is more, or what is there is old enough.</summary>
    /// <returns>False: the position has to be taken up anew.</returns>
    private async Task<bool> RestAsync(IEventReader reader, CancellationToken stop, CancellationToken abandon)
    {
        if (_draft.Events == 0)
        {
            Well();
            Tell(_next);
            await reader.WaitAsync(stop);
            return true;
        }

        // Not fetched yet: what is old and still to come belongs to the same run.
        if (_counts && reader.NextOffset < _partition.NextOffset)
        {
            await reader.WaitAsync(stop);
            return true;
        }

        // By whichever clock says so first: that of the log may have been set.
        var first = LogModule.TimeOf(_draft.FirstLogged);
        var left = (first < _opened ? first : _opened) + _every - _clock.GetUtcNow();
        if (left <= TimeSpan.Zero) return await CloseAsync(stop, abandon);
        using var soon = new CancellationTokenSource(left, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, soon.Token);
        try
        {
            await reader.WaitAsync(either.Token);
            // Nobody waits for it: what comes in a moment is taken together.
            await Task.Delay(GatherTime, _clock, either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Old enough now.
        }

        return true;
    }

    /// <summary>Objects, then the manifest, then the position; through outages.</summary>
    /// <returns>False: another process has archived them meanwhile.</returns>
    private async Task<bool> CloseAsync(CancellationToken stop, CancellationToken abandon)
    {
        var manifest = _draft.Close(_clock.GetUtcNow());
        var backOff = new BackOff(_clock);
        while (true)
        {
            try
            {
                if (await PutAsync(manifest, abandon)) break;
                _say($"events of partition {_partition.Number} were archived by another process meanwhile");
                return false;
            }
            catch (ArchiveUnavailableException failed)
            {
                Trouble(failed.Message);
            }

            await backOff.PauseAsync(stop);
        }

        var end = _draft.End;
        _position.Keep(end);
        (_next, _endAt) = (end.Next, null);
        _events += manifest.Events;
        _objects += manifest.Objects.Count;
        _bytes += manifest.Objects.Sum(each => each.Bytes);
        Times.Add(end.Next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
        _draft.Continue();
        Well();
        // What follows is not older.
        Tell(end.Next, LogModule.MicrosecondsOf(manifest.LastLogged));
        return true;
    }

    /// <returns>False: it is another process's to do.</returns>
    private async Task<bool> PutAsync(ArchiveManifest manifest, CancellationToken abandon)
    {
        foreach (var (file, made) in _draft.Files.Zip(manifest.Objects)) await _store.PutAsync(made.Name, file.Object, file.Sum, abandon);
        if (await _position.IsOvertakenAsync(_draft.Place, abandon)) return false;
        var json = manifest.ToJson();
        using var content = new MemoryStream(json, writable: false);
        await _store.PutAsync(_draft.ManifestName, content, SHA256.HashData(json), abandon);
        return true;
    }

    /// <summary>In words, of an archive that has what the log has not.</summary>
    public static string Ahead(ulong next, IEventPartition partition) => $"the archive has had {next} events of this log, which has only {partition.NextOffset}: it is not the log that it was";

    private static DateTime DayOf(RecordBatch batch)
    {
        foreach (var record in batch) return DayOf(record.Time);
        return default;
    }

    private static DateTime DayOf(long time) => LogModule.TimeOf(time).UtcDateTime.Date;

    private void Tell(ulong next) => Tell(next, _draft.Events > 0 ? _draft.FirstLogged : _progress.Next == next ? _progress.Oldest : null);

    private void Tell(ulong next, long? oldest) => _progress = new ArchiveProgress(next, _events, _objects, _bytes, _failures, oldest)
    {
        Problem = _problem,
    };

    private void Trouble(string problem)
    {
        _failures++;
        if (problem != _problem) _say($"warning: events of partition {_partition.Number} are not archived: {problem}");
        _problem = problem;
        Tell(_progress.Next, _draft.Events > 0 ? _draft.FirstLogged : _progress.Oldest ?? OldestOf(_progress.Next));
    }

    private long? OldestOf(ulong offset)
    {
        try
        {
            if (_partition.Find(offset) is not ReadOutcome.Batch { Value: var batch }) return null;
            using (batch)
            {
                foreach (var record in batch) return record.Time;
            }
        }
        catch (IOException)
        {
            // Told by whoever reads on.
        }

        return null;
    }

    private void Well()
    {
        if (_problem is not null) _say($"events of partition {_partition.Number} are archived again");
        _problem = null;
    }
}
