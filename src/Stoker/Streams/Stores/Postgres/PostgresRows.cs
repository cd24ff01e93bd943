using Npgsql;
using NpgsqlTypes;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>Documents as the arrays that one statement unfolds into rows: a round trip for a whole batch. Payloads are not copied on the way.</summary>
internal sealed class PostgresRows
{
    private readonly List<Guid> _keys = [];
    private readonly List<ReadOnlyMemory<byte>> _ids = [], _sources = [], _types = [], _hosts = [], _gpus = [], _documents = [], _exact = [], _embeddings = [];
    private readonly List<DateTime> _times = [], _received = [];
    private readonly List<long> _sequences = [];

    /// <summary>What the arrays become; empty stands for none.</summary>
    public static string Unfolded(int firstParameter) =>
        $"""
        SELECT r.key, r.id, r.source, r.type, nullif(r.host, ''), nullif(r.gpu, ''), r.time, r.received, r.sequence, r.document::jsonb, nullif(r.exact, ''), nullif(r.embedding, '')
        FROM unnest({string.Join(", ", Types.Select((type, index) => $"${firstParameter + index}::{type}[]"))})
          AS r (key, id, source, type, host, gpu, time, received, sequence, document, exact, embedding)
        """;

    private static readonly string[] Types = ["uuid", "text", "text", "text", "text", "text", "timestamptz", "timestamptz", "bigint", "text", "bytea", "bytea"];

    public void Fill(DocumentBatch batch, ReadOnlySpan<int> items)
    {
        Clear();
        foreach (var item in items)
        {
            ref readonly var document = ref batch.Documents[item];
            _keys.Add(document.Key);
            _ids.Add(document.Id);
            _sources.Add(document.Source);
            _types.Add(document.Type);
            _hosts.Add(document.Host);
            _gpus.Add(document.Gpu);
            _times.Add(StoredDocument.AtMicroseconds(document.Time));
            _received.Add(StoredDocument.AtMicroseconds(document.Received));
            _sequences.Add(document.Sequence);
            var isReplaced = JsonbText.TryReplace(document.Json.Span, out var replaced);
            _documents.Add(isReplaced ? replaced : document.Json);
            _exact.Add(isReplaced ? document.Json : default);
            _embeddings.Add(document.Embedding);
        }
    }

    /// <summary>The lists themselves, which each execution reads anew.</summary>
    public void AddTo(NpgsqlParameterCollection parameters)
    {
        Add(parameters, _keys, NpgsqlDbType.Uuid);
        foreach (var texts in (List<ReadOnlyMemory<byte>>[])[_ids, _sources, _types, _hosts, _gpus]) Add(parameters, texts, NpgsqlDbType.Text);
        foreach (var times in (List<DateTime>[])[_times, _received]) Add(parameters, times, NpgsqlDbType.TimestampTz);
        Add(parameters, _sequences, NpgsqlDbType.Bigint);
        Add(parameters, _documents, NpgsqlDbType.Text);
        foreach (var bytes in (List<ReadOnlyMemory<byte>>[])[_exact, _embeddings]) Add(parameters, bytes, NpgsqlDbType.Bytea);
    }

    private static void Add<T>(NpgsqlParameterCollection parameters, List<T> values, NpgsqlDbType type) =>
        parameters.Add(new NpgsqlParameter<List<T>> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });

    private void Clear()
    {
        _keys.Clear();
        _times.Clear();
        _received.Clear();
        _sequences.Clear();
        foreach (var list in (List<ReadOnlyMemory<byte>>[])[_ids, _sources, _types, _hosts, _gpus, _documents, _exact, _embeddings]) list.Clear();
    }
}
