using System.Globalization;
using Stoker.Platform;
using Stoker.Platform.Sqlite;

namespace Stoker.Streams.Stores.Sqlite;

/// <summary>
/// The tables. A collection is one table of its own name, which people may read with any SQLite: times are microseconds since 1970 UTC, <c>document</c> is JSON text,
/// <c>embedding</c> float32 little-endian.
/// </summary>
internal static class SqliteTables
{
    /// <summary>So much of a collection's indexes is kept at hand; keys come in no order, and would be read from the disk each time.</summary>
    private const int CacheKibibytes = 64 * 1024;

    /// <summary>What is written before it is put into its places: the same page of an index is changed by many batches, and is put there once.</summary>
    private const long MostWaiting = 64 << 20, LeastWaiting = 4 << 20;

    /// <summary>Of what is free on the disk, which the log and the documents need as well.</summary>
    private const int ShareOfFree = 32;

    private const int PageBytes = 4096;

    /// <summary>What a row is made of, in the order in which it is written.</summary>
    public static readonly string[] Columns = ["key", "id", "source", "type", "host", "gpu", "time", "received", "sequence", "document", "embedding"];

    private static readonly SqliteSchema Schema = new(
        """
        CREATE TABLE stoker_collections (name TEXT PRIMARY KEY, mode TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE stoker_positions (
          collection TEXT NOT NULL, log TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, hash INTEGER NOT NULL, epoch INTEGER NOT NULL,
          PRIMARY KEY (collection, log, partition)) WITHOUT ROWID;
        """);

    /// <summary>Opens the file, and makes what is missing.</summary>
    public static SqliteDatabase Open(StoreSpec spec)
    {
        var database = SqliteDatabase.Open(spec.Address.Path, Schema);
        try
        {
            var waiting = Math.Clamp((FileSystemSpace.Of(spec.Address.Path)?.Free ?? 0) / ShareOfFree, LeastWaiting, MostWaiting);
            database.Execute(string.Create(
                CultureInfo.InvariantCulture,
                $"PRAGMA cache_size=-{CacheKibibytes}; PRAGMA wal_autocheckpoint={waiting / PageBytes}; PRAGMA journal_size_limit={2 * waiting}"));
            if (ModeOf(database, spec.Collection) is null) database.Write(() => Make(database, spec));
            var mode = ModeOf(database, spec.Collection);
            if (mode != spec.Mode.ToString())
                throw new StoreUnavailableException($"`{spec.Collection}` of {spec.Address} was made to keep `{mode}` and cannot keep `{spec.Mode}`: choose another collection");
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private static void Make(SqliteDatabase database, StoreSpec spec)
    {
        var name = spec.Collection;
        // Another process may be doing the same.
        database.Execute($"""
            CREATE TABLE IF NOT EXISTS "{name}" (
              number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, id TEXT NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL, host TEXT, gpu TEXT, time INTEGER NOT NULL,
              received INTEGER NOT NULL, sequence INTEGER NOT NULL, document TEXT NOT NULL, embedding BLOB);
            CREATE INDEX IF NOT EXISTS "{name}_time" ON "{name}" (time);
            CREATE INDEX IF NOT EXISTS "{name}_host" ON "{name}" (host, time) WHERE host IS NOT NULL;
            CREATE INDEX IF NOT EXISTS "{name}_gpu" ON "{name}" (gpu, time) WHERE gpu IS NOT NULL;
            INSERT OR IGNORE INTO stoker_collections (name, mode) VALUES ('{name}', '{spec.Mode}');
            """);
    }

    private static string? ModeOf(SqliteDatabase database, string collection)
    {
        using var statement = database.Prepare("SELECT mode FROM stoker_collections WHERE name = ?1");
        using var rows = statement.Bind(1, collection).Query();
        return rows.Next() ? rows.Text(0) : null;
    }
}
