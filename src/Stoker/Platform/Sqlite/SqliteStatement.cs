using SQLitePCL;

namespace Stoker.Platform.Sqlite;

/// <summary>A prepared statement, used again and again: bind its parameters (from 1), then <see cref="Run"/> it or read its rows.</summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly sqlite3_stmt _handle;

    internal SqliteStatement(SqliteDatabase database, sqlite3_stmt handle)
    {
        _database = database;
        _handle = handle;
    }

    internal nint Handle => _handle.DangerousGetHandle();

    public SqliteStatement Bind(int index, long value) => Bound(SqliteCalls.Bind(Handle, index, value));

    public SqliteStatement Bind(int index, long? value) => value is { } known ? Bind(index, known) : Bound(raw.sqlite3_bind_null(_handle, index));

    public SqliteStatement Bind(int index, string? value) =>
        Bound(value is null ? raw.sqlite3_bind_null(_handle, index) : raw.sqlite3_bind_text(_handle, index, value));

    public SqliteStatement Bind(int index, ReadOnlySpan<byte> value) => Bound(raw.sqlite3_bind_blob(_handle, index, value));

    public SqliteStatement BindText(int index, ReadOnlySpan<byte> utf8) => Bound(raw.sqlite3_bind_text(_handle, index, utf8));

    /// <summary>To its end, without rows; the parameters stay for the next time.</summary>
    public void Run()
    {
        int code;
        do code = raw.sqlite3_step(_handle);
        while (code == raw.SQLITE_ROW);
        // A failed statement tells its error again when it is reset, and must be reset before it can be bound anew.
        try
        {
            _database.Check(code);
        }
        finally
        {
            _ = raw.sqlite3_reset(_handle);
        }
    }

    /// <summary>The rows; dispose of them before the statement is used again.</summary>
    public SqliteRows Query() => new(_database, _handle);

    public void Dispose() => _handle.Dispose();

    private SqliteStatement Bound(int code)
    {
        _database.Check(code);
        return this;
    }
}

/// <summary>Rows of a statement, one after the other; columns count from 0.</summary>
internal readonly ref struct SqliteRows
{
    private readonly SqliteDatabase _database;
    private readonly sqlite3_stmt _handle;

    internal SqliteRows(SqliteDatabase database, sqlite3_stmt handle)
    {
        _database = database;
        _handle = handle;
    }

    /// <summary>To the next row; false when there is none.</summary>
    public bool Next()
    {
        var code = raw.sqlite3_step(_handle);
        _database.Check(code);
        return code == raw.SQLITE_ROW;
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(_handle, column) == raw.SQLITE_NULL;

    /// <summary>0 for a null.</summary>
    public long Long(int column) => raw.sqlite3_column_int64(_handle, column);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    /// <summary>Empty for a null.</summary>
    public string Text(int column) => raw.sqlite3_column_text(_handle, column).utf8_to_string() ?? "";

    /// <summary>Valid until the next row.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_handle, column);

    public void Dispose() => _ = raw.sqlite3_reset(_handle);
}
