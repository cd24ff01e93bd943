using Npgsql;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>The statements that write, for one connection.</summary>
internal sealed class PostgresStatements : IAsyncDisposable
{
    private const string Place = "collection = $1 AND log = $2 AND partition = $3";

    private readonly string _collection;
    private readonly NpgsqlConnection _connection;
    private readonly PostgresRows _rows = new();
    private readonly NpgsqlCommand _apply, _insert;

    public PostgresStatements(NpgsqlConnection connection, StoreSpec spec)
    {
        _connection = connection;
        _collection = spec.Collection;
        const string columns = "key, id, source, type, host, gpu, time, received, sequence, document, exact, embedding";
        var changes = string.Join(", ", columns.Split(", ")[1..].Select(name => $"{name} = excluded.{name}"));
        var onConflict = spec is { Mode: StoreMode.Facts, Replaces: false }
            ? "ON CONFLICT (key) DO NOTHING"
            : $"ON CONFLICT (key) DO UPDATE SET {changes} WHERE excluded.sequence {(spec.Replaces ? "=" : ">")} d.sequence";
        var insert = $"INSERT INTO \"{spec.Collection}\" AS d ({columns}) ";
        // All in one statement, which is a transaction of its own. The rows go in only after the position was moved, and with it.
        _apply = new NpgsqlCommand(
            $"""
            WITH claim AS ({Claim}),
            written AS ({insert} {PostgresRows.Unfolded(FirstOfRows)} WHERE EXISTS (SELECT FROM claim) {onConflict} RETURNING key)
            SELECT (SELECT count(*) FROM claim), count(*), CASE WHEN count(*) < cardinality(${FirstOfRows}::uuid[]) THEN array_agg(key) END FROM written
            """,
            connection);
        AddClaim(_apply);
        _rows.AddTo(_apply.Parameters);
        _insert = new NpgsqlCommand($"{insert} {PostgresRows.Unfolded(1)} {onConflict} RETURNING key", connection);
        _rows.AddTo(_insert.Parameters);
    }

    private const int FirstOfRows = 8;

    /// <summary>For a replay, which leaves the position alone, $4 to $6 are null; the row is locked all the same.</summary>
    private const string Claim =
        $"UPDATE stoker_positions SET next = coalesce($4, next), hash = coalesce($5, hash) WHERE {Place} AND epoch = $7 AND next = coalesce($6, next) RETURNING 1";

    /// <summary>Null: the claim or the beginning does not hold, and nothing happened.</summary>
    public async Task<ApplyOutcome?> ApplyAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        FillClaim(_apply, claim, batch);
        _rows.Fill(batch, batch.Distinct);
        if (!_apply.IsPrepared) await _apply.PrepareAsync(cancellation);
        await using var reader = await _apply.ExecuteReaderAsync(cancellation);
        _ = await reader.ReadAsync(cancellation);
        if (reader.GetInt64(0) == 0) return null;
        if (reader.GetInt64(1) < batch.Distinct.Length)
            batch.MarkDuplicatesBut(await reader.IsDBNullAsync(2, cancellation) ? [] : [.. reader.GetFieldValue<Guid[]>(2)]);
        // To the end of it all: only then has the server committed.
        while (await reader.NextResultAsync(cancellation))
        {
        }

        return batch.Applied();
    }

    /// <summary>Within a transaction. False as the null above.</summary>
    public async Task<bool> MoveAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        await using var move = new NpgsqlCommand(Claim, _connection);
        AddClaim(move);
        FillClaim(move, claim, batch);
        return await move.ExecuteScalarAsync(cancellation) is not null;
    }

    /// <summary>Within a transaction.</summary>
    /// <returns>The keys of what was written.</returns>
    public async Task<List<Guid>> InsertAsync(DocumentBatch batch, int[] items, CancellationToken cancellation)
    {
        _rows.Fill(batch, items);
        await using var reader = await _insert.ExecuteReaderAsync(cancellation);
        var written = new List<Guid>();
        while (await reader.ReadAsync(cancellation)) written.Add(reader.GetGuid(0));
        return written;
    }

    public async Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation)
    {
        await using var take = new NpgsqlCommand(
            """
            INSERT INTO stoker_positions AS p (collection, log, partition, next, hash, epoch) VALUES ($1, $2, $3, $4, $5, 1)
            ON CONFLICT (collection, log, partition) DO UPDATE SET epoch = p.epoch + 1 RETURNING next, hash, epoch
            """,
            _connection);
        AddPlace(take, place);
        take.Parameters.Add(new() { Value = start.Next });
        take.Parameters.Add(new() { Value = (long)start.Hash });
        var (position, epoch) = (await PositionOfAsync(take, cancellation))!.Value;
        return new StoreClaim(place, epoch, position);
    }

    public async Task<(StorePosition Position, long Epoch)?> PositionAsync(LogPlace place, CancellationToken cancellation)
    {
        await using var read = new NpgsqlCommand($"SELECT next, hash, epoch FROM stoker_positions WHERE {Place}", _connection);
        AddPlace(read, place);
        return await PositionOfAsync(read, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _apply.DisposeAsync();
        await _insert.DisposeAsync();
    }

    private static async Task<(StorePosition Position, long Epoch)?> PositionOfAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        if (!await reader.ReadAsync(cancellation)) return null;
        return (new StorePosition(reader.GetInt64(0), (ulong)reader.GetInt64(1)), reader.GetInt64(2));
    }

    private static void AddClaim(NpgsqlCommand command)
    {
        foreach (var type in (NpgsqlTypes.NpgsqlDbType[])
            [NpgsqlTypes.NpgsqlDbType.Text, NpgsqlTypes.NpgsqlDbType.Text, NpgsqlTypes.NpgsqlDbType.Integer, NpgsqlTypes.NpgsqlDbType.Bigint,
                NpgsqlTypes.NpgsqlDbType.Bigint, NpgsqlTypes.NpgsqlDbType.Bigint, NpgsqlTypes.NpgsqlDbType.Bigint])
        {
            command.Parameters.Add(new() { NpgsqlDbType = type });
        }
    }

    private void FillClaim(NpgsqlCommand command, StoreClaim claim, DocumentBatch batch)
    {
        var moves = batch.From is not null;
        object[] values =
        [
            _collection, claim.Place.Log, claim.Place.Partition, moves ? batch.Next.Next : DBNull.Value, moves ? (long)batch.Next.Hash : DBNull.Value,
            batch.From is { } from ? from : DBNull.Value, claim.Epoch,
        ];
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
    }

    private void AddPlace(NpgsqlCommand command, LogPlace place)
    {
        command.Parameters.Add(new() { Value = _collection });
        command.Parameters.Add(new() { Value = place.Log });
        command.Parameters.Add(new() { Value = place.Partition });
    }
}
