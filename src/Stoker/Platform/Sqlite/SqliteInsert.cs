using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform.Sqlite;

/// <summary>
/// Inserts many rows into one table, some dozens with each statement: half of what a row costs otherwise is the beginning and ending of statements. Say how
/// many, then add each row's values in the order of the columns; the last value of the last row is the end of it. Within a transaction, which a row
/// that fails undoes. Nothing is allocated.
/// <para><see cref="Together"/> rows are one statement: what a statement changed can be asked of the database after its last value.</para>
/// </summary>
internal sealed unsafe class SqliteInsert : IDisposable
{
    /// <summary>Parameters of one statement that every SQLite takes.</summary>
    private const int MostParameters = 999;

    private const int MostTogether = 32;

    /// <summary>Bytes and text of one statement, which SQLite reads where they are. What does not fit SQLite copies for itself, which costs more.</summary>
    private const int Room = 64 * 1024;

    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _many, _one;
    private readonly int _columns, _together;
    private readonly byte* _bytes;
    private SqliteStatement _current;
    private nint _handle;
    private int _used;
    private int _next;
    private int _last;
    private int _left;

    /// <param name="columns">All that are given, in their order.</param>
    /// <param name="onConflict">What becomes of a row that is there already, as <c>ON CONFLICT …</c>; empty: it fails.</param>
    public SqliteInsert(SqliteDatabase database, string table, IReadOnlyList<string> columns, string onConflict = "")
    {
        _database = database;
        _columns = columns.Count;
        _together = Math.Min(MostTogether, MostParameters / _columns);
        var values = $"({string.Join(',', columns.Select(_ => '?'))})";
        // OR ROLLBACK: with it SQLite need not be able to undo the statement alone, and keeps no journal for it.
        var insert = $"INSERT OR ROLLBACK INTO {table} ({string.Join(',', columns)}) VALUES ";
        _many = database.Prepare($"{insert}{string.Join(',', Enumerable.Repeat(values, _together))} {onConflict}");
        _one = database.Prepare($"{insert}{values} {onConflict}");
        _current = _one;
        _bytes = (byte*)NativeMemory.Alloc(Room);
    }

    /// <summary>Text that is sure to fit, in UTF-16's units.</summary>
    public const int LongestText = Room / MostTogether / 4;

    /// <summary>Rows of one statement while there are so many left; the rest go one by one.</summary>
    public int Together => _together;

    /// <summary>So many rows follow.</summary>
    public void Begin(int rows)
    {
        _left = rows;
        NextStatement();
    }

    public void Add(long value) => Added(SqliteCalls.Bind(_handle, _next, value));

    public void AddNull() => Added(SqliteCalls.BindNull(_handle, _next));

    public void Add(ReadOnlySpan<byte> blob)
    {
        var at = Keep(blob);
        if (at is null) _current.Bind(_next, blob);
        Added(at is null ? 0 : SqliteCalls.BindBlob(_handle, _next, at, blob.Length));
    }

    public void AddText(ReadOnlySpan<byte> utf8)
    {
        var at = Keep(utf8);
        if (at is null) _current.BindText(_next, utf8);
        Added(at is null ? 0 : SqliteCalls.BindText(_handle, _next, at, utf8.Length));
    }

    /// <exception cref="ArgumentException">Longer than there is room for; up to <see cref="LongestText"/> there always is, for one text in each row.</exception>
    public void Add(string text)
    {
        var at = _bytes + _used;
        var length = Encoding.UTF8.GetBytes(text, new Span<byte>(at, Room - _used));
        _used += length;
        Added(SqliteCalls.BindText(_handle, _next, at, length));
    }

    public void Dispose()
    {
        _many.Dispose();
        _one.Dispose();
        NativeMemory.Free(_bytes);
    }

    /// <returns>Null: it does not fit.</returns>
    private byte* Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Room - _used) return null;
        var at = _bytes + _used;
        bytes.CopyTo(new Span<byte>(at, bytes.Length));
        _used += bytes.Length;
        return at;
    }

    private void Added(int code)
    {
        if (code != 0) _database.Check(code);
        if (_next++ != _last) return;
        _current.Run();
        _left -= _last / _columns;
        NextStatement();
    }

    private void NextStatement()
    {
        var rows = _left >= _together ? _together : 1;
        (_current, _last, _next, _used) = (rows == 1 ? _one : _many, rows * _columns, 1, 0);
        _handle = _current.Handle;
    }
}
