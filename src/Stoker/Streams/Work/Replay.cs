using System.Text.Json;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Work;

/// <summary>
/// Transforms anew what the log has, and holds it to what the store has, or has the store take what it lacks. Goes no further than the stream's own worker has
/// been, and leaves dead letters and positions alone; the worker may go on meanwhile.
/// <code>
/// log ─► event ─► document ─┬─ compare: looked for in the store ─► same │ different, by field │ missing │ stored from another event with its id
///                           │                                  └─ replace: different and missing ones are applied
///                           └─ fill: applied under a place of its own, so that the worker is not fenced off ─► stored │ was there
/// </code>
/// </summary>
/// <param name="store">For <see cref="ReplayMode.Replace"/> one that replaces.</param>
internal sealed class Replay(LogView log, IDocumentStore store, DeadLetterStore letters, EventTransform transform, TimeProvider clock)
{
    private readonly ReplaySums _sums = new();
    private bool _hasLetters;
    private bool _compares;

    /// <param name="fromOf">Where to begin in each partition.</param>
    /// <param name="told">Called after each batch.</param>
    /// <exception cref="IOException">The log is damaged, or the store failed. What was applied stays, and the same again changes nothing.</exception>
    public async Task<ReplaySums> RunAsync(Func<IPartitionView, ulong> fromOf, ReplayMode mode, Action<ReplaySums> told, CancellationToken stop)
    {
        _compares = mode != ReplayMode.Fill;
        _hasLetters = letters.List(null, 1).Count > 0;
        foreach (var partition in log.Partitions)
        {
            var place = new LogPlace(log.Name, partition.Partition);
            var stored = (ulong)((await store.PositionAsync(place, stop))?.Next ?? (long)partition.BeginOffset);
            using var batch = new EventBatch(place, transform, PutAside);
            var claim = mode == ReplayMode.Compare ? null : await store.TakeAsync(new LogPlace($"replay-{place.Log}", place.Partition), default, stop);
            await RunAsync(partition, fromOf(partition), stored, batch, claim, told, stop);
            if (partition.NextOffset > stored) _sums.Waiting += (long)(partition.NextOffset - stored);
        }

        return _sums;
    }

    private async Task RunAsync(IPartitionView partition, ulong from, ulong stored, EventBatch batch, StoreClaim? claim, Action<ReplaySums> told, CancellationToken stop)
    {
        batch.Begin(null);
        foreach (var outcome in partition.Read(from))
        {
            stop.ThrowIfCancellationRequested();
            if (outcome is ReadOutcome.Damaged { Value: var damage }) throw new IOException($"the log is damaged: {damage}");
            if (outcome is ReadOutcome.Gap gap) _sums.Gone += (long)(gap.To - gap.From);
            if (outcome is not ReadOutcome.Batch { Value: var read }) continue;
            using (read) Take(partition.Partition, read, stored, batch);
            if (batch.IsFull(store.BatchSize)) await EndAsync(batch, claim, told, stop);
        }

        await EndAsync(batch, claim, told, stop);
    }

    private void Take(int partition, RecordBatch read, ulong stored, EventBatch batch)
    {
        foreach (var record in read)
        {
            if (record.Offset >= stored) return;
            _sums.Events++;
            if (_hasLetters && letters.Find(partition, record.Offset) is { State: not DeadLetterState.Stored }) _sums.DeadLetters++;
            else batch.Add(record);
        }
    }

    private async Task EndAsync(EventBatch batch, StoreClaim? claim, Action<ReplaySums> told, CancellationToken stop)
    {
        _sums.Poison += batch.Poison.Count;
        if (batch.Poison.Count > 0) _sums.FirstPoison ??= $"{batch.Poison[0].Partition}-{batch.Poison[0].Offset}: {batch.Poison[0].Message}";
        batch.EndAt(0, 0);
        if (_compares) batch.Keep(await CompareAsync(batch, stop));
        if (claim is not null && batch.Documents.Documents.Length > 0) await ApplyAsync(batch, claim, stop);
        batch.Begin(null);
        told(_sums);
    }

    private async Task ApplyAsync(EventBatch batch, StoreClaim claim, CancellationToken stop)
    {
        switch (await store.ApplyAsync(claim, batch.Documents, stop))
        {
            case ApplyOutcome.Applied applied:
                _sums.Stored += applied.Stored;
                _sums.Duplicates += applied.Duplicates;
                _sums.Poison += applied.Poison;
                break;
            case ApplyOutcome.Fenced:
                throw new IOException("another replay of this stream has begun");
            case ApplyOutcome.Outage outage:
                throw new IOException($"the store failed: {outage.Reason}");
            case ApplyOutcome.Ambiguous broken:
                throw new IOException($"the store broke off: {broken.Reason}");
            case ApplyOutcome.Elsewhere:
                throw new InvalidOperationException("a batch that moves no position was refused for one");
        }
    }

    /// <returns>The items that the store does not have so.</returns>
    private async Task<List<int>> CompareAsync(EventBatch batch, CancellationToken stop)
    {
        var others = new List<int>();
        for (var i = 0; i < batch.Documents.Documents.Length; i++)
        {
            var document = batch.Documents.Documents[i];
            FoundDocument? found = null;
            await foreach (var each in store.QueryAsync(new DocumentQuery { Key = document.Key, Limit = 1 }, stop)) found = each;
            if (found is null ? _sums.AddMissing(document) : found.Sequence != document.Sequence ? _sums.AddDuplicate() : _sums.AddCompared(document, Differences(document, found))) others.Add(i);
        }

        return others;
    }

    private static List<string> Differences(in StoredDocument ours, FoundDocument theirs)
    {
        var fields = new List<string>();
        if (!CanonicalJson.Of(ours.Json.Span).AsSpan().SequenceEqual(CanonicalJson.Of(theirs.Json.Span)))
        {
            using var left = JsonDocument.Parse(ours.Json, new JsonDocumentOptions { MaxDepth = 1000 });
            using var right = JsonDocument.Parse(theirs.Json, new JsonDocumentOptions { MaxDepth = 1000 });
            FieldDifferences.Add(left.RootElement, right.RootElement, "$", fields);
        }

        if (!ours.Embedding.Span.SequenceEqual(theirs.Embedding.Span)) fields.Add("$.embedding");
        return fields;
    }

    private void PutAside(IReadOnlyList<DeadLetter> refused) => letters.Add(refused, Log.LogModule.MicrosecondsOf(clock.GetUtcNow()));
}

/// <summary>What becomes of documents that are made anew.</summary>
internal enum ReplayMode
{
    /// <summary>Nothing: they are held to those in the store.</summary>
    Compare,

    /// <summary>The store takes those that it lacks.</summary>
    Fill,

    /// <summary>The store takes those that it lacks or has otherwise of the same event.</summary>
    Replace,
}
