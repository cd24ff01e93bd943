using System.Runtime.CompilerServices;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>
/// Documents in MongoDB or Amazon DocumentDB, without transactions, which not every engine has: the position is looked at, the documents are written by key, the dead
/// letters are handed over, the position moves if nobody has touched it. What breaks off between is done again and changes nothing: a fact is written
/// only where there is none, a state only over an earlier one. So a worker that was fenced may still write documents, but only those that the other writes too.
/// </summary>
internal sealed class MongoStore(StoreSpec spec, TimeProvider time) : IDocumentStore
{
    private readonly MongoConnection _connection = new(spec, time);
    private readonly MongoBulk _bulk = new(spec);
    private int _preparedOn;

    private MongoPositions Positions => new(_connection, spec.Collection);

    public int BatchSize => 2000;

    public Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation) =>
        TryAsync(() => Positions.TakeAsync(place, start, cancellation), cancellation);

    public async Task<ApplyOutcome> ApplyAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        var isMoving = false;
        try
        {
            await PrepareAsync(cancellation);
            batch.Prepare(spec.Mode);
            if (await RefusalAsync(claim, batch.From, cancellation) is { } refusal) return refusal;
            for (var at = 0; at < batch.Distinct.Length;)
            {
                at = _bulk.Fill(batch, at, _connection.Largest);
                if (_bulk.Items.Count > 0) await WriteAsync(batch, cancellation);
            }

            await batch.HandOverPoisonAsync(cancellation);
            isMoving = true;
            if (batch.From is { } from && !await Positions.AdvanceAsync(claim, from, batch.Next, cancellation))
                return await RefusalAsync(claim, from, cancellation) ?? new ApplyOutcome.Outage($"{spec.Address}: the position does not move");
            return batch.Applied();
        }
        catch (StoreUnavailableException unavailable)
        {
            return new ApplyOutcome.Outage(unavailable.Message);
        }
        catch (MongoRefusedException refused)
        {
            return new ApplyOutcome.Outage($"{spec.Address}: {refused.Message}");
        }
        catch (Exception broken) when (MongoConnection.IsBroken(broken) && _connection.IsGone)
        {
            var reason = $"{spec.Address}: {MongoConnection.InWords(broken)}";
            return isMoving && batch.From is not null ? new ApplyOutcome.Ambiguous(reason) : new ApplyOutcome.Outage(reason);
        }
    }

    public Task<StorePosition?> PositionAsync(LogPlace place, CancellationToken cancellation) =>
        TryAsync(async () => (await Positions.ReadAsync(place, cancellation))?.Position, cancellation);

    public async IAsyncEnumerable<FoundDocument> QueryAsync(DocumentQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var found = (await TryAsync(() => Task.FromResult(MongoQueries.Run(_connection, spec.Collection, query, cancellation)), cancellation)).GetAsyncEnumerator(cancellation);
        while (await TryAsync(() => found.MoveNextAsync().AsTask(), cancellation)) yield return found.Current;
    }

    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task WriteAsync(DocumentBatch batch, CancellationToken cancellation)
    {
        var answer = await _connection.AskAsync(
            new BsonMap { { "update", spec.Collection }, { "ordered", false }, { "writeConcern", MongoPositions.Durable } }, cancellation, "updates", _bulk.Updates);
        if (answer.Map("writeConcernError") is { } late) throw new MongoRefusedException(late.Whole("code"), $"not yet with a majority: {late.Text("errmsg")}");
        var stored = answer.Maps("upserted").Select(row => (int)row.Whole("index")).ToHashSet();
        foreach (var error in answer.Maps("writeErrors"))
        {
            var (index, code, words) = ((int)error.Whole("index"), error.Whole("code"), error.Text("errmsg"));
            stored.Add(index);
            if (code == MongoErrors.DuplicateKey) batch.MarkDuplicate(_bulk.Items[index]);
            else if (MongoErrors.IsOfTheDocument(code)) batch.MarkPoison(_bulk.Items[index], $"{words} (code {code})");
            else throw new MongoRefusedException(code, words);
        }

        // A fact that was neither inserted nor refused was there. A state was changed.
        if (spec.Mode == StoreMode.Latest || spec.Replaces) return;
        for (var index = 0; index < _bulk.Items.Count; index++)
        {
            if (!stored.Contains(index)) batch.MarkDuplicate(_bulk.Items[index]);
        }
    }

    private async Task<ApplyOutcome?> RefusalAsync(StoreClaim claim, long? from, CancellationToken cancellation)
    {
        var found = await Positions.ReadAsync(claim.Place, cancellation);
        if (found is not { } row || row.Epoch != claim.Epoch) return new ApplyOutcome.Fenced(found?.Epoch ?? 0);
        return from is null || from == row.Position.Next ? null : new ApplyOutcome.Elsewhere(row.Position);
    }

    private async Task<T> TryAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            await PrepareAsync(cancellation);
            return await work();
        }
        catch (Exception failed) when (failed is MongoRefusedException || failed is not StoreUnavailableException && MongoConnection.IsBroken(failed))
        {
            throw new StoreUnavailableException($"{spec.Address}: {MongoConnection.InWords(failed)}", failed);
        }
    }

    /// <summary>Connected, and the collection as it has to be.</summary>
    private async Task PrepareAsync(CancellationToken cancellation)
    {
        await _connection.ConnectAsync(cancellation);
        if (_preparedOn == _connection.Number) return;
        var mode = new BsonMap
        {
            { "findAndModify", "stoker_collections" },
            { "query", new BsonMap { { "_id", spec.Collection } } },
            { "update", new BsonMap { { "$setOnInsert", new BsonMap { { "mode", spec.Mode.ToString() } } } } },
            { "upsert", true },
            { "new", true },
            { "writeConcern", MongoPositions.Durable },
        };
        var kept = (await _connection.AskAsync(mode, cancellation)).Map("value")?.Text("mode");
        if (kept != spec.Mode.ToString())
            throw new StoreUnavailableException($"`{spec.Collection}` of {spec.Address} was made to keep `{kept}` and cannot keep `{spec.Mode}`: choose another collection");
        var indexes = new List<object?> { Index("time", "time_us"), Index("host", "host", "time_us"), Index("gpu", "gpu", "time_us") };
        await _connection.AskAsync(new BsonMap { { "createIndexes", spec.Collection }, { "indexes", indexes } }, cancellation);
        _preparedOn = _connection.Number;
    }

    private static BsonMap Index(string name, params string[] fields) =>
        new() { { "name", name }, { "key", new BsonMap(fields.Select(field => new KeyValuePair<string, object?>(field, 1))) } };
}
