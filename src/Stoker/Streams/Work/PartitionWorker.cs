using Stoker.Platform;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Stores;
using Stoker.Streams.Transform;

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
    /// <summary>Of events that are stored together, beyond which no more are added.</summary>
    private const long MostBytes = 16 << 20;

    /// <summary>How often the store is asked how far it is, while another process stores the partition's events.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LetterPause = TimeSpan.FromSeconds(1);

    private readonly IEventPartition _partition;
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

    /// <summary>The log cannot be read on, and is to be opened anew; nothing that is only not fetched yet.</summary>
    private bool _isDamaged;

    public PartitionWorker(IEventPartition partition, IDocumentStore store, DeadLetterStore letters, EventTransform transform, TimeProvider clock, Action<string> say)
    {
        (_partition, _store, _letters, _clock, _say) = (partition, store, letters, clock, say);
        _place = new LogPlace(partition.LogName, partition.Number);
        _batch = new EventBatch(_place, transform, PutAside);
        _progress = new WorkerProgress(partition.BeginOffset, 0, 0, 0, null);
    }

    public WorkerProgress Progress => _progress;

    public CommitTimes Times { get; } = new();

    /// <summary>Age of the oldest event that is not stored, in seconds; 0: all are.</summary>
    public double LagSeconds
    {
        get
        {
            var progress = _progress;
            if (progress.Next >= _partition.NextOffset || progress.Oldest is not { } oldest) return 0;
            return Math.Max(0, (LogModule.MicrosecondsOf(_clock.GetUtcNow()) - oldest) / 1e6);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _batch.Dispose();
        await _store.DisposeAsync();
    }

    /// <summary>Until it is stopped. What throws out of it is a bug.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        Remember();
        var backOff = new BackOff(_clock);
        while (true)
        {
            var begun = _clock.GetTimestamp();
            try
            {
                using var hold = await HoldAsync(stop);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, hold.Wanted);
                await WorkAsync(either.Token, stop);
                if (hold.Wanted.IsCancellationRequested) backOff.Worked();
            }
            catch (IOException failed)
            {
                Trouble(failed.Message);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // The partition is wanted elsewhere; nothing was under way.
            }

            if (_clock.GetElapsedTime(begun) > BackOff.Longest) backOff.Worked();
            await backOff.PauseAsync(stop);
        }
    }

    /// <summary>What the log knows of the store, until the store is there and says it.</summary>
    private void Remember()
    {
        try
        {
            if (_partition.Kept is { } known && known > _progress.Next) Tell(known, null);
        }
        catch (IOException)
        {
            // Met again, and told, when the partition is taken.
        }
    }

    /// <summary>Waits until the partition's events are this process's to store; meanwhile it is told how far the one that has it is.</summary>
    private async Task<PartitionHold> HoldAsync(CancellationToken stop)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var holding = _partition.HoldAsync(Partition.Store, leaving.Token);
        try
        {
            while (!holding.IsCompleted && await Task.WhenAny(holding, Task.Delay(LookEvery, _clock, stop)) != holding)
            {
                stop.ThrowIfCancellationRequested();
                await LookAsync(stop);
            }

            return await holding;
        }
        catch
        {
            // Nobody is given what nobody waits for.
            await leaving.CancelAsync();
            if (holding.IsCompletedSuccessfully) (await holding).Dispose();
            throw;
        }
    }

    private async Task LookAsync(CancellationToken stop)
    {
        try
        {
            if (await _store.PositionAsync(_place, stop) is not { } elsewhere) return;
            Well();
            Tell((ulong)elsewhere.Next, (ulong)elsewhere.Next < _partition.NextOffset ? OldestOf((ulong)elsewhere.Next) : null);
        }
        catch (IOException failed)
        {
            Trouble(failed.Message);
        }
    }

    /// <summary>From taking the partition until it has to be taken anew.</summary>
    /// <param name="stop">Nothing new is begun: the process ends, or the partition is wanted elsewhere.</param>
    /// <param name="abandon">The process ends: what the store is being asked is not waited for either.</param>
    private async Task WorkAsync(CancellationToken stop, CancellationToken abandon)
    {
        var claim = await _store.TakeAsync(_place, new StorePosition((long)_partition.BeginOffset, 0), abandon);
        var next = (ulong)claim.Position.Next;
        if (_partition.Contradicts(next, claim.Position.Hash) is { } other)
        {
            Trouble(other);
            return;
        }

        using var reader = _partition.Read(next);
        _partition.Keep(next, null);
        Times.Begin(next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
        Tell(next, OldestOf(next));
        var lettersAt = 0L;
        while (!stop.IsCancellationRequested)
        {
            if (_clock.GetElapsedTime(lettersAt) > LetterPause)
            {
                if (!await RetryLettersAsync(claim, stop, abandon)) return;
                lettersAt = _clock.GetTimestamp();
            }

            _batch.Begin(next);
            _isDamaged = false;
            if (Gather(reader) is not { } end)
            {
                if (_isDamaged) return;
                Well();
                Tell(next, null);
                await WaitAsync(reader, stop);
                continue;
            }

            Tell(next, _batch.FirstLogged);
            if (_batch.Poison.Count > 0) PutAside(_batch.Poison);
            _batch.End(end.Next, end.Hash);
            if (!await ApplyAsync(claim, stop, abandon)) return;
            next = end.Next;
            Times.Add(next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
            // What follows is not older.
            Tell(next, _batch.LastLogged);
            _partition.Keep(next, end.Hash);
        }
    }

    /// <summary>Until there is more, or it is time to look for dead letters that somebody wants tried again.</summary>
    private async Task WaitAsync(IEventReader reader, CancellationToken stop)
    {
        using var soon = new CancellationTokenSource(LetterPause, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, soon.Token);
        try
        {
            await reader.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Looked for below.
        }
    }

    /// <returns>Where the batch ends; null: there is nothing to store.</returns>
    private (ulong Next, ulong Hash)? Gather(IEventReader reader)
    {
        (ulong, ulong)? end = null;
        while (_batch.Count < _store.BatchSize && _batch.Bytes < MostBytes)
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
                    _isDamaged = true;
                    return end;
                case ReadOutcome.End:
                    return end;
            }
        }

        return end;
    }

    /// <summary>Applies the batch, through outages.</summary>
    /// <returns>False: the partition has to be taken anew.</returns>
    private async Task<bool> ApplyAsync(StoreClaim claim, CancellationToken stop, CancellationToken abandon)
    {
        var backOff = new BackOff(_clock);
        while (true)
        {
            switch (await _store.ApplyAsync(claim, _batch.Documents, abandon))
            {
                case ApplyOutcome.Applied applied:
                    _stored += applied.Stored;
                    _duplicates += applied.Duplicates;
                    _poison += applied.Poison + _batch.Poison.Count;
                    Well();
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
                    break;
            }

            await backOff.PauseAsync(stop);
        }
    }

    /// <summary>Tries again what somebody has asked to be tried again.</summary>
    /// <returns>False: the partition has to be taken anew.</returns>
    private async Task<bool> RetryLettersAsync(StoreClaim claim, CancellationToken stop, CancellationToken abandon)
    {
        while (_letters.ToRetry(_partition.Number, _store.BatchSize) is { Count: > 0 } letters)
        {
            _batch.Begin(null);
            foreach (var letter in letters) AddAgain(letter);
            var still = _batch.Poison.Select(p => p.Offset).ToHashSet();
            if (still.Count > 0) PutAside(_batch.Poison);
            _batch.End(0, 0);
            if (!await ApplyAsync(claim, stop, abandon)) return false;
            foreach (var poison in _batch.Documents.Poison) still.Add((ulong)_batch.Documents.Documents[poison.Item].Sequence);
            foreach (var letter in letters.Where(letter => !still.Contains(letter.Offset))) _letters.Set(letter.Partition, letter.Offset, DeadLetterState.Stored);
        }

        return true;
    }

    /// <summary>As it was put aside; what was no event is read anew, because what is taken for one may have changed.</summary>
    private void AddAgain(DeadLetter letter)
    {
        if (letter.Frame.AsSpan().StartsWith("{"u8) && _partition.Find(letter.Offset) is ReadOutcome.Batch { Value: var batch })
        {
            using (batch)
            {
                foreach (var record in batch)
                {
                    if (record.Offset == letter.Offset) _batch.Add(record);
                    if (record.Offset >= letter.Offset) break;
                }
            }
        }

        if (_batch.LastOffset == letter.Offset) return;
        var fault = letter.Frame.AsSpan().StartsWith("{"u8) ? new RecordFault(letter.Cause, letter.Path, letter.Message) : null;
        _batch.Add(new LogRecord(letter.Offset, letter.Logged, 0, letter.Frame) { Fault = fault });
    }

    private void PutAside(IReadOnlyList<DeadLetter> letters) => _letters.Add(letters, LogModule.MicrosecondsOf(_clock.GetUtcNow()));

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

    private void Tell(ulong next, long? oldest) => _progress = new WorkerProgress(next, _stored, _duplicates, _poison, oldest)
    {
        Problem = _problem,
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
