using System.Runtime.CompilerServices;
using Npgsql;
using Stoker.Streams.Events;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>Questions to a collection. The nearest vectors are found by looking at every one that the other conditions leave, as they stream in.</summary>
internal static class PostgresQueries
{
    private const string Row = "key, id, source, type, host, gpu, time, received, sequence, coalesce(exact, convert_to(document::text, 'UTF8')), embedding";

    public static IAsyncEnumerable<FoundDocument> Run(NpgsqlConnection connection, StoreSpec spec, DocumentQuery query, CancellationToken cancellation) =>
        query.Nearest is { } target ? NearestAsync(connection, spec, query, target, cancellation) : OrderedAsync(connection, spec, query, cancellation);

    private static async IAsyncEnumerable<FoundDocument> OrderedAsync(
        NpgsqlConnection connection, StoreSpec spec, DocumentQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        var direction = query.Order == QueryOrder.NewestFirst ? "DESC" : "ASC";
        command.CommandText =
            $"SELECT {Row} FROM \"{spec.Collection}\" {Where(command, query)} ORDER BY time {direction}, key {direction} LIMIT {Parameter(command, query.Limit)}";
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) yield return Document(reader, null);
    }

    private static async IAsyncEnumerable<FoundDocument> NearestAsync(
        NpgsqlConnection connection, StoreSpec spec, DocumentQuery query, NearestTo target, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var nearest = new NearestList<Guid>(target, query.Limit);
        await using (var scan = new NpgsqlCommand { Connection = connection })
        {
            var where = Where(scan, query);
            scan.CommandText = $"SELECT key, embedding FROM \"{spec.Collection}\" {(where.Length == 0 ? "WHERE" : $"{where} AND")} "
                + $"octet_length(embedding) = {Parameter(scan, target.Vector.Length * sizeof(float))}";
            await using var reader = await scan.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                nearest.Offer(reader.GetFieldValue<byte[]>(1), reader.GetGuid(0), static key => key);
        }

        foreach (var (key, distance) in nearest.NearestFirst())
        {
            await using var one = new NpgsqlCommand($"SELECT {Row} FROM \"{spec.Collection}\" WHERE key = $1", connection) { Parameters = { new() { Value = key } } };
            await using var reader = await one.ExecuteReaderAsync(cancellation);
            if (await reader.ReadAsync(cancellation)) yield return Document(reader, distance);
        }
    }

    private static string Where(NpgsqlCommand command, DocumentQuery query)
    {
        var conditions = new List<string>();
        Add("key =", query.Key);
        if (query.Id is { } id)
        {
            var (first, last) = EventIdentity.KeysOf(id);
            Add("key >=", first);
            Add("key <=", last);
            Add("id =", id);
        }

        Add("source =", query.Source);
        Add("type =", query.Type);
        Add("host =", query.Host);
        Add("gpu =", query.Gpu);
        Add("time >=", query.From?.UtcDateTime);
        Add("time <", query.Until?.UtcDateTime);
        return conditions.Count == 0 ? "" : "WHERE " + string.Join(" AND ", conditions);

        void Add(string condition, object? value)
        {
            if (value is not null) conditions.Add($"{condition} {Parameter(command, value)}");
        }
    }

    private static string Parameter(NpgsqlCommand command, object value)
    {
        command.Parameters.Add(new() { Value = value });
        return $"${command.Parameters.Count}";
    }

    private static FoundDocument Document(NpgsqlDataReader reader, double? distance) => new(
        reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), Text(reader, 4), Text(reader, 5),
        reader.GetDateTime(6), reader.GetDateTime(7), reader.GetInt64(8), reader.GetFieldValue<byte[]>(9),
        reader.IsDBNull(10) ? default : reader.GetFieldValue<byte[]>(10), distance);

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
