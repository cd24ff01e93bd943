using Npgsql;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>
/// The tables. A collection is one table of its own name. <c>document</c> is jsonb; where jsonb cannot hold a document, <c>exact</c> has its bytes and <c>document</c> the
/// nearest that it can. <c>embedding</c> is float32, little-endian.
/// </summary>
internal static class PostgresTables
{
    /// <summary>"stoker" as a number: only one at a time makes tables.</summary>
    private const long Lock = 0x73746f6b6572;

    public static async Task MakeAsync(NpgsqlConnection connection, StoreSpec spec, CancellationToken cancellation)
    {
        if (await ModeAsync(connection, spec, cancellation) is not { } mode)
        {
            await RunAsync(connection, Statements(spec), cancellation);
            mode = await ModeAsync(connection, spec, cancellation) ?? "";
        }

        if (mode != spec.Mode.ToString())
            throw new StoreUnavailableException($"`{spec.Collection}` of {spec.Address} was made to keep `{mode}` and cannot keep `{spec.Mode}`: choose another collection");
    }

    private static async Task<string?> ModeAsync(NpgsqlConnection connection, StoreSpec spec, CancellationToken cancellation)
    {
        await using var table = new NpgsqlCommand("SELECT to_regclass('stoker_collections') IS NOT NULL", connection);
        if (await table.ExecuteScalarAsync(cancellation) is not true) return null;
        await using var mode = new NpgsqlCommand("SELECT mode FROM stoker_collections WHERE name = $1", connection) { Parameters = { new() { Value = spec.Collection } } };
        return await mode.ExecuteScalarAsync(cancellation) as string;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    private static string Statements(StoreSpec spec) => $"""
        SELECT pg_advisory_xact_lock({Lock});
        CREATE TABLE IF NOT EXISTS stoker_collections (name text PRIMARY KEY, mode text NOT NULL);
        CREATE TABLE IF NOT EXISTS stoker_positions (
          collection text NOT NULL, log text NOT NULL, partition integer NOT NULL, next bigint NOT NULL, hash bigint NOT NULL, epoch bigint NOT NULL,
          PRIMARY KEY (collection, log, partition)) WITH (fillfactor = 20);
        CREATE TABLE IF NOT EXISTS "{spec.Collection}" (
          key uuid PRIMARY KEY, id text NOT NULL, source text NOT NULL, type text NOT NULL, host text, gpu text, time timestamptz NOT NULL, received timestamptz NOT NULL,
          sequence bigint NOT NULL, document jsonb NOT NULL, exact bytea, embedding bytea);
        ALTER TABLE "{spec.Collection}" ALTER COLUMN embedding SET STORAGE EXTERNAL;
        CREATE INDEX IF NOT EXISTS "{spec.Collection}_time" ON "{spec.Collection}" (time);
        CREATE INDEX IF NOT EXISTS "{spec.Collection}_host" ON "{spec.Collection}" (host, time) WHERE host IS NOT NULL;
        CREATE INDEX IF NOT EXISTS "{spec.Collection}_gpu" ON "{spec.Collection}" (gpu, time) WHERE gpu IS NOT NULL;
        INSERT INTO stoker_collections (name, mode) VALUES ('{spec.Collection}', '{spec.Mode}') ON CONFLICT DO NOTHING;
        """;
}
