using Stoker.Streams.Stores.Mongo;

namespace Stoker.Tests.Streams.Stores.Wire;

/// <summary>Collections in memory, and the commands on them.</summary>
internal sealed class MongoCommands
{
    private const int Duplicate = 11000, Validation = 121, TooLarge = 10334, Largest = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, SortedDictionary<string, BsonMap>> _collections = [];
    private readonly Dictionary<long, Queue<BsonMap>> _cursors = [];
    private long _cursor;

    public bool RefusesPoison { get; set; }

    public static BsonMap Error(int code, string words) => new() { { "ok", 0.0 }, { "code", code }, { "errmsg", words } };

    public BsonMap Run(BsonMap command)
    {
        lock (_lock)
        {
            return command[0].Key switch
            {
                "ping" or "endSessions" or "createIndexes" => new BsonMap().With("ok", 1.0),
                "buildInfo" or "buildinfo" => new BsonMap { { "version", "5.0.0" }, { "ok", 1.0 } },
                "insert" => Insert(command),
                "update" => Update(command),
                "findAndModify" => FindAndModify(command),
                "find" => Find(command),
                "getMore" => More(command.Whole("getMore"), command),
                var unknown => Error(59, $"no such command: '{unknown}'"),
            };
        }
    }

    private SortedDictionary<string, BsonMap> Collection(string name)
    {
        if (!_collections.TryGetValue(name, out var rows)) _collections[name] = rows = new SortedDictionary<string, BsonMap>(StringComparer.Ordinal);
        return rows;
    }

    private BsonMap Insert(BsonMap command)
    {
        var rows = Collection(command.Text("insert"));
        var errors = new List<object?>();
        foreach (var (row, index) in command.Maps("documents").Select((row, index) => (row, index)))
        {
            if (!rows.TryAdd(KeyOf(row["_id"]), row)) errors.Add(WriteError(index, Duplicate, "E11000 duplicate key error"));
        }

        var answer = new BsonMap { { "n", command.Maps("documents").Count() - errors.Count } };
        if (errors.Count > 0) answer.Add("writeErrors", errors);
        return answer.With("ok", 1.0);
    }

    private BsonMap Update(BsonMap command)
    {
        var rows = Collection(command.Text("update"));
        var (upserted, errors, matched) = (new List<object?>(), new List<object?>(), 0);
        foreach (var (update, index) in command.Maps("updates").Select((update, index) => (update, index)))
        {
            var (error, isNew, isMatch, id) = Change(rows, update.Map("q")!, update.Map("u")!, update["upsert"] is true);
            if (error is { } known) errors.Add(WriteError(index, known.Code, known.Words));
            if (isNew) upserted.Add(new BsonMap { { "index", index }, { "_id", id } });
            if (isMatch || isNew) matched++;
        }

        var answer = new BsonMap { { "n", matched }, { "nModified", matched - upserted.Count } };
        if (upserted.Count > 0) answer.Add("upserted", upserted);
        if (errors.Count > 0) answer.Add("writeErrors", errors);
        return answer.With("ok", 1.0);
    }

    private BsonMap FindAndModify(BsonMap command)
    {
        var rows = Collection(command.Text("findAndModify"));
        var (_, _, _, id) = Change(rows, command.Map("query")!, command.Map("update")!, command["upsert"] is true);
        return new BsonMap { { "value", rows.GetValueOrDefault(KeyOf(id)) }, { "ok", 1.0 } };
    }

    private ((int Code, string Words)? Error, bool IsNew, bool IsMatch, object? Id) Change(SortedDictionary<string, BsonMap> rows, BsonMap query, BsonMap update, bool upserts)
    {
        var id = query["_id"];
        var old = rows.GetValueOrDefault(KeyOf(id));
        var isMatch = old is not null && Matches(old, query);
        if (!isMatch && !upserts) return (null, false, false, id);
        if (!isMatch && old is not null) return ((Duplicate, "E11000 duplicate key error collection"), false, false, id);
        var row = new BsonMap(isMatch ? old! : new BsonMap { { "_id", id } });
        if (update.Count > 0 && update[0].Key.StartsWith('$'))
        {
            foreach (var field in update.Map("$set") ?? []) row[field.Key] = field.Value;
            foreach (var field in update.Map("$inc") ?? []) row[field.Key] = row.Whole(field.Key) + (long)field.Value!;
            foreach (var field in isMatch ? [] : update.Map("$setOnInsert") ?? []) row[field.Key] = field.Value;
        }
        else
        {
            row = new BsonMap(new BsonMap { { "_id", id } }.Concat(update));
        }

        if (RefusesPoison && row.Text("id").StartsWith("poison", StringComparison.Ordinal)) return ((Validation, "Document failed validation"), false, false, id);
        if (Length(row) > Largest) return ((TooLarge, "object to insert too large"), false, false, id);
        rows[KeyOf(id)] = row;
        return (null, !isMatch, isMatch, id);
    }

    private BsonMap Find(BsonMap command)
    {
        IEnumerable<BsonMap> found = Collection(command.Text("find")).Values.Where(row => Matches(row, command.Map("filter") ?? []));
        foreach (var (name, direction) in Enumerable.Reverse(command.Map("sort") ?? []))
            found = Convert.ToDouble(direction) > 0 ? found.OrderBy(row => row[name], Order) : found.OrderByDescending(row => row[name], Order);
        if (command.Whole("limit") is > 0 and var limit) found = found.Take((int)Math.Min(limit, int.MaxValue));
        if (command.Map("projection") is { } shown) found = found.Select(row => new BsonMap(row.Where(field => field.Key == "_id" || shown[field.Key] is not null)));
        _cursors[++_cursor] = new Queue<BsonMap>(found);
        return More(_cursor, command);
    }

    private BsonMap More(long cursor, BsonMap command)
    {
        var rows = _cursors[cursor];
        var size = command.Whole("batchSize") is > 0 and var asked ? asked : 101;
        var batch = new List<object?>();
        while (batch.Count < size && rows.TryDequeue(out var row)) batch.Add(row);
        if (rows.Count == 0) _cursors.Remove(cursor);
        var answer = new BsonMap { { "id", rows.Count == 0 ? 0L : cursor }, { "ns", "db.collection" }, { command[0].Key == "find" ? "firstBatch" : "nextBatch", batch } };
        return new BsonMap { { "cursor", answer }, { "ok", 1.0 } };
    }

    private static bool Matches(BsonMap row, BsonMap query) => query.All(field => field.Value is BsonMap conditions && conditions.Count > 0 && conditions[0].Key.StartsWith('$')
        ? conditions.All(condition => Holds(condition.Key, Order.Compare(row[field.Key], condition.Value)))
        : Order.Compare(row[field.Key], field.Value) == 0);

    private static bool Holds(string condition, int order) => condition switch
    {
        "$lt" => order < 0,
        "$lte" => order <= 0,
        "$gt" => order > 0,
        "$gte" => order >= 0,
        _ => throw new NotSupportedException(condition),
    };

    private static Comparer<object?> Order { get; } = Comparer<object?>.Create((a, b) => (a, b) switch
    {
        (string left, string right) => string.CompareOrdinal(left, right),
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        (DateTime left, DateTime right) => left.CompareTo(right),
        (string, _) or (_, string) => 1,
        _ => Convert.ToDecimal(a).CompareTo(Convert.ToDecimal(b)),
    });

    private static string KeyOf(object? id) => id is BsonOther other ? Convert.ToHexString(other.Bytes.Span) : $"{id}";

    private static BsonMap WriteError(int index, int code, string words) => new() { { "index", index }, { "code", code }, { "errmsg", words } };

    private static int Length(BsonMap row)
    {
        var writer = new BsonWriter();
        writer.Map(row);
        return writer.Length;
    }
}
