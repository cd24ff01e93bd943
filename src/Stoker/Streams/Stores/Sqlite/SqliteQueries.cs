using System.Globalization;
using System.Runtime.CompilerServices;
using Stoker.Platform.Sqlite;
using Stoker.Streams.Events;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores.Sqlite;

/// <summary>Questions to a collection. The nearest vectors are found by looking at every one that the other conditions leave.</summary>
internal static class SqliteQueries
{
    private const string Row = "key, id, source, type, host, gpu, time, received, sequence, document, embedding";

    /// <summary>Rows are read a page at a time, so that a slow reader does not keep the database's log from being tidied.</summary>
    private const int Page = 500;

    public static IEnumerable<FoundDocument> Run(SqliteDatabase database, string collection, DocumentQuery query) =>
        query.Nearest is null ? Ordered(database, collection, query) : Nearest(database, collection, query, query.Nearest);

    private static IEnumerable<FoundDocument> Ordered(SqliteDatabase database, string collection, DocumentQuery query)
    {
        var (direction, beyond) = query.Order == QueryOrder.NewestFirst ? ("DESC", "<") : ("ASC", ">");
        (long Time, long Number)? after = null;
        for (var left = query.Limit; left > 0;)
        {
            var where = Conditions(query);
            if (after is { } place) where.Add(($"(time, number) {beyond} (?, ?)", [place.Time, place.Number]));
            var page = Read(
                database, $"SELECT {Row}, number FROM \"{collection}\" {Where(where)} ORDER BY time {direction}, number {direction} LIMIT {Math.Min(left, Page)}", where, out var last);
            foreach (var document in page) yield return document;
            if (page.Count < Math.Min(left, Page)) yield break;
            left -= page.Count;
            after = last;
        }
    }

    private static List<FoundDocument> Read(
        SqliteDatabase database, string sql, List<(string Sql, object[] Values)> where, out (long Time, long Number) last)
    {
        using var statement = Bind(database.Prepare(sql), where);
        using var rows = statement.Query();
        var page = new List<FoundDocument>();
        last = default;
        while (rows.Next())
        {
            page.Add(Document(rows, null));
            last = (rows.Long(6), rows.Long(11));
        }

        return page;
    }

    private static IEnumerable<FoundDocument> Nearest(SqliteDatabase database, string collection, DocumentQuery query, NearestTo target)
    {
        var nearest = new NearestList<long>(target, query.Limit);
        var where = Conditions(query);
        where.Add(("length(embedding) = ?", [(long)target.Vector.Length * sizeof(float)]));
        using (var scan = Bind(database.Prepare($"SELECT number, embedding FROM \"{collection}\" {Where(where)}"), where))
        {
            using var rows = scan.Query();
            while (rows.Next()) nearest.Offer(rows.Blob(1), rows.Long(0), static number => number);
        }

        using var one = database.Prepare($"SELECT {Row} FROM \"{collection}\" WHERE number = ?1");
        var found = new List<FoundDocument>();
        foreach (var (number, distance) in nearest.NearestFirst())
        {
            using var rows = one.Bind(1, number).Query();
            if (rows.Next()) found.Add(Document(rows, distance));
        }

        return found;
    }

    private static List<(string Sql, object[] Values)> Conditions(DocumentQuery query)
    {
        var where = new List<(string, object[])>();
        if (query.Key is { } key) where.Add(("key = ?", [key]));
        if (query.Id is { } id)
        {
            var (first, last) = EventIdentity.KeysOf(id);
            where.Add(("key BETWEEN ? AND ? AND id = ?", [first, last, id]));
        }

        // With few rows left by the key, no other index is looked at: `+` says so.
        var other = where.Count > 0 ? "+" : "";
        if (query.Source is { } source) where.Add(("source = ?", [source]));
        if (query.Type is { } type) where.Add(("type = ?", [type]));
        if (query.Host is { } host) where.Add(($"{other}host = ?", [host]));
        if (query.Gpu is { } gpu) where.Add(($"{other}gpu = ?", [gpu]));
        if (query.From is { } from) where.Add(($"{other}time >= ?", [StoredDocument.Microseconds(from)]));
        if (query.Until is { } until) where.Add(($"{other}time < ?", [StoredDocument.Microseconds(until)]));
        return where;
    }

    private static string Where(List<(string Sql, object[] Values)> where) =>
        where.Count == 0 ? "" : "WHERE " + string.Join(" AND ", where.Select(condition => condition.Sql));

    private static SqliteStatement Bind(SqliteStatement statement, List<(string Sql, object[] Values)> where)
    {
        Span<byte> bytes = stackalloc byte[Unsafe.SizeOf<Guid>()];
        var index = 1;
        foreach (var value in where.SelectMany(condition => condition.Values))
        {
            switch (value)
            {
                case Guid key:
                    SqliteWriter.WriteKey(key, bytes);
                    statement.Bind(index++, bytes);
                    break;
                case long number:
                    statement.Bind(index++, number);
                    break;
                default:
                    statement.Bind(index++, Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }

        return statement;
    }

    private static FoundDocument Document(in SqliteRows rows, double? distance) => new(
        new Guid(rows.Blob(0), bigEndian: true), rows.Text(1), rows.Text(2), rows.Text(3), rows.IsNull(4) ? null : rows.Text(4), rows.IsNull(5) ? null : rows.Text(5),
        StoredDocument.AtMicroseconds(rows.Long(6)), StoredDocument.AtMicroseconds(rows.Long(7)), rows.Long(8), rows.Blob(9).ToArray(), rows.Blob(10).ToArray(), distance);
}
