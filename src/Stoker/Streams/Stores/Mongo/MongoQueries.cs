using System.Runtime.CompilerServices;
using Stoker.Streams.Events;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>Questions to a collection. The nearest vectors are found by looking at every one that the other conditions leave, as they stream in.</summary>
internal static class MongoQueries
{
    private const int Page = 500;

    public static IAsyncEnumerable<FoundDocument> Run(MongoConnection connection, string collection, DocumentQuery query, CancellationToken cancellation) =>
        query.Limit <= 0 ? AsyncEnumerable.Empty<FoundDocument>()
        : query.Nearest is { } target ? NearestAsync(connection, collection, query, target, cancellation)
        : OrderedAsync(connection, collection, query, cancellation);

    private static async IAsyncEnumerable<FoundDocument> OrderedAsync(
        MongoConnection connection, string collection, DocumentQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var direction = query.Order == QueryOrder.NewestFirst ? -1 : 1;
        var find = new BsonMap
        {
            { "find", collection }, { "filter", Filter(query) }, { "sort", new BsonMap { { "time_us", direction }, { "_id", direction } } }, { "limit", (long)query.Limit }, { "batchSize", Page },
        };
        await foreach (var row in RowsAsync(connection, collection, find, cancellation)) yield return Document(row, null);
    }

    private static async IAsyncEnumerable<FoundDocument> NearestAsync(
        MongoConnection connection, string collection, DocumentQuery query, NearestTo target, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var nearest = new NearestList<string>(target, query.Limit);
        var find = new BsonMap
        {
            { "find", collection }, { "filter", Filter(query).With("dimension", target.Vector.Length) }, { "projection", new BsonMap { { "embedding", 1 } } }, { "batchSize", Page },
        };
        await foreach (var row in RowsAsync(connection, collection, find, cancellation)) nearest.Offer(MongoBulk.EmbeddingOf(row).Span, row, static near => near.Text("_id"));
        foreach (var (key, distance) in nearest.NearestFirst())
        {
            var one = new BsonMap { { "find", collection }, { "filter", new BsonMap { { "_id", key } } }, { "limit", 1L } };
            await foreach (var row in RowsAsync(connection, collection, one, cancellation)) yield return Document(row, distance);
        }
    }

    private static async IAsyncEnumerable<BsonMap> RowsAsync(MongoConnection connection, string collection, BsonMap find, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var cursor = (await connection.AskAsync(find, cancellation)).Map("cursor");
        var rows = cursor?.Maps("firstBatch") ?? [];
        while (true)
        {
            foreach (var row in rows) yield return row;
            if (cursor?.Whole("id") is null or 0) yield break;
            cursor = (await connection.AskAsync(new BsonMap { { "getMore", cursor.Whole("id") }, { "collection", collection }, { "batchSize", Page } }, cancellation)).Map("cursor");
            rows = cursor?.Maps("nextBatch") ?? [];
        }
    }

    private static BsonMap Filter(DocumentQuery query)
    {
        var filter = new BsonMap();
        if (query.Key is { } key)
        {
            filter.Add("_id", key.ToString());
        }
        else if (query.Id is { } id)
        {
            var (first, last) = EventIdentity.KeysOf(id);
            filter.Add("_id", new BsonMap { { "$gte", first.ToString() }, { "$lte", last.ToString() } });
        }

        foreach (var (name, value) in (ReadOnlySpan<(string, string?)>)[("id", query.Id), ("source", query.Source), ("type", query.Type), ("host", query.Host), ("gpu", query.Gpu)])
        {
            if (value is not null) filter.Add(name, value);
        }

        var times = new BsonMap();
        if (query.From is { } from) times.Add("$gte", StoredDocument.Microseconds(from));
        if (query.Until is { } until) times.Add("$lt", StoredDocument.Microseconds(until));
        return times.Count == 0 ? filter : filter.With("time_us", times);
    }

    private static FoundDocument Document(BsonMap row, double? distance) => new(
        MongoBulk.KeyOf(row), row.Text("id"), row.Text("source"), row.Text("type"), row["host"] as string, row["gpu"] as string,
        StoredDocument.AtMicroseconds(row.Whole("time_us")), StoredDocument.AtMicroseconds(row.Whole("received_us")), row.Whole("sequence"), MongoBulk.JsonOf(row),
        MongoBulk.EmbeddingOf(row), distance);
}
