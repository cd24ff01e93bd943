using System.Diagnostics;
using SQLitePCL;

namespace Stoker.Platform.Sqlite;

/// <summary>
/// The door to SQLite: one connection to one file, private (0600, also its <c>-wal</c> and <c>-shm</c>), in WAL mode with
/// <c>synchronous=FULL</c>: what <see cref="Write"/> returned from survives a kill and a power cut, and a transaction is there
/// whole or not at all. Processes share a file; a writer waits for another up to <see cref="Patience"/>.
/// A connection is used by one thread at a time. Everything that fails throws <see cref="SqliteFailedException"/>.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly SqliteStatement _dataVersion;

    private SqliteDatabase(string path, sqlite3 handle)
    {
        Path = path;
        _handle = handle;
        _dataVersion = Prepare("PRAGMA data_version");
    }

    /// <summary>How long a writer waits for another process.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(5);

    public string Path { get; }

    /// <summary>Rows that the last statement inserted, changed or removed.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>Another number whenever another connection, here or in another process, has committed. Costs microseconds.</summary>
    public long DataVersion
    {
        get
        {
            using var rows = _dataVersion.Query();
            _ = rows.Next();
            return rows.Long(0);
        }
    }

    /// <summary>Opens or makes it, and brings its tables up to date. The directory has to be there.</summary>
    public static SqliteDatabase Open(string path, SqliteSchema schema)
    {
        SqliteLibrary.Need();
        // Only ever made, never opened and closed beside SQLite: closing any descriptor of a file drops the locks that the process holds on it.
        Files.CreateEmpty(path);
        var database = Connect(path);
        try
        {
            database.ChangeToWal();
            database.Execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA journal_size_limit=67108864");
            schema.Apply(database);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Null where there is no such file: nothing has been kept yet.</summary>
    public static SqliteDatabase? OpenIfPresent(string path, SqliteSchema schema) => Files.Exists(path) ? Open(path, schema) : null;

    public SqliteStatement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out var statement));
        return new SqliteStatement(this, statement);
    }

    /// <summary>Statements without parameters, whose rows nobody wants.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>One transaction; undone when the work throws. Not nested.</summary>
    public T Write<T>(Func<T> work)
    {
        // Immediate: a transaction that begins by reading could not wait for another writer later, and would fail.
        Execute("BEGIN IMMEDIATE");
        try
        {
            var result = work();
            Execute("COMMIT");
            return result;
        }
        catch
        {
            Undo();
            throw;
        }
    }

    /// <summary>As <see cref="Write{T}"/>, with work that waits for something else before it is done.</summary>
    public async Task<T> WriteAsync<T>(Func<Task<T>> work)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            var result = await work();
            Execute("COMMIT");
            return result;
        }
        catch
        {
            Undo();
            throw;
        }
    }

    public void Write(Action work) => Write(() =>
    {
        work();
        return true;
    });

    public void Dispose()
    {
        _dataVersion.Dispose();
        _handle.Dispose();
    }

    internal void Check(int code)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE) return;
        throw SqliteFailedException.Of(code, Path, raw.sqlite3_errmsg(_handle).utf8_to_string());
    }

    /// <summary>SQLite lets only one connection change the file's mode, and tells the others so at once: nobody waits here but us.</summary>
    private void ChangeToWal()
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                Execute("PRAGMA journal_mode=WAL");
                return;
            }
            catch (SqliteFailedException busy) when (busy.Failure == SqliteFailure.Busy && waited.Elapsed < Patience)
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(1));
            }
        }
    }

    private void Undo()
    {
        // After some failures SQLite has rolled back itself.
        if (raw.sqlite3_get_autocommit(_handle) == 0) _ = raw.sqlite3_exec(_handle, "ROLLBACK");
    }

    private static SqliteDatabase Connect(string path)
    {
        // One thread at a time is our own promise: SQLite need not take a lock for each value of each row.
        var code = raw.sqlite3_open_v2(path, out var handle, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX, null);
        if (code != raw.SQLITE_OK)
        {
            handle?.Dispose();
            throw SqliteFailedException.Of(code, path, raw.sqlite3_errstr(code).utf8_to_string());
        }

        _ = raw.sqlite3_busy_timeout(handle, (int)Patience.TotalMilliseconds);
        return new SqliteDatabase(path, handle);
    }
}
