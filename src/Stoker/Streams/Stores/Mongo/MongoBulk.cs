using System.Globalization;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>
/// Documents as unordered upserts, so many to a message as every engine takes. A row: <c>_id</c> (the key as text), the columns, <c>document</c>, <c>exact</c> (the JSON as it
/// was, where BSON cannot hold it), <c>embedding</c> (float32, little-endian). Times are milliseconds for people and microseconds beside them.
/// </summary>
internal sealed class MongoBulk(StoreSpec spec)
{
    private const int MostDocuments = 1000, MostBytes = 4 * 1024 * 1024;

    private readonly bool _changes = spec.Mode == StoreMode.Latest || spec.Replaces;
    private readonly BsonWriter _updates = new();
    private readonly BsonWriter _row = new();
    private readonly List<int> _items = [];

    /// <summary>Items of the batch, in the message's order.</summary>
    public IReadOnlyList<int> Items => _items;

    public ReadOnlyMemory<byte> Updates => _updates.WrittenMemory;

    /// <summary>Fills the next message, from a place in the batch's distinct documents on.</summary>
    /// <returns>Where the one after it begins.</returns>
    public int Fill(DocumentBatch batch, int from, int largest)
    {
        _updates.Clear();
        _items.Clear();
        var at = from;
        for (; at < batch.Distinct.Length && _items.Count < MostDocuments; at++)
        {
            var item = batch.Distinct[at];
            WriteRow(batch.Documents[item]);
            if (_row.Length > largest)
            {
                batch.MarkPoison(item, string.Create(CultureInfo.InvariantCulture, $"it is {_row.Length} bytes long, and the store takes {largest}"));
                continue;
            }

            if (_items.Count > 0 && _updates.Length + _row.Length > MostBytes) break;
            WriteUpdate(batch.Documents[item]);
            _items.Add(item);
        }

        return at;
    }

    private void WriteUpdate(in StoredDocument document)
    {
        Span<byte> key = stackalloc byte[36];
        _ = document.Key.TryFormat(key, out _);
        var update = _updates.Begin();
        _updates.Name(BsonType.Document, "q"u8);
        var which = _updates.Begin();
        _updates.Field("_id"u8, key);
        if (spec.Replaces)
        {
            // Made of another event, it does not match, is then inserted anew, and refused as a duplicate.
            _updates.Field("sequence"u8, document.Sequence);
        }
        else if (_changes)
        {
            // A later state does not match, is then inserted anew, and refused as a duplicate.
            _updates.Name(BsonType.Document, "sequence"u8);
            var before = _updates.Begin();
            _updates.Field("$lt"u8, document.Sequence);
            _updates.End(before);
        }

        _updates.End(which);
        _updates.Name(BsonType.Document, "u"u8);
        if (_changes)
        {
            _updates.Raw(_row.Written);
        }
        else
        {
            var change = _updates.Begin();
            _updates.Name(BsonType.Document, "$setOnInsert"u8);
            _updates.Raw(_row.Written);
            _updates.End(change);
        }

        _updates.Field("upsert"u8, true);
        _updates.End(update);
    }

    private void WriteRow(in StoredDocument document)
    {
        _row.Clear();
        var row = _row.Begin();
        _row.Field("id"u8, document.Id.Span);
        _row.Field("source"u8, document.Source.Span);
        _row.Field("type"u8, document.Type.Span);
        if (!document.Host.IsEmpty) _row.Field("host"u8, document.Host.Span);
        if (!document.Gpu.IsEmpty) _row.Field("gpu"u8, document.Gpu.Span);
        WriteTime("time"u8, "time_us"u8, document.Time);
        WriteTime("received"u8, "received_us"u8, document.Received);
        _row.Field("sequence"u8, document.Sequence);
        _row.Name(BsonType.Document, "document"u8);
        if (!BsonJson.TryWrite(document.Json.Span, _row)) _row.Binary("exact"u8, document.Json.Span);
        _row.Field("dimension"u8, document.Dimension);
        if (!document.Embedding.IsEmpty) _row.Binary("embedding"u8, document.Embedding.Span);
        _row.End(row);
    }

    private void WriteTime(ReadOnlySpan<byte> name, ReadOnlySpan<byte> exact, long microseconds)
    {
        _row.Name(BsonType.DateTime, name);
        _row.Int64((long)Math.Floor(microseconds / 1000.0));
        _row.Field(exact, microseconds);
    }

    /// <summary>What is asked of a row that was found.</summary>
    public static byte[] JsonOf(BsonMap row) => row["exact"] as byte[] ?? BsonJson.ToJson(row.Map("document") ?? []);

    public static Guid KeyOf(BsonMap row) => Guid.TryParse(row.Text("_id"), out var key) ? key : throw new InvalidDataException($"`{row["_id"]}` is not a key of this program's");

    public static ReadOnlyMemory<byte> EmbeddingOf(BsonMap row) => row["embedding"] as byte[] ?? default;
}
