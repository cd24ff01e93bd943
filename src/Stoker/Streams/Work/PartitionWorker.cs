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
/// While one batch is stored the next is gathered, from where the first ends; it is stored when the first is, and forgotten when the partition has to be taken anew.
/// What is told and kept is that of the batch that is being stored, so it has one writer at a time.
/// </summary>
internal sealed class PartitionWorker : IAsyncDisposable
{
    /// <summary>How often the store is asked how far it is, while another process stores the partition's events.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LetterPause = TimeSpan.FromSeconds(1);

    private readonly IEventPartition _partition;
    private readonly IDocumentStore _store;
    private readonly DeadLetterStore _letters;
    private readonly TimeProvider _clock;
    private readonly Action<string> _say;
    private readonly WorkerTally _tally;
    private readonly LogPlace _place;

    /// <summary>What is being gathered, and what is being stored or was; they change places.</summary>
    private EventBatch _gathered, _other;

    public PartitionWorker(IEventPartition partition, IDocumentStore store, DeadLetterStore letters, EventTransform transform, TimeProvider clock, Action<string> say)
    {
        (_partition, _store, _letters, _clock, _say) = (partition, store, letters, clock, say);
        _place = new LogPlace(partition.LogName, partition.Number);
        (_gathered, _other) = (new EventBatch(_place, transform, PutAside), new EventBatch(_place, transform, PutAside));
        _tally = new WorkerTally(partition.Number, partition.BeginOffset, OldestOf, say);
    }

    public WorkerProgress Progress => _tally.Progress;

    public CommitTimes Times { get; } = new();

    /// <summary>Age of the oldest event that is not stored, in seconds; 0: all are.</summary>
    public double LagSeconds
    {
        get
        {
            var progress = Progress;
            if (progress.Next >= _partition.NextOffset || progress.Oldest is not { } oldest) return 0;
            return Math.Max(0, (LogModule.MicrosecondsOf(_clock.GetUtcNow()) - oldest) / 1e6);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _gathered.Dispose();
        _other.Dispose();
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
                _tally.Trouble(failed.Message);
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
            if (_partition.Kept is { } known && known > Progress.Next) _tally.Tell(known, null);
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
            _tally.Well();
            _tally.Tell((ulong)elsewhere.Next, (ulong)elsewhere.Next < _partition.NextOffset ? OldestOf((ulong)elsewhere.Next) : null);
        }
        catch (IOException failed)
        {
            _tally.Trouble(failed.Message);
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
            _tally.Trouble(other);
            return;
        }

        using var reader = _partition.Read(next);
        _partition.Keep(next, null);
        Times.Begin(next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
        _tally.Tell(next, OldestOf(next));
        var lettersAt = 0L;
        var storing = Task.FromResult(true);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                _gathered.Begin(next);
                var damage = await GatherAsync(reader, storing, stop);
                if (!await storing) return;
                if (_clock.GetElapsedTime(lettersAt) > LetterPause)
                {
                    if (!await RetryLettersAsync(claim, _other, stop, abandon)) return;
                    lettersAt = _clock.GetTimestamp();
                }

                if (_gathered.End is { } end)
                {
                    var batch = _gathered;
                    (_gathered, _other) = (_other, batch);
                    // A store may work on the thread that calls it.
                    storing = Task.Run(() => StoreAsync(claim, batch, stop, abandon), CancellationToken.None);
                    next = (ulong)end.Next;
                }
                else if (damage is not null)
                {
                    _tally.Trouble(damage);
                    return;
                }
                else
                {
                    _tally.Well();
                    _tally.Tell(next, null);
                    await WaitAsync(reader, stop);
                }
            }
        }
        finally
        {
            // The partition is nobody else's before this has ended.
            await storing;
        }
    }

    /// <summary>Gathers until the batch is full, or the store is free and there is no more.</summary>
    /// <param name="storing">The batch before.</param>
    /// <returns>Why the log cannot be read on; null: it can.</returns>
    private async Task<string?> GatherAsync(IEventReader reader, Task storing, CancellationToken stop)
    {
        while (true)
        {
            var isFree = storing.IsCompleted;
            if (Gather(reader) is { } damage) return damage;
            if (isFree || _gathered.IsFull(_store.BatchSize)) return null;
            await MoreAsync(reader, storing, stop);
        }
    }

    /// <summary>Until there is more to read, or the store is free.</summary>
    private static async Task MoreAsync(IEventReader reader, Task storing, CancellationToken stop)
    {
        using var free = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var more = reader.WaitAsync(free.Token);
        if (await Task.WhenAny(more, storing) == storing) await free.CancelAsync();
        try
        {
            await more;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // What has come by now is read all the same.
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

    /// <summary>Takes what there is to read, as far as the batch has room.</summary>
    /// <returns>Why the log cannot be read on; null: it can.</returns>
    private string? Gather(IEventReader reader)
    {
        while (!_gathered.IsFull(_store.BatchSize))
        {
            switch (reader.Read())
            {
                case ReadOutcome.Batch { Value: var found }:
                    using (found)
                    {
                        foreach (var record in found) _gathered.Add(record);
                        _gathered.EndAt(found.NextOffset, found.Hash.Value);
                    }

                    break;
                case ReadOutcome.Gap gap:
                    _say($"warning: events {gap.From} to {gap.To - 1} of partition {_partition.Number} were damaged and taken out of the log; they are not in the store");
                    break;
                case ReadOutcome.Deleted deleted:
                    _say($"warning: events {deleted.From} to {deleted.To - 1} of partition {_partition.Number} were deleted before they were stored");
                    break;
                case ReadOutcome.Damaged damaged:
                    return $"the log is damaged: {damaged.Value}; `stoker stream verify` tells more";
                case ReadOutcome.End:
                    return null;
            }
        }

        return null;
    }

    /// <summary>Stores what was gathered: from its first dead letter until the log may forget it.</summary>
    /// <returns>False: the partition has to be taken anew.</returns>
    private async Task<bool> StoreAsync(StoreClaim claim, EventBatch batch, CancellationToken stop, CancellationToken abandon)
    {
        _tally.Tell(Progress.Next, batch.FirstLogged);
        if (batch.Poison.Count > 0) PutAside(batch.Poison);
        if (!await ApplyAsync(claim, batch, stop, abandon)) return false;
        var end = batch.Documents.Next;
        var next = (ulong)end.Next;
        Times.Add(next, LogModule.MicrosecondsOf(_clock.GetUtcNow()));
        // What follows is not older.
        _tally.Tell(next, batch.LastLogged);
        _partition.Keep(next, end.Hash);
        return true;
    }

    /// <summary>Applies a batch, through outages.</summary>
    /// <returns>False: the partition has to be taken anew.</returns>
    private async Task<bool> ApplyAsync(StoreClaim claim, EventBatch batch, CancellationToken stop, CancellationToken abandon)
    {
        var backOff = new BackOff(_clock);
        while (true)
        {
            switch (await _store.ApplyAsync(claim, batch.Documents, abandon))
            {
                case ApplyOutcome.Applied applied:
                    _tally.Add(applied, batch.Poison.Count);
                    _tally.Well();
                    return true;
                case ApplyOutcome.Fenced fenced:
                    _tally.Trouble($"somebody else stores this partition's events (epoch {fenced.Epoch} and ours is {claim.Epoch})");
                    return false;
                case ApplyOutcome.Elsewhere:
                    return false;
                case ApplyOutcome.Ambiguous broken:
                    _tally.Trouble(broken.Reason);
                    return false;
                case ApplyOutcome.Outage outage:
                    _tally.Trouble(outage.Reason);
                    break;
            }

            await backOff.PauseAsync(stop);
        }
    }

    /// <summary>Tries again what somebody has asked to be tried again.</summary>
    /// <returns>False: the partition has to be taken anew.</returns>
    private async Task<bool> RetryLettersAsync(StoreClaim claim, EventBatch batch, CancellationToken stop, CancellationToken abandon)
    {
        while (_letters.ToRetry(_partition.Number, _store.BatchSize) is { Count: > 0 } letters)
        {
            batch.Begin(null);
            foreach (var letter in letters) AddAgain(letter, batch);
            var still = batch.Poison.Select(p => p.Offset).ToHashSet();
            if (still.Count > 0) PutAside(batch.Poison);
            batch.EndAt(0, 0);
            if (!await ApplyAsync(claim, batch, stop, abandon)) return false;
            foreach (var poison in batch.Documents.Poison) still.Add((ulong)batch.Documents.Documents[poison.Item].Sequence);
            foreach (var letter in letters.Where(letter => !still.Contains(letter.Offset))) _letters.Set(letter.Partition, letter.Offset, DeadLetterState.Stored);
        }

        return true;
    }

    /// <summary>As it was put aside; what was no event is read anew, because what is taken for one may have changed.</summary>
    private void AddAgain(DeadLetter letter, EventBatch batch)
    {
        if (letter.Frame.AsSpan().StartsWith("{"u8) && _partition.Find(letter.Offset) is ReadOutcome.Batch { Value: var found })
        {
            using (found)
            {
                foreach (var record in found)
                {
                    if (record.Offset == letter.Offset) batch.Add(record);
                    if (record.Offset >= letter.Offset) break;
                }
            }
        }

        if (batch.LastOffset == letter.Offset) return;
        var fault = letter.Frame.AsSpan().StartsWith("{"u8) ? new RecordFault(letter.Cause, letter.Path, letter.Message) : null;
        batch.Add(new LogRecord(letter.Offset, letter.Logged, 0, letter.Frame) { Fault = fault });
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
}
