using Stoker.Platform.Sqlite;

namespace Stoker.Gateway.Ledger;

/// <summary>
/// The ledger's tables, and one group of rows as one transaction: the rows, and what they add to their days. One thread at a time.
/// Row ids are RUN·2^40 + n, RUN being counted at each opening: two gateways that hand over to each other never use the same, and a group of which it
/// is not known whether it was committed is looked up by its first id.
/// </summary>
internal sealed class LedgerStore : IDisposable
{
    private const int SweptAtOnce = 10_000;

    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _row;
    private readonly SqliteStatement _day;
    private readonly SqliteStatement _counters;
    private readonly SqliteStatement _known;
    private readonly Dictionary<DayKey, DaySums> _days = [];
    private long _next;

    private LedgerStore(SqliteDatabase database, DateTimeOffset now)
    {
        _database = database;
        _row = database.Prepare(
            """
            INSERT INTO usage (id, time, request, key, model_asked, model, replica, outcome, prompt, cached, completion, reasoning, wasted, estimated,
              ttft_ms, duration_ms, queue_ms, status, stream, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
            """);
        _day = database.Prepare(
            """
            INSERT INTO usage_daily (day, key, model, replica, outcome, requests, prompt, cached, completion, reasoning, wasted, estimated)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            ON CONFLICT (day, key, model, replica, outcome) DO UPDATE SET
              requests = requests + excluded.requests, prompt = prompt + excluded.prompt, cached = cached + excluded.cached,
              completion = completion + excluded.completion, reasoning = reasoning + excluded.reasoning, wasted = wasted + excluded.wasted,
              estimated = estimated + excluded.estimated
            """);
        _counters = database.Prepare(
            "INSERT OR REPLACE INTO engine_counters (replica, time, epoch, prompt_total, generation_total) VALUES (?1, ?2, ?3, ?4, ?5)");
        _known = database.Prepare("SELECT 1 FROM usage WHERE id = ?1");
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

    /// <summary>Days are days since 1970-01-01, times milliseconds since then, both UTC.</summary>
    public static SqliteSchema Schema { get; } = new(
        """
        CREATE TABLE usage (
          id INTEGER PRIMARY KEY, time INTEGER NOT NULL, request TEXT NOT NULL, key TEXT NOT NULL, model_asked TEXT NOT NULL, model TEXT NOT NULL,
          replica TEXT NOT NULL, outcome TEXT NOT NULL, prompt INTEGER NOT NULL, cached INTEGER NOT NULL, completion INTEGER NOT NULL,
          reasoning INTEGER NOT NULL, wasted INTEGER NOT NULL, estimated INTEGER NOT NULL, ttft_ms REAL, duration_ms REAL NOT NULL, queue_ms REAL NOT NULL,
          status INTEGER NOT NULL, stream INTEGER NOT NULL, bytes INTEGER NOT NULL);
        CREATE INDEX usage_by_time ON usage (time);
        CREATE TABLE usage_daily (
          day INTEGER NOT NULL, key TEXT NOT NULL, model TEXT NOT NULL, replica TEXT NOT NULL, outcome TEXT NOT NULL, requests INTEGER NOT NULL,
          prompt INTEGER NOT NULL, cached INTEGER NOT NULL, completion INTEGER NOT NULL, reasoning INTEGER NOT NULL, wasted INTEGER NOT NULL,
          estimated INTEGER NOT NULL, PRIMARY KEY (day, key, model, replica, outcome)) WITHOUT ROWID;
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
    public void Commit(long first, List<LedgerRow> rows, List<EngineSample> samples) => _database.Write(() =>
    {
        _days.Clear();
        var id = first;
        foreach (ref readonly var row in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(rows))
        {
            Insert(id++, row);
            Sum(row);
        }

        foreach (var (key, sums) in _days) Add(key, sums);
        foreach (var sample in samples)
        {
            _counters.Bind(1, sample.Replica).Bind(2, Milliseconds(sample.At)).Bind(3, sample.Epoch).Bind(4, sample.Prompt).Bind(5, sample.Generation).Run();
        }
    });

    /// <summary>The last counters of each replica that are kept.</summary>
    public IReadOnlyList<EngineSample> LastCounters()
    {
        using var statement = _database.Prepare("SELECT replica, max(time), epoch, prompt_total, generation_total FROM engine_counters GROUP BY replica");
        using var rows = statement.Query();
        var found = new List<EngineSample>();
        while (rows.Next()) found.Add(new EngineSample(rows.Text(0), Ticks(rows.Long(1)), rows.Long(2), rows.Long(3), rows.Long(4)));
        return found;
    }

    /// <summary>Removes rows older than a moment, some thousands at a time. Their days' sums stay.</summary>
    /// <returns>True: there are more.</returns>
    public bool Sweep(DateTimeOffset before)
    {
        using var rows = _database.Prepare("DELETE FROM usage WHERE id IN (SELECT id FROM usage WHERE time < ?1 ORDER BY time LIMIT ?2)");
        using var counters = _database.Prepare("DELETE FROM engine_counters WHERE time < ?1");
        return _database.Write(() =>
        {
            rows.Bind(1, before.ToUnixTimeMilliseconds()).Bind(2, SweptAtOnce).Run();
            var more = _database.Changes == SweptAtOnce;
            if (!more) counters.Bind(1, before.ToUnixTimeMilliseconds()).Run();
            return more;
        });
    }

    public void Dispose()
    {
        _row.Dispose();
        _day.Dispose();
        _counters.Dispose();
        _known.Dispose();
        _database.Dispose();
    }

    internal static long Milliseconds(long ticks) => (ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond;

    internal static long Ticks(long milliseconds) => DateTimeOffset.UnixEpoch.Ticks + (milliseconds * TimeSpan.TicksPerMillisecond);

    private void Insert(long id, in LedgerRow row)
    {
        _row.Bind(1, id).Bind(2, Milliseconds(row.At)).Bind(3, row.Request).Bind(4, row.Key).Bind(5, row.ModelAsked).Bind(6, row.Model).Bind(7, row.Replica)
            .Bind(8, LedgerRow.Word(row.Outcome)).Bind(9, row.Prompt).Bind(10, row.Cached).Bind(11, row.Completion).Bind(12, row.Reasoning)
            .Bind(13, row.Wasted).Bind(14, row.IsEstimated ? 1 : 0);
        if (row.FirstToken is { } first) _row.Bind(15, Math.Round(first, 3));
        else _row.Bind(15, (string?)null);
        _row.Bind(16, Math.Round(row.Duration, 3)).Bind(17, Math.Round(row.Queued, 3)).Bind(18, row.Status).Bind(19, row.IsStream ? 1 : 0).Bind(20, row.Bytes).Run();
    }

    private void Sum(in LedgerRow row)
    {
        var key = new DayKey((row.At - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerDay, row.Key, row.Model, row.Replica, row.Outcome);
        ref var sums = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_days, key, out _);
        sums.Requests++;
        sums.Prompt += row.Prompt;
        sums.Cached += row.Cached;
        sums.Completion += row.Completion;
        sums.Reasoning += row.Reasoning;
        sums.Wasted += row.Wasted;
        if (row.IsEstimated) sums.Estimated++;
    }

    private void Add(DayKey key, DaySums sums) => _day
        .Bind(1, key.Day).Bind(2, key.Key).Bind(3, key.Model).Bind(4, key.Replica).Bind(5, LedgerRow.Word(key.Outcome))
        .Bind(6, sums.Requests).Bind(7, sums.Prompt).Bind(8, sums.Cached).Bind(9, sums.Completion).Bind(10, sums.Reasoning).Bind(11, sums.Wasted)
        .Bind(12, sums.Estimated).Run();

    private readonly record struct DayKey(long Day, string Key, string Model, string Replica, RequestOutcome Outcome);

    private struct DaySums
    {
        public long Requests, Prompt, Cached, Completion, Reasoning, Wasted, Estimated;
    }
}
