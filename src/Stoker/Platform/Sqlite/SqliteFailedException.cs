using SQLitePCL;

namespace Stoker.Platform.Sqlite;

/// <summary>What kept SQLite from doing what it was asked.</summary>
internal enum SqliteFailure
{
    LibraryMissing,

    /// <summary>The file or its directory cannot be opened or made.</summary>
    CannotOpen,

    /// <summary>No space, or a quota; the transaction has not happened.</summary>
    DiskFull,

    /// <summary>The disk failed to read or write; whether a commit under way happened is unknown.</summary>
    Disk,

    /// <summary>Another process wrote for longer than <see cref="SqliteDatabase.Patience"/>.</summary>
    Busy,

    ReadOnly,

    /// <summary>Not a database, or a damaged one.</summary>
    Corrupt,

    /// <summary>A later version of this program has changed its tables.</summary>
    TooNew,

    /// <summary>A row that a constraint forbids.</summary>
    Constraint,

    /// <summary>A value longer than SQLite holds.</summary>
    TooBig,

    /// <summary>A statement that SQLite does not accept: a bug.</summary>
    Mistaken,
}

/// <summary>A database that cannot be used, or a statement that failed; the message names the file.</summary>
internal sealed class SqliteFailedException(SqliteFailure failure, string message) : IOException(message)
{
    public SqliteFailure Failure => failure;

    /// <param name="code">SQLite's result code, primary or extended.</param>
    internal static SqliteFailedException Of(int code, string path, string words) => (code & 0xFF) switch
    {
        raw.SQLITE_FULL => new(SqliteFailure.DiskFull, $"`{path}` cannot grow: the disk is full"),
        raw.SQLITE_IOERR => new(SqliteFailure.Disk, $"`{path}` cannot be read or written: {words}"),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new(SqliteFailure.Busy, $"`{path}` is kept busy by another process"),
        raw.SQLITE_READONLY or raw.SQLITE_PERM => new(SqliteFailure.ReadOnly, $"`{path}` may not be written"),
        raw.SQLITE_CANTOPEN => new(SqliteFailure.CannotOpen, $"`{path}` cannot be opened"),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new(SqliteFailure.Corrupt, $"`{path}` is damaged or not a database: {words}"),
        raw.SQLITE_TOOBIG => new(SqliteFailure.TooBig, $"`{path}` refuses a value: {words}"),
        raw.SQLITE_CONSTRAINT => new(SqliteFailure.Constraint, $"`{path}` refuses a row: {words}"),
        _ => new(SqliteFailure.Mistaken, $"`{path}` does not accept a statement: {words}"),
    };
}
