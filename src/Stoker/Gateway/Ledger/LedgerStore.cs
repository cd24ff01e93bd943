using System.Runtime.InteropServices;
using Stoker.Platform.Sqlite;

namespace Stoker.Gateway.Ledger;

/// <summary>
/// The ledger's tables, and one group of rows as one transaction: the rows, and what they add to their days. One thread at a time.
/// <para>
/// Made for writing, since most rows are never read: a row has numbers for its words (<c>usage_series</c>), and one table without an index takes it at its end. Where
/// the rows of a minute are is told by <c>usage_minutes</c>: the first and the last id of those that were admitted in it, others between them. The views <c>usage</c> and
/// <c>usage_daily</c> have the words again.
/// </para>
/// Row ids are RUN·2^40 + n, RUN being counted at each opening: two gateways that hand over to each other never use the same, and a group of which it
/// is not known whether it was committed is looked up by its first id.
/// </summary>
internal sealed class LedgerStore : IDisposable
{
    private const int SweptAtOnce = 10_000;

    /// <summary>Of a name that nobody here has, which a client may send at any length.</summary>
    private const int LongestAsked = 256;

    private readonly SqliteDatabase _database;
    private readonly SqliteInsert _rows;
    private readonly LedgerSums _sums;
    private readonly SqliteStatement _minute;
    private readonly SqliteStatement _counters;
    private readonly SqliteStatement _known;
    private readonly Dictionary<long, (long First, long Last)> _minutes = [];
    private long _next;

    private LedgerStore(SqliteDatabase database, DateTimeOffset now)
    {
        _database = database;
        _rows = new SqliteInsert(
            database,
            "usage_rows",
            [
                "id", "time", "series", "asked", "request", "prompt", "cached", "completion", "reasoning", "wasted", "estimated", "ttft_us", "duration_us", "queue_us",
                "status", "stream", "bytes",
            ]);
        _sums = new LedgerSums(database);
        _minute = database.Prepare(
            "INSERT INTO usage_minutes (minute, first, last) VALUES (?1, ?2, ?3) ON CONFLICT (minute) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)");
        _counters = database.Prepare(
            "INSERT OR REPLACE INTO engine_counters (replica, time, epoch, prompt_total, generation_total) VALUES (?1, ?2, ?3, ?4, ?5)");
        _known = database.Prepare("SELECT 1 FROM usage_rows WHERE id = ?1");
        _next = database.Write(() =>
        {
            using var run = database.Prepare("INSERT INTO runs (began) VALUES (?1)");
            run.Bind(1, now.ToUnixTimeMilliseconds()).Run();
            // Not RETURNING, which SQLite has since 3.35 only.
            using var last = database.Prepare("SELECT max(id) FROM runs");
            using var rows = last.Query();
            _ = rows.Next();
            return rows.Long(0) << 40;
        });
    }

    /// <summary>Days are days since 1970-01-01, minutes and times (milliseconds) since then too, all UTC. Ids of sums are day·2^32 + series.</summary>
    public static SqliteSchema Schema { get; } = new(
        """
        CREATE TABLE usage_series (
          id INTEGER PRIMARY KEY, key TEXT NOT NULL, model TEXT NOT NULL, replica TEXT NOT NULL, outcome TEXT NOT NULL, UNIQUE (key, model, replica, outcome));
        CREATE TABLE usage_rows (
          id INTEGER PRIMARY KEY, time INTEGER NOT NULL, series INTEGER NOT NULL, asked TEXT, request BLOB NOT NULL, prompt INTEGER NOT NULL,
          cached INTEGER NOT NULL, completion INTEGER NOT NULL, reasoning INTEGER NOT NULL, wasted INTEGER NOT NULL, estimated INTEGER NOT NULL,
          ttft_us INTEGER, duration_us INTEGER NOT NULL, queue_us INTEGER NOT NULL, status INTEGER NOT NULL, stream INTEGER NOT NULL, bytes INTEGER NOT NULL);
        CREATE TABLE usage_minutes (minute INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
        CREATE TABLE usage_sums (
          id INTEGER PRIMARY KEY, requests INTEGER NOT NULL, prompt INTEGER NOT NULL, cached INTEGER NOT NULL, completion INTEGER NOT NULL,
          reasoning INTEGER NOT NULL, wasted INTEGER NOT NULL, estimated INTEGER NOT NULL);
        CREATE VIEW usage AS
          SELECT r.id, r.time, 'req_' || lower(hex(r.request)) AS request, s.key, coalesce(r.asked, s.model) AS model_asked, s.model, s.replica, s.outcome,
            r.prompt, r.cached, r.completion, r.reasoning, r.wasted, r.estimated, r.ttft_us / 1000.0 AS ttft_ms, r.duration_us / 1000.0 AS duration_ms,
            r.queue_us / 1000.0 AS queue_ms, r.status, r.stream, r.bytes
          FROM usage_rows r JOIN usage_series s ON s.id = r.series;
        CREATE VIEW usage_daily AS
          SELECT d.id >> 32 AS day, s.key, s.model, s.replica, s.outcome, d.requests, d.prompt, d.cached, d.completion, d.reasoning, d.wasted, d.estimated
          FROM usage_sums d JOIN usage_series s ON s.id = d.id & 4294967295;
        CREATE TABLE engine_counters (
          replica TEXT NOT NULL, time INTEGER NOT NULL, epoch INTEGER NOT NULL, prompt_total INTEGER NOT NULL, generation_total INTEGER NOT NULL,
          PRIMARY KEY (replica, time)) WITHOUT ROWID;
        CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, began INTEGER NOT NULL);
        """);

    public static LedgerStore Open(string path, DateTimeOffset now) => new(SqliteDatabase.Open(path, Schema), now);

    /// <summary>Ids for a group of rows.</summary>
    /// <returns>The first.</returns>
    public long Number(int rows)
    {
        var first = _next;
        _next += rows;
        return first;
    }

    /// <summary>Whether the group with this first id is in.</summary>
    public bool Has(long first)
    {
        using var rows = _known.Bind(1, first).Query();
        return rows.Next();
    }

    /// <summary>All of it or nothing; durable on return.</summary>
    public void Commit(long first, LedgerGroup group, List<EngineSample> samples)
    {
        try
        {
            _database.Write(() => Write(first, group, samples));
        }
        catch
        {
            _sums.Forget();
            throw;
        }
    }

    /// <summary>The last counters of each replica that are kept.</summary>
    public IReadOnlyList<EngineSample> LastCounters()
    {
        using var statement = _database.Prepare("SELECT replica, max(time), epoch, prompt_total, generation_total FROM engine_counters GROUP BY replica");
        using var rows = statement.Query();
        var found = new List<EngineSample>();
        while (rows.Next()) found.Add(new EngineSample(rows.Text(0), Ticks(rows.Long(1)), rows.Long(2), rows.Long(3), rows.Long(4)));
        return found;
    }

    /// <summary>
    /// Removes rows older than a moment, some thousands at a time: those before the first of the minutes that are kept. Their days' sums stay. One that
    /// took so long that younger ones ended before it goes with its neighbours, a day later.
    /// </summary>
    /// <returns>True: there are more.</returns>
    public bool Sweep(DateTimeOffset before, DateTimeOffset now)
    {
        // What says it is of the future was written while the clock was wrong, and keeps nothing.
        using var kept = _database.Prepare("SELECT coalesce(min(first), 9223372036854775807) FROM usage_minutes WHERE minute >= ?1 AND minute <= ?2");
        using var last = _database.Prepare("SELECT id FROM usage_rows WHERE id < ?1 ORDER BY id LIMIT 1 OFFSET ?2");
        using var rows = _database.Prepare("DELETE FROM usage_rows WHERE id < ?1");
        using var minutes = _database.Prepare("DELETE FROM usage_minutes WHERE minute < ?1");
        using var counters = _database.Prepare("DELETE FROM engine_counters WHERE time < ?1");
        return _database.Write(() =>
        {
            var end = One(kept.Bind(1, Minute(before.UtcTicks)).Bind(2, Minute(now.AddDays(1).UtcTicks))) ?? 0;
            var step = One(last.Bind(1, end).Bind(2, SweptAtOnce));
            rows.Bind(1, step ?? end).Run();
            if (step is not null) return true;
            minutes.Bind(1, Minute(before.UtcTicks)).Run();
            counters.Bind(1, before.ToUnixTimeMilliseconds()).Run();
            return false;
        });
    }

    public void Dispose()
    {
        _rows.Dispose();
        _sums.Dispose();
        _minute.Dispose();
        _counters.Dispose();
        _known.Dispose();
        _database.Dispose();
    }

    internal static long Milliseconds(long ticks) => (ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond;

    internal static long Ticks(long milliseconds) => DateTimeOffset.UnixEpoch.Ticks + (milliseconds * TimeSpan.TicksPerMillisecond);

    internal static long Day(long ticks) => (ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerDay;

    private static long Minute(long ticks) => (ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMinute;

    private static long? One(SqliteStatement statement)
    {
        using var rows = statement.Query();
        return rows.Next() ? rows.Long(0) : null;
    }

    private static long Microseconds(float milliseconds) => (long)((milliseconds * 1000.0) + 0.5);

    private void Write(long first, LedgerGroup group, List<EngineSample> samples)
    {
        _minutes.Clear();
        _rows.Begin(group.Count);
        var id = first;
        foreach (var chunk in group.Chunks)
        {
            foreach (ref readonly var row in chunk.Rows)
            {
                Insert(id, _sums.Add(row), row);
                ref var minute = ref CollectionsMarshal.GetValueRefOrAddDefault(_minutes, Minute(row.At), out var isKnown);
                minute = (isKnown ? minute.First : id, id);
                id++;
            }
        }

        _sums.Write();
        foreach (var (minute, ids) in _minutes) _minute.Bind(1, minute).Bind(2, ids.First).Bind(3, ids.Last).Run();
        foreach (var sample in samples)
        {
            _counters.Bind(1, sample.Replica).Bind(2, Milliseconds(sample.At)).Bind(3, sample.Epoch).Bind(4, sample.Prompt).Bind(5, sample.Generation).Run();
        }
    }

    private void Insert(long id, long series, in LedgerRow row)
    {
        Span<byte> request = stackalloc byte[RequestId.Bytes];
        row.Request.CopyTo(request);
        _rows.Add(id);
        _rows.Add(Milliseconds(row.At));
        _rows.Add(series);
        if (row.ModelAsked == row.Model) _rows.AddNull();
        else _rows.Add(row.ModelAsked.Length <= LongestAsked ? row.ModelAsked : row.ModelAsked[..LongestAsked]);
        _rows.Add(request);
        _rows.Add(row.Prompt);
        _rows.Add(row.Cached);
        _rows.Add(row.Completion);
        _rows.Add(row.Reasoning);
        _rows.Add(row.Wasted);
        _rows.Add(row.IsEstimated ? 1 : 0);
        if (row.FirstToken is { } token) _rows.Add(Microseconds(token));
        else _rows.AddNull();
        _rows.Add(Microseconds(row.Duration));
        _rows.Add(Microseconds(row.Queued));
        _rows.Add(row.Status);
        _rows.Add(row.IsStream ? 1 : 0);
        _rows.Add(row.Bytes);
    }
}
