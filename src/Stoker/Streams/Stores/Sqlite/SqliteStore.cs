using System.Runtime.CompilerServices;
using Stoker.Platform.Sqlite;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores.Sqlite;

/// <summary>Documents in a file of SQLite. Works on the caller's thread, which waits for the disk; several writers of one file wait for each other.</summary>
internal sealed class SqliteStore(StoreSpec spec) : IDocumentStore
{
    private Connection? _connection;

    /// <summary>Keys come in no order: of a few each has a page of the index to itself, of many several share one. What is behind is written with the fewest pages.</summary>
    public int BatchSize => 32_000;

    public Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation) => Try(connection =>
        connection.Database.Write(() => connection.Positions.Take(place, start)));

    public async Task<ApplyOutcome> ApplyAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        try
        {
            var connection = Connect();
            batch.Prepare(spec.Mode);
            try
            {
                return connection.Database.Write(() => Refusal(connection, claim, batch) ?? Write(connection, batch));
            }
            catch (SqliteFailedException refused) when (refused.Failure is SqliteFailure.Constraint or SqliteFailure.TooBig)
            {
                return await ApplyOneByOneAsync(connection, claim, batch, cancellation);
            }
        }
        catch (SqliteFailedException failed)
        {
            // What the disk refused may have been the commit.
            if (failed.Failure != SqliteFailure.Disk) return new ApplyOutcome.Outage(failed.Message);
            Forget();
            return new ApplyOutcome.Ambiguous(failed.Message);
        }
        catch (StoreUnavailableException unavailable)
        {
            return new ApplyOutcome.Outage(unavailable.Message);
        }
    }

    public Task<StorePosition?> PositionAsync(LogPlace place, CancellationToken cancellation) => Try(connection => connection.Positions.Read(place)?.Position);

    public async IAsyncEnumerable<FoundDocument> QueryAsync(DocumentQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var found = await Try(connection => SqliteQueries.Run(connection.Database, spec.Collection, query).GetEnumerator());
        while (await Try(_ => found.MoveNext()))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return found.Current;
        }
    }

    public ValueTask DisposeAsync()
    {
        Forget();
        return ValueTask.CompletedTask;
    }

    private static ApplyOutcome? Refusal(Connection connection, StoreClaim claim, DocumentBatch batch) =>
        connection.Positions.Advance(claim, batch) ? null : connection.Positions.WhyNot(claim);

    private static ApplyOutcome Write(Connection connection, DocumentBatch batch)
    {
        connection.Writer.Write(batch);
        return batch.Applied();
    }

    private async Task<ApplyOutcome> ApplyOneByOneAsync(Connection connection, StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        batch.Prepare(spec.Mode);
        return await connection.Database.WriteAsync(async () =>
        {
            if (Refusal(connection, claim, batch) is { } refusal) return refusal;
            connection.Writer.WriteOneByOne(batch);
            await batch.HandOverPoisonAsync(cancellation);
            return batch.Applied();
        });
    }

    private Task<T> Try<T>(Func<Connection, T> work)
    {
        try
        {
            return Task.FromResult(work(Connect()));
        }
        catch (SqliteFailedException failed)
        {
            if (failed.Failure == SqliteFailure.Disk) Forget();
            return Task.FromException<T>(new StoreUnavailableException(failed.Message, failed));
        }
        catch (StoreUnavailableException unavailable)
        {
            return Task.FromException<T>(unavailable);
        }
    }

    private Connection Connect()
    {
        try
        {
            return _connection ??= new Connection(SqliteTables.Open(spec), spec);
        }
        catch (Exception failed) when (failed is IOException and not SqliteFailedException and not StoreUnavailableException or UnauthorizedAccessException)
        {
            // Its directory, before SQLite has come to it.
            throw new StoreUnavailableException($"{spec.Address}: {failed.Message}", failed);
        }
    }

    private void Forget()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private sealed class Connection(SqliteDatabase database, StoreSpec spec) : IDisposable
    {
        public SqliteDatabase Database => database;

        public SqlitePositions Positions { get; } = new(database, spec.Collection);

        public SqliteWriter Writer { get; } = new(database, spec);

        public void Dispose()
        {
            Positions.Dispose();
            Writer.Dispose();
            database.Dispose();
        }
    }
}
