using Stoker.Platform.Sqlite;

namespace Stoker.Streams.Stores.Sqlite;

/// <summary>Positions and epochs of a collection.</summary>
internal sealed class SqlitePositions : IDisposable
{
    private const string Which = "collection = ?1 AND log = ?2 AND partition = ?3";

    private readonly SqliteDatabase _database;
    private readonly string _collection;
    private readonly SqliteStatement _read, _advance;

    public SqlitePositions(SqliteDatabase database, string collection)
    {
        _database = database;
        _collection = collection;
        _read = database.Prepare($"SELECT next, hash, epoch FROM stoker_positions WHERE {Which}");
        _advance = database.Prepare($"UPDATE stoker_positions SET next = ?4, hash = ?5 WHERE {Which} AND epoch = ?6 AND next = ?7");
    }

    public (StorePosition Position, long Epoch)? Read(LogPlace place)
    {
        using var rows = Bind(_read, place).Query();
        return rows.Next() ? (new StorePosition(rows.Long(0), (ulong)rows.Long(1)), rows.Long(2)) : null;
    }

    /// <summary>Within a transaction.</summary>
    public StoreClaim Take(LogPlace place, StorePosition start)
    {
        using var take = _database.Prepare(
            """
            INSERT INTO stoker_positions (collection, log, partition, next, hash, epoch) VALUES (?1, ?2, ?3, ?4, ?5, 1)
            ON CONFLICT (collection, log, partition) DO UPDATE SET epoch = epoch + 1
            """);
        Bind(take, place).Bind(4, start.Next).Bind(5, (long)start.Hash).Run();
        var (position, epoch) = Read(place)!.Value;
        return new StoreClaim(place, epoch, position);
    }

    /// <summary>Within a transaction. False: the claim or the beginning does not hold; nothing changed.</summary>
    public bool Advance(StoreClaim claim, DocumentBatch batch)
    {
        if (batch.From is not { } from) return Read(claim.Place)?.Epoch == claim.Epoch;
        Bind(_advance, claim.Place).Bind(4, batch.Next.Next).Bind(5, (long)batch.Next.Hash).Bind(6, claim.Epoch).Bind(7, from).Run();
        return _database.Changes == 1;
    }

    public ApplyOutcome WhyNot(StoreClaim claim) => Read(claim.Place) switch
    {
        { } found when found.Epoch == claim.Epoch => new ApplyOutcome.Elsewhere(found.Position),
        { } found => new ApplyOutcome.Fenced(found.Epoch),
        null => new ApplyOutcome.Fenced(0),
    };

    public void Dispose()
    {
        _read.Dispose();
        _advance.Dispose();
    }

    private SqliteStatement Bind(SqliteStatement statement, LogPlace place) => statement.Bind(1, _collection).Bind(2, place.Log).Bind(3, place.Partition);
}
