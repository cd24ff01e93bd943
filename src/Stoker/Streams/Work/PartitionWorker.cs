using System.Diagnostics;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Stores;

namespace Stoker.Streams.Work;

/// <summary>
/// Brings one partition's events into the store, each exactly once.
/// <code>
/// take the partition (its position and epoch are the store's) ─► read on from there ─► documents ─► apply: documents and position, all or nothing
///        ▲                                                          └─ none: dead letters, durable first     ├─ applied: the log may forget them
///        └── somebody else took it · the store is elsewhere · nobody knows whether it happened ◄─────────────┤
///                                                     the same again, after a pause ◄── an outage ◄──────────┘
/// </code>
/// </summary>
internal sealed class PartitionWorker : IAsyncDisposable
{
    /// <summary>The name under which the log keeps its position, for retention's sake; what counts is the store's.</summary>
    private const string Consumer = "store";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(10), LetterPause = TimeSpan.FromSeconds(1);

    private readonly Partition _partition;
    private readonly IDocumentStore _store;
    private readonly DeadLetterStore _letters;
    private readonly TimeProvider _clock;
    private readonly Action<string> _say;
    private readonly EventBatch _batch;
    private readonly LogPlace _place;
    private volatile WorkerProgress _progress;
    private long _stored;
    private long _duplicates;
    private long _poison;
    private string? _problem;

    public PartitionWorker(Partition partition, IDocumentStore store, DeadLetterStore letters, string? host, TimeProvider clock, Action<string> say)
    {
        (_partition, _store, _letters, _clock, _say) = (partition, store, letters, clock, say);
        _place = new LogPlace(partition.Log.ToString(), partition.Number);
        _batch = new EventBatch(_place, host, PutAside);
        _progress = new WorkerProgress(partition.BeginOffset, 0, 0, 0, null);
    }

    public WorkerProgress Progress => _progress;

    public CommitTimes Times { get; } = new();

    public async ValueTask DisposeAsync()
    {
        _batch.Dispose();
        await _store.DisposeAsync();
    }

    /// <summary>Until it is stopped. What throws out of it is a bug.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                var begun = Stopwatch.GetTimestamp();
                await WorkAsync(stop);
                if (Stopwatch.GetElapsedTime(begun) > LongestPause) pause = FirstPause;
            }
            catch (IOException failed)
            {
                Trouble(failed.Message);
            }

            await Task.Delay(pause, _clock, stop);
        }
    }

    /// <summary>From taking the partition until it has to be taken anew.</summary>
    private async Task WorkAsync(CancellationToken stop)
    {
        var claim = await _store.TakeAsync(_place, new StorePosition((long)_partition.BeginOffset, 0), stop);
        var kept = _partition.Position(Consumer);
        var next = (ulong)claim.Position.Next;
        if (next > _partition.End.NextOffset)
        {
            Trouble($"the store has had {next} events of this log, which has only {_partition.End.NextOffset}: it is not the log that it was");
            return;
        }

        using var reader = _partition.Read(next);
        Keep(kept, next, null);
        Tell(next, null);
        var lettersAt = 0L;
        while (true)
        {
            if (_clock.GetElapsedTime(lettersAt) > LetterPause)
            {
                if (!await RetryLettersAsync(claim, stop)) return;
                lettersAt = _clock.GetTimestamp();
            }

            _batch.Begin(next);
            var end = Gather(reader);
            if (end is null)
            {
                if (_problem is not null && reader.NextOffset < _partition.End.NextOffset) return;
                Tell(next, null);
                await WaitAsync(reader, stop);
                continue;
            }

            if (_batch.Poison.Count > 0) PutAside(_batch.Poison);
            _batch.End(end.Value.Next, end.Value.Hash);
            if (!await ApplyAsync(claim, next, stop)) return;
            next = end.Value.Next;
            Times.Add(next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
            Keep(kept, next, end.Value.Hash);
        }
    }

    /// <summary>Until there is more, or it is time to look for dead letters that somebody wants tried again.</summary>
    private async Task WaitAsync(LogReader reader, CancellationToken stop)
    {
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(stop);
        soon.CancelAfter(LetterPause);
        try
        {
            await reader.WaitAsync(soon.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Looked for below.
        }
    }

    /// <returns>Where the batch ends; null: there is nothing to store.</returns>
    private (ulong Next, ulong Hash)? Gather(LogReader reader)
    {
        (ulong, ulong)? end = null;
        while (_batch.Count < StoresModule.BatchSize)
        {
            switch (reader.Read())
            {
                case ReadOutcome.Batch { Value: var found }:
                    using (found)
                    {
                        foreach (var record in found) _batch.Add(record);
                        end = (found.NextOffset, found.Hash.Value);
                    }

                    break;
                case ReadOutcome.Gap gap:
                    _say($"warning: events {gap.From} to {gap.To - 1} of partition {_partition.Number} were damaged and taken out of the log; they are not in the store");
                    break;
                case ReadOutcome.Deleted deleted:
                    _say($"warning: events {deleted.From} to {deleted.To - 1} of partition {_partition.Number} were deleted before they were stored");
                    break;
                case ReadOutcome.Damaged damaged:
                    Trouble($"the log is damaged: {damaged.Value}; `stoker stream verify` tells more");
                    return end;
                case ReadOutcome.End:
                    return end;
            }
        }

        return end;
    }

    /// <summary>Applies the batch, through outages.</summary>
    /// <returns>False: the partition has to be taken anew.</returns>
    private async Task<bool> ApplyAsync(StoreClaim claim, ulong next, CancellationToken stop)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            switch (await _store.ApplyAsync(claim, _batch.Documents, stop))
            {
                case ApplyOutcome.Applied applied:
                    _stored += applied.Stored;
                    _duplicates += applied.Duplicates;
                    _poison += applied.Poison + _batch.Poison.Count;
                    Well();
                    Tell((ulong)_batch.Documents.Next.Next, null);
                    return true;
                case ApplyOutcome.Fenced fenced:
                    Trouble($"somebody else stores this partition's events (epoch {fenced.Epoch} and ours is {claim.Epoch})");
                    return false;
                case ApplyOutcome.Elsewhere:
                    return false;
                case ApplyOutcome.Ambiguous broken:
                    Trouble(broken.Reason);
                    return false;
                case ApplyOutcome.Outage outage:
                    Trouble(outage.Reason);
                    Tell(next, OldestOf(next));
                    break;
            }

            await Task.Delay(pause, _clock, stop);
        }
    }

    /// <summary>Tries again what somebody has asked to be tried again.</summary>
    /// <returns>False: the partition has to be taken anew.</returns>
    private async Task<bool> RetryLettersAsync(StoreClaim claim, CancellationToken stop)
    {
        while (_letters.ToRetry(_partition.Number, StoresModule.BatchSize) is { Count: > 0 } letters)
        {
            _batch.Begin(null);
            foreach (var letter in letters) _batch.Add(new LogRecord(letter.Offset, letter.Logged, 0, letter.Frame));
            var still = _batch.Poison.Select(p => p.Offset).ToHashSet();
            if (still.Count > 0) PutAside(_batch.Poison);
            _batch.End(0, 0);
            if (!await ApplyAsync(claim, (ulong)claim.Position.Next, stop)) return false;
            foreach (var poison in _batch.Documents.Poison) still.Add((ulong)_batch.Documents.Documents[poison.Item].Sequence);
            foreach (var letter in letters.Where(letter => !still.Contains(letter.Offset))) _letters.Set(letter.Partition, letter.Offset, DeadLetterState.Stored);
        }

        return true;
    }

    private void PutAside(IReadOnlyList<DeadLetter> letters) => _letters.Add(letters, LogModule.MicrosecondsOf(_clock.GetUtcNow()));

    /// <summary>For retention: what is stored may go. A step back after a crash keeps only more.</summary>
    private static void Keep(PositionFile kept, ulong next, ulong? hash)
    {
        if (kept.Current.Required && kept.Current.Next == next) return;
        _ = kept.Set(kept.Current with { Next = next, Hash = hash is { } known ? new Log.Format.RunningHash(known) : kept.Current.Hash, Required = true });
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

    private void Tell(ulong next, long? oldest) => _progress = new WorkerProgress(next, _stored, _duplicates, _poison, oldest)
    {
        Problem = _problem,
        LagSeconds = oldest is { } time ? Math.Max(0, (LogModule.MicrosecondsOf(_clock.GetUtcNow()) - time) / 1e6) : 0,
    };

    private void Trouble(string problem)
    {
        if (problem != _problem) _say($"warning: events of partition {_partition.Number} are not stored: {problem}");
        _problem = problem;
        Tell(_progress.Next, _progress.Oldest ?? OldestOf(_progress.Next));
    }

    private void Well()
    {
        if (_problem is not null) _say($"events of partition {_partition.Number} are stored again");
        _problem = null;
    }
}
