using System.Security.Cryptography;
using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;
using Stoker.Streams.Work;

namespace Stoker.Streams.Archive;

/// <summary>
/// Brings one partition's events into the archive.
/// <code>
/// take up the position ─► read on ─► draft ─► closed: full, old, or the day ends ─► objects put ─► manifest put ─► position ─► next draft
///    ▲  retention waits for it           │                                             │ the same again, after a pause, until they are there
///    └────── the log is damaged, the spool cannot be written ◄─────────────────────────┘ (SIGTERM: what is not closed is gathered anew by the next process)
/// </code>
/// </summary>
internal sealed class ArchiveWorker : IDisposable
{
    private static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(100);

    private readonly Partition _partition;
    private readonly IArchiveStore _store;
    private readonly ArchiveDraft _draft;
    private readonly string _stream;
    private readonly TimeSpan _every;
    private readonly TimeProvider _clock;
    private readonly Action<string> _say;
    private volatile ArchiveProgress _progress;
    private DateTimeOffset _opened;
    private long _events;
    private long _objects;
    private long _bytes;
    private long _failures;
    private string? _problem;

    /// <param name="store">Of all partitions of the stream; its owner is another.</param>
    /// <param name="spool">A directory of this machine for objects that are being made.</param>
    public ArchiveWorker(string stream, Partition partition, ArchiveSpec spec, IArchiveStore store, IDisk disk, string spool, EventTransform transform, TimeProvider clock, Action<string> say)
    {
        (_stream, _partition, _store, _clock, _say) = (stream, partition, store, clock, say);
        _every = TimeSpan.FromSeconds(spec.EverySeconds);
        _draft = new ArchiveDraft(disk, spool, stream, partition, spec, transform);
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
            if (progress.Next >= _partition.End.NextOffset || progress.Oldest is not { } oldest) return 0;
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
                await WorkAsync(stop);
            }
            catch (IOException failed)
            {
                Trouble(failed.Message);
            }

            if (_clock.GetElapsedTime(begun) > BackOff.Longest) backOff.Worked();
            await backOff.PauseAsync(stop);
        }
    }

    /// <summary>From taking up the position until it has to be taken up anew.</summary>
    private async Task WorkAsync(CancellationToken stop)
    {
        var kept = await TakeAsync(stop);
        var next = kept.Current.Next;
        if (next > _partition.End.NextOffset)
        {
            Trouble(Ahead(next));
            return;
        }

        using var reader = _partition.Read(next);
        _draft.Begin(next, kept.Current.Hash);
        Times.Begin(next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
        Tell(next);
        while (await StepAsync(reader, kept, stop))
        {
        }
    }

    /// <summary>The position, from which on the log keeps what is there. One that is new begins where the archive itself says that it ends.</summary>
    private async Task<PositionFile> TakeAsync(CancellationToken stop)
    {
        var kept = _partition.Position(ArchiveModule.Consumer);
        if (!kept.Current.Required) Keep(kept, kept.Current with { Required = true });
        if (kept.Current.Epoch == 0)
        {
            var last = await LastAsync(stop);
            Keep(kept, last is { } there && there.Next > kept.Current.Next ? kept.Current with { Epoch = 1, Next = there.Next, Hash = there.Hash } : kept.Current with { Epoch = 1 });
        }

        return kept;
    }

    /// <summary>Where the archive ends; null: it has nothing of this partition.</summary>
    /// <exception cref="ArchiveUnavailableException">Also when it has events that the log has not, which must not become a position in the log.</exception>
    private async Task<(ulong Next, RunningHash Hash)?> LastAsync(CancellationToken stop)
    {
        (string Name, ulong First)? last = null;
        await foreach (var name in _store.ListAsync(ArchiveNames.Manifests(_stream, _partition.Log.ToString(), _partition.Number), stop))
        {
            if (ArchiveNames.Read(name) is { } read && !(last?.First >= read.First)) last = (name, read.First);
        }

        if (last is null || await ManifestReading.ReadAsync(_store, last.Value.Name, stop) is not { EndHash: { } hash } manifest) return null;
        return manifest.NextOffset <= _partition.End.NextOffset ? (manifest.NextOffset, hash) : throw new ArchiveUnavailableException(Ahead(manifest.NextOffset));
    }

    /// <returns>False: the position has to be taken up anew.</returns>
    private async Task<bool> StepAsync(LogReader reader, PositionFile kept, CancellationToken stop)
    {
        switch (reader.Read())
        {
            case ReadOutcome.Batch { Value: var batch }:
                using (batch)
                {
                    if (_draft.Events > 0 && DayOf(batch) > DayOf(_draft.FirstLogged)) await CloseAsync(kept, stop);
                    if (_draft.Events == 0) _opened = _clock.GetUtcNow();
                    _draft.Add(batch);
                }

                // Taken together only here: a run that is closed begins the next one where the batch began.
                Tell(kept.Current.Next);
                if (_draft.IsFull || _clock.GetUtcNow() - _opened >= _every) await CloseAsync(kept, stop);
                return true;
            case ReadOutcome.Gap gap:
                _say($"warning: events {gap.From} to {gap.To - 1} of partition {_partition.Number} were damaged and taken out of the log; they are not in the archive");
                _draft.Pass(gap.From, gap.To, "damaged");
                return true;
            case ReadOutcome.Deleted deleted:
                _say($"warning: events {deleted.From} to {deleted.To - 1} of partition {_partition.Number} were deleted before they were archived");
                _draft.Pass(deleted.From, deleted.To, "deleted");
                return true;
            case ReadOutcome.Damaged damaged:
                if (_draft.Events > 0) await CloseAsync(kept, stop);
                Trouble($"the log is damaged: {damaged.Value}; `stoker stream verify` tells more");
                return false;
            default:
                await RestAsync(reader, kept, stop);
                return true;
        }
    }

    /// <summary>At the log's end: until there is more, or what is there is old enough.</summary>
    private async Task RestAsync(LogReader reader, PositionFile kept, CancellationToken stop)
    {
        if (_draft.Events == 0)
        {
            Well();
            Tell(kept.Current.Next);
            await reader.WaitAsync(stop);
            return;
        }

        // By whichever clock says so first: that of the log may have been set.
        var first = LogModule.TimeOf(_draft.FirstLogged);
        var left = (first < _opened ? first : _opened) + _every - _clock.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            await CloseAsync(kept, stop);
            return;
        }

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
    }

    /// <summary>Objects, then the manifest, then the position; through outages.</summary>
    private async Task CloseAsync(PositionFile kept, CancellationToken stop)
    {
        var manifest = _draft.Close(_clock.GetUtcNow());
        var backOff = new BackOff(_clock);
        while (true)
        {
            try
            {
                await PutAsync(manifest, stop);
                break;
            }
            catch (ArchiveUnavailableException failed)
            {
                Trouble(failed.Message);
            }

            await backOff.PauseAsync(stop);
        }

        var (next, hash) = _draft.End;
        Keep(kept, kept.Current with { Next = next, Hash = hash });
        _events += manifest.Events;
        _objects += manifest.Objects.Count;
        _bytes += manifest.Objects.Sum(each => each.Bytes);
        Times.Add(next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
        _draft.Continue();
        Well();
        // What follows is not older.
        Tell(next, LogModule.MicrosecondsOf(manifest.LastLogged));
    }

    private async Task PutAsync(ArchiveManifest manifest, CancellationToken stop)
    {
        foreach (var (file, made) in _draft.Files.Zip(manifest.Objects)) await _store.PutAsync(made.Name, file.Object, file.Sum, stop);
        var json = manifest.ToJson();
        using var content = new MemoryStream(json, writable: false);
        await _store.PutAsync(_draft.ManifestName, content, SHA256.HashData(json), stop);
    }

    private void Keep(PositionFile kept, Position position)
    {
        if (kept.Current == position) return;
        DiskCalls.Check(kept.Set(position), "write the position of the archive in", $"partition {_partition.Number}");
    }

    private string Ahead(ulong next) => $"the archive has had {next} events of this log, which has only {_partition.End.NextOffset}: it is not the log that it was";

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
            using var reader = _partition.Read(offset);
            if (reader.Read() is not ReadOutcome.Batch { Value: var batch }) return null;
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
