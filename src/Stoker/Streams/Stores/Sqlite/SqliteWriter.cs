using System.Runtime.CompilerServices;
using Stoker.Platform.Sqlite;

namespace Stoker.Streams.Stores.Sqlite;

/// <summary>Writes the documents of a batch, within a transaction.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly bool _changes;
    private readonly SqliteInsert _insert;
    private readonly SqliteStatement _one, _last, _number;

    public SqliteWriter(SqliteDatabase database, StoreSpec spec)
    {
        _database = database;
        _changes = spec.Mode == StoreMode.Latest || spec.Replaces;
        var table = $"\"{spec.Collection}\"";
        var columns = string.Join(", ", SqliteTables.Columns);
        var changes = string.Join(", ", SqliteTables.Columns[1..].Select(column => $"{column} = excluded.{column}"));
        var onConflict = !_changes
            ? "ON CONFLICT (key) DO NOTHING"
            : $"ON CONFLICT (key) DO UPDATE SET {changes} WHERE excluded.sequence {(spec.Replaces ? "=" : ">")} sequence";
        _insert = new SqliteInsert(database, table, SqliteTables.Columns, onConflict);
        _one = database.Prepare($"INSERT INTO {table} ({columns}) VALUES ({string.Join(", ", SqliteTables.Columns.Select((_, index) => $"?{index + 1}"))}) {onConflict}");
        _last = database.Prepare($"SELECT coalesce(max(number), 0) FROM {table}");
        _number = database.Prepare($"SELECT number FROM {table} WHERE key = ?1");
    }

    /// <summary>Many at a time. Where a constraint fails the whole transaction is undone; <see cref="WriteOneByOne"/> then tells which it was.</summary>
    public void Write(DocumentBatch batch)
    {
        if (_changes)
        {
            WriteOneByOne(batch);
            return;
        }

        var last = LastNumber();
        var left = batch.Distinct.Length;
        var begun = 0;
        _insert.Begin(left);
        for (var i = 0; i < batch.Distinct.Length; i++)
        {
            Add(batch.Documents[batch.Distinct[i]]);
            // The row's last value ends the statement when it is the last of its rows.
            var together = left >= _insert.Together ? _insert.Together : 1;
            if (i - begun + 1 < together) continue;
            if (_database.Changes != together) MarkDuplicates(batch, begun, i + 1, last);
            (begun, left) = (i + 1, left - together);
        }
    }

    /// <summary>What the database does not take is marked, and the others are in.</summary>
    public void WriteOneByOne(DocumentBatch batch)
    {
        foreach (var item in batch.Distinct)
        {
            ref readonly var document = ref batch.Documents[item];
            try
            {
                Bind(document).Run();
                if (_database.Changes == 0) batch.MarkDuplicate(item);
            }
            catch (SqliteFailedException refused) when (refused.Failure is SqliteFailure.Constraint or SqliteFailure.TooBig)
            {
                batch.MarkPoison(item, refused.Message);
            }
        }
    }

    public void Dispose()
    {
        _insert.Dispose();
        _one.Dispose();
        _last.Dispose();
        _number.Dispose();
    }

    /// <summary>Bytes of a key as its text has them, so that it sorts and looks the same everywhere.</summary>
    public static void WriteKey(Guid key, Span<byte> bytes) => key.TryWriteBytes(bytes, bigEndian: true, out _);

    // Rows are numbered upwards: what this transaction did not write has a number from before it.
    private void MarkDuplicates(DocumentBatch batch, int from, int until, long last)
    {
        Span<byte> key = stackalloc byte[Unsafe.SizeOf<Guid>()];
        foreach (var item in batch.Distinct[from..until])
        {
            WriteKey(batch.Documents[item].Key, key);
            using var rows = _number.Bind(1, key).Query();
            if (rows.Next() && rows.Long(0) <= last) batch.MarkDuplicate(item);
        }
    }

    private long LastNumber()
    {
        using var rows = _last.Query();
        return rows.Next() ? rows.Long(0) : 0;
    }

    private void Add(in StoredDocument document)
    {
        Span<byte> key = stackalloc byte[Unsafe.SizeOf<Guid>()];
        WriteKey(document.Key, key);
        _insert.Add(key);
        _insert.AddText(document.Id.Span);
        _insert.AddText(document.Source.Span);
        _insert.AddText(document.Type.Span);
        if (document.Host.IsEmpty) _insert.AddNull();
        else _insert.AddText(document.Host.Span);
        if (document.Gpu.IsEmpty) _insert.AddNull();
        else _insert.AddText(document.Gpu.Span);
        _insert.Add(document.Time);
        _insert.Add(document.Received);
        _insert.Add(document.Sequence);
        _insert.AddText(document.Json.Span);
        if (document.Embedding.IsEmpty) _insert.AddNull();
        else _insert.Add(document.Embedding.Span);
    }

    private SqliteStatement Bind(in StoredDocument document)
    {
        Span<byte> key = stackalloc byte[Unsafe.SizeOf<Guid>()];
        WriteKey(document.Key, key);
        _one.Bind(1, key).BindText(2, document.Id.Span).BindText(3, document.Source.Span).BindText(4, document.Type.Span);
        _ = document.Host.IsEmpty ? _one.Bind(5, (string?)null) : _one.BindText(5, document.Host.Span);
        _ = document.Gpu.IsEmpty ? _one.Bind(6, (string?)null) : _one.BindText(6, document.Gpu.Span);
        _one.Bind(7, document.Time).Bind(8, document.Received).Bind(9, document.Sequence).BindText(10, document.Json.Span);
        return document.Embedding.IsEmpty ? _one.Bind(11, (string?)null) : _one.Bind(11, document.Embedding.Span);
    }
}
