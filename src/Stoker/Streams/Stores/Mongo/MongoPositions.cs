using System.Globalization;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>Positions and epochs of a collection, a document each in <c>stoker_positions</c>.</summary>
internal sealed class MongoPositions(MongoConnection connection, string collection)
{
    private const string Name = "stoker_positions";

    /// <summary>Written is what a majority has on its disks.</summary>
    public static BsonMap Durable { get; } = new() { { "w", "majority" }, { "j", true } };

    public async Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation)
    {
        var command = new BsonMap
        {
            { "findAndModify", Name },
            { "query", new BsonMap { { "_id", KeyOf(place) } } },
            { "update", new BsonMap { { "$inc", new BsonMap { { "epoch", 1L } } }, { "$setOnInsert", new BsonMap { { "next", start.Next }, { "hash", (long)start.Hash } } } } },
            { "upsert", true },
            { "new", true },
            { "writeConcern", Durable },
        };
        BsonMap answer;
        try
        {
            answer = await connection.AskAsync(command, cancellation);
        }
        catch (MongoRefusedException same) when (same.Code == MongoErrors.DuplicateKey)
        {
            // Another made it in the same moment; now it is there.
            answer = await connection.AskAsync(command, cancellation);
        }

        var row = answer.Map("value") ?? throw new InvalidDataException("findAndModify gave no document back");
        return new StoreClaim(place, row.Whole("epoch"), PositionOf(row));
    }

    public async Task<(StorePosition Position, long Epoch)?> ReadAsync(LogPlace place, CancellationToken cancellation)
    {
        var answer = await connection.AskAsync(
            new BsonMap { { "find", Name }, { "filter", new BsonMap { { "_id", KeyOf(place) } } }, { "limit", 1 }, { "singleBatch", true } }, cancellation);
        return answer.Map("cursor")?.Maps("firstBatch").FirstOrDefault() is { } row ? (PositionOf(row), row.Whole("epoch")) : null;
    }

    /// <summary>False: the claim or the beginning does not hold any more.</summary>
    public async Task<bool> AdvanceAsync(StoreClaim claim, long from, StorePosition next, CancellationToken cancellation)
    {
        var update = new BsonMap
        {
            { "q", new BsonMap { { "_id", KeyOf(claim.Place) }, { "epoch", claim.Epoch }, { "next", from } } },
            { "u", new BsonMap { { "$set", new BsonMap { { "next", next.Next }, { "hash", (long)next.Hash } } } } },
        };
        var answer = await connection.AskAsync(new BsonMap { { "update", Name }, { "updates", new List<object?> { update } }, { "writeConcern", Durable } }, cancellation);
        if (answer.Maps("writeErrors").FirstOrDefault() is { } error) throw new MongoRefusedException(error.Whole("code"), error.Text("errmsg"));
        if (answer.Map("writeConcernError") is { } late) throw new IOException($"not yet with a majority: {late.Text("errmsg")}");
        return answer.Whole("n") == 1;
    }

    private static StorePosition PositionOf(BsonMap row) => new(row.Whole("next"), (ulong)row.Whole("hash"));

    private string KeyOf(LogPlace place) => string.Create(CultureInfo.InvariantCulture, $"{collection}/{place.Log}/{place.Partition}");
}
